import type { BkAnswer } from "./answers.ts";
import type { GatewayIdentity } from "./gateway-jwt.ts";

/** What a route wants of a call through the gateway. */
export interface GatewayRequirement {
  /** The gateway has verified the application. Default true. */
  app?: boolean;
  /** The gateway has verified the user. Default true. */
  user?: boolean;
  /** Only these applications. */
  apps?: readonly string[];
  /** The route is open: everything else here is ignored. */
  exempt?: boolean;
}

/**
 * Whether a route may be called: undefined, or 403 in plain text. Without a valid gateway JWT the answer is always 403,
 * so a route with a requirement cannot be reached around the gateway.
 */
export function requireGateway(
  identity: GatewayIdentity | undefined,
  { app = true, user = true, apps, exempt = false }: GatewayRequirement = {},
): BkAnswer | undefined {
  if (exempt) return undefined;
  if (identity === undefined) return forbidden("this route is only for calls through the API gateway");
  if (app && !identity.app.verified) return forbidden("the gateway has not verified the application");
  if (user && !identity.user.verified) return forbidden("the gateway has not verified the user");
  if (apps !== undefined && !(identity.app.verified && apps.includes(identity.app.appCode ?? "")))
    return forbidden("the application may not call this route");
  return undefined;
}

function forbidden(body: string): BkAnswer {
  return {
    status: 403,
    headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
    body,
  };
}
