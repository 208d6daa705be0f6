import { frameworkSession } from "./framework-session.ts";
import { type AdapterOptions, authOf, type BkAuthSource, handle, keepOutcome, only } from "./http.ts";

export { outcomeOf } from "./http.ts";

/** What the middleware reads of an Express request. */
export interface ExpressRequest {
  headers: Readonly<Record<string, string | string[] | undefined>>;
  protocol: string;
  originalUrl: string;
}

/** What it needs of an Express response. */
export interface ExpressResponse {
  status(code: number): unknown;
  setHeader(name: string, value: string): unknown;
  end(body?: string): unknown;
}

/**
 * Express middleware: `outcomeOf(request)` then tells who a request is from. With `required` nobody else gets past it. Put it after the session middleware, if there is one.
 *
 * @throws BkAuthError `configuration`, when the options cannot work.
 * @example
 * app.use(bkAuth({ verifyUrl: "https://login.example.com/login/api/v3/is_login/" }, { required: true, login: { loginUrl } }));
 */
export function bkAuth<Row extends object, Request extends ExpressRequest = ExpressRequest>(
  source: BkAuthSource<Row>,
  options: AdapterOptions<Request> = {},
): (request: NoInfer<Request>, response: ExpressResponse, next: (error?: unknown) => void) => void {
  const auth = authOf(source);
  const { session = frameworkSession } = options;
  return (request, response, next) => {
    const incoming = {
      header: (name: string) => only(request.headers[name]),
      url: request.originalUrl,
      origin: `${request.protocol}://${only(request.headers["host"]) ?? ""}`,
      session: session === false ? undefined : session(request),
      language: options.language?.(request),
    };
    handle(auth, incoming, options)
      .then(({ outcome, answer }) => {
        keepOutcome(request, outcome);
        if (answer === undefined) return next();
        response.status(answer.status);
        for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
        response.end(answer.body);
      })
      .catch(next);
  };
}
