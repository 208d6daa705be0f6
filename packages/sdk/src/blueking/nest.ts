import type { BkAuth } from "./bk-auth.ts";
import { frameworkSession } from "./framework-session.ts";
import { type AdapterOptions, authOf, type BkAuthSource, handle, keepOutcome, only } from "./http.ts";

export { outcomeOf } from "./http.ts";

/** A request of either platform of Nest, Express or Fastify. */
export interface NestRequest {
  headers: Readonly<Record<string, string | string[] | undefined>>;
  protocol: string;
  originalUrl?: string;
  url: string;
}

interface NestContext {
  switchToHttp(): { getRequest<T = unknown>(): T; getResponse<T = unknown>(): T };
}

/** Express: `setHeader`; Fastify: `header`. Nest itself writes status and body, from the exception. */
type NestResponse = {
  setHeader?: (name: string, value: string) => unknown;
  header?: (name: string, value: string) => unknown;
};

/** Makes Nest's own exception, so that an application's filters see it: `(body, status) => new HttpException(body, status)`. */
export type ExceptionOf = (body: string | object, status: number) => Error;

/**
 * A Nest guard: `outcomeOf(request)` then tells who a request is from. A request that must not go on ends with
 * an exception of the given kind; a redirect to the login page is one with status 302 and the header `Location`.
 *
 * @example
 * const guard = new BkAuthGuard(createBkAuth({ verifyUrl }), (body, status) => new HttpException(body, status), { required: true });
 * app.useGlobalGuards(guard);
 */
export class BkAuthGuard<Row extends object = object> {
  readonly #auth: BkAuth<Row>;
  readonly #exceptionOf: ExceptionOf;
  readonly #options: AdapterOptions<NestRequest>;

  /** @throws BkAuthError `configuration`, when the options cannot work. */
  constructor(
    source: BkAuthSource<Row>,
    exceptionOf: ExceptionOf,
    options: AdapterOptions<NestRequest> = {},
  ) {
    this.#auth = authOf(source);
    this.#exceptionOf = exceptionOf;
    this.#options = options;
  }

  async canActivate(context: NestContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<NestRequest>();
    const { session = frameworkSession, language } = this.#options;
    const incoming = {
      header: (name: string) => only(request.headers[name]),
      url: request.originalUrl ?? request.url,
      origin: `${request.protocol}://${only(request.headers["host"]) ?? ""}`,
      session: session === false ? undefined : session(request),
      language: language?.(request),
    };
    const { outcome, answer } = await handle(this.#auth, incoming, this.#options);
    keepOutcome(request, outcome);
    if (answer === undefined) return true;
    const response = http.getResponse<NestResponse>();
    const write = (response.setHeader ?? response.header)?.bind(response);
    for (const [name, value] of Object.entries(answer.headers))
      if (name !== "content-type") write?.(name, value);
    const body: unknown = answer.body === "" ? {} : JSON.parse(answer.body);
    throw this.#exceptionOf(body as object, answer.status);
  }
}
