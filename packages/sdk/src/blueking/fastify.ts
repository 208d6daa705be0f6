import { frameworkSession } from "./framework-session.ts";
import { type AdapterOptions, authOf, type BkAuthSource, handle, keepOutcome, only } from "./http.ts";

export { outcomeOf } from "./http.ts";

/** What the hook reads of a Fastify request. */
export interface FastifyRequestLike {
  headers: Readonly<Record<string, string | string[] | undefined>>;
  protocol: string;
  host: string;
  originalUrl: string;
}

interface FastifyReplyLike {
  code(status: number): FastifyReplyLike;
  headers(values: Record<string, string>): FastifyReplyLike;
  send(body: string): unknown;
}

/**
 * A Fastify hook for `preHandler` (or `onRequest`, before any session plugin's data is there): `outcomeOf(request)`
 * then tells who a request is from. With `required` nobody else gets past it.
 *
 * @throws BkAuthError `configuration`, when the options cannot work.
 * @example app.addHook("preHandler", bkAuth({ verifyUrl }, { required: true, login: { loginUrl } }));
 */
export function bkAuth<Row extends object, Request extends FastifyRequestLike = FastifyRequestLike>(
  source: BkAuthSource<Row>,
  options: AdapterOptions<Request> = {},
): (request: NoInfer<Request>, reply: FastifyReplyLike) => Promise<unknown> {
  const auth = authOf(source);
  const { session = frameworkSession } = options;
  return async (request, reply) => {
    const { outcome, answer } = await handle(
      auth,
      {
        header: (name) => only(request.headers[name]),
        url: request.originalUrl,
        origin: `${request.protocol}://${request.host}`,
        session: session === false ? undefined : session(request),
        language: options.language?.(request),
      },
      options,
    );
    keepOutcome(request, outcome);
    return answer === undefined
      ? undefined
      : reply.code(answer.status).headers(answer.headers).send(answer.body);
  };
}
