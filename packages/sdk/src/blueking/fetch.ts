import type { BkAnswer } from "./answers.ts";
import type { BkOutcome } from "./bk-auth.ts";
import { type AdapterOptions, authOf, type BkAuthSource, handle } from "./http.ts";

/**
 * Wraps a fetch handler (`Request` in, `Response` out; Deno, Bun, service workers, Next.js route handlers): the second
 * argument says who the request is from. With `required` nobody else reaches the handler. The login is remembered in
 * this process unless `session` is given.
 *
 * @throws BkAuthError `configuration`, when the options cannot work.
 * @example export default { fetch: withBkAuth({ verifyUrl }, (request, { user }) => new Response(user.username)) };
 */
export function withBkAuth<Row extends object>(
  source: BkAuthSource<Row>,
  handler: (request: Request, outcome: BkOutcome<Row>) => Response | Promise<Response>,
  options: AdapterOptions<Request> = {},
): (request: Request) => Promise<Response> {
  const authenticate = bkAuthenticator(source, options);
  return async (request) => {
    const { outcome, answer } = await authenticate(request);
    return answer === undefined ? handler(request, outcome) : responseOf(answer);
  };
}

/** The same without the wrapping: who a `Request` is from, and what to answer instead of going on, if anything. */
export function bkAuthenticator<Row extends object>(
  source: BkAuthSource<Row>,
  options: AdapterOptions<Request> = {},
): (request: Request) => Promise<{ outcome: BkOutcome<Row>; answer: BkAnswer | undefined }> {
  const auth = authOf(source);
  return (request) =>
    handle(
      auth,
      {
        header: (name) => request.headers.get(name) ?? undefined,
        url: request.url,
        origin: new URL(request.url).origin,
        session: options.session ? options.session(request) : undefined,
        language: options.language?.(request),
      },
      options,
    );
}

/** An answer as a `Response`. */
export function responseOf(answer: BkAnswer): Response {
  return new Response(answer.status === 302 ? null : answer.body, answer);
}
