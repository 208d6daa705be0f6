import type { BkOutcome } from "./bk-auth.ts";
import { frameworkSession } from "./framework-session.ts";
import { type AdapterOptions, authOf, type BkAuthSource, handle, only } from "./http.ts";

/** What the middleware reads and writes of a Koa context. */
export interface KoaContext {
  headers: Readonly<Record<string, string | string[] | undefined>>;
  protocol: string;
  host: string;
  originalUrl: string;
  /** Koa's place for what middleware hands on; the outcome is `state.bk`. */
  state: { bk?: BkOutcome };
  status: number;
  body: unknown;
  set(name: string, value: string): unknown;
}

/**
 * Koa middleware: who a request is from stands in `context.state.bk` (see `BkOutcome`). With `required` nobody else gets
 * past it. Put it after the session middleware, if there is one.
 *
 * @throws BkAuthError `configuration`, when the options cannot work.
 */
export function bkAuth<Row extends object, Context extends KoaContext = KoaContext>(
  source: BkAuthSource<Row>,
  options: AdapterOptions<Context> = {},
): (context: NoInfer<Context>, next: () => Promise<unknown>) => Promise<void> {
  const auth = authOf(source);
  const { session = frameworkSession } = options;
  return async (context, next) => {
    const { outcome, answer } = await handle(
      auth,
      {
        header: (name) => only(context.headers[name]),
        url: context.originalUrl,
        origin: `${context.protocol}://${context.host}`,
        session: session === false ? undefined : session(context),
        language: options.language?.(context),
      },
      options,
    );
    context.state.bk = outcome;
    if (answer === undefined) {
      await next();
      return;
    }
    context.status = answer.status;
    for (const [name, value] of Object.entries(answer.headers)) context.set(name, value);
    context.body = answer.body;
  };
}
