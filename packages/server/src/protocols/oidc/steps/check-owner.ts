import { findPrincipal } from "../../../domain/access/index.ts";
import { mayUse } from "../../../domain/applications/index.ts";
import { findSession } from "../../../domain/sessions/index.ts";
import { addSeconds } from "../../../kernel/clock.ts";
import { OAuthError } from "../errors.ts";
import { type Exchange, found } from "../exchange.ts";

/**
 * Whose tokens these are must still be allowed to have them: active, a user of the application, and signed in where
 * the grant is bound to the sign-in.
 */
export async function checkOwner(exchange: Exchange): Promise<void> {
  const { deps, tenant } = exchange;
  const { family } = found(exchange.issue);
  const [principal, session, allowed] = await Promise.all([
    findPrincipal(deps, tenant.id, family.userId),
    family.sessionId === null ? undefined : findSession(deps, tenant.id, family.sessionId),
    mayUse(deps, found(exchange.application), family.userId),
  ]);
  if (principal?.status !== "active") throw refused("the user is not active");
  if (session === null) throw refused("the session ended");
  const most = found(exchange.application).settings.sessionAbsoluteSeconds;
  if (session && most !== null && addSeconds(session.authenticatedAt, most) <= deps.clock.now()) {
    throw refused("signed in too long ago for this application");
  }
  if (!allowed) throw refused("the user may not use the application any more");
  exchange.principal = principal;
}

function refused(reason: string): OAuthError {
  return new OAuthError("invalid_grant", "The authorization has ended", { reason });
}
