import type { BkOutcome } from "./bk-auth.ts";
import { bkAuthenticator, responseOf } from "./fetch.ts";
import type { AdapterOptions, BkAuthSource } from "./http.ts";

/** What the middleware reads and writes of a Hono context. */
export interface HonoContext {
  req: { raw: Request };
  set(key: "bk", value: BkOutcome): void;
}

/** For `new Hono<BkEnv>()`: what `context.get("bk")` is. */
export interface BkEnv {
  Variables: { bk: BkOutcome };
}

/**
 * Hono middleware: who a request is from stands in `context.get("bk")` (see `BkOutcome`). With `required` nobody else
 * gets past it. The login is remembered in this process unless `session` is given.
 *
 * @throws BkAuthError `configuration`, when the options cannot work.
 */
export function bkAuth<Row extends object>(
  source: BkAuthSource<Row>,
  options: AdapterOptions<Request> = {},
): (context: HonoContext, next: () => Promise<void>) => Promise<Response | undefined> {
  const authenticate = bkAuthenticator(source, options);
  return async (context, next) => {
    const { outcome, answer } = await authenticate(context.req.raw);
    context.set("bk", outcome);
    if (answer !== undefined) return responseOf(answer);
    await next();
    return undefined;
  };
}
