import { IdentityError, type Tenant } from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import { findPrincipal, type Principal } from "../access/index.ts";
import { type Application, mayUse } from "../applications/index.ts";
import type { Deps } from "../deps.ts";
import { findSession } from "../sessions/index.ts";
import type { TokenFamily } from "./token-family.store.ts";

/**
 * Whose tokens these are must still be allowed to have them: active, a user of the application, and signed in where the
 * grant is bound to the sign-in. Every door asks this before it gives out the next tokens of a grant.
 *
 * @throws IdentityError `grant.invalid`
 */
export async function checkOwner(
  deps: Deps,
  tenant: Tenant,
  application: Application,
  { userId, sessionId }: Pick<TokenFamily, "userId" | "sessionId">,
): Promise<Principal> {
  const [principal, session, allowed] = await Promise.all([
    findPrincipal(deps, tenant.id, userId),
    sessionId === null ? undefined : findSession(deps, tenant.id, sessionId),
    mayUse(deps, application, userId),
  ]);
  if (principal?.status !== "active") throw refused("the user is not active");
  if (session === null) throw refused("the session ended");
  const most = application.settings.sessionAbsoluteSeconds;
  if (session && most !== null && addSeconds(session.authenticatedAt, most) <= deps.clock.now()) {
    throw refused("signed in too long ago for this application");
  }
  if (!allowed) throw refused("the user may not use the application any more");
  return principal;
}

const refused = (reason: string) => new IdentityError("grant.invalid", { reason });
