import { IdentityError, RECENT_SIGN_IN_SECONDS } from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { checkNotImpersonated } from "../access/index.ts";
import type { Deps } from "../deps.ts";
import { findSession } from "./find-session.ts";
import type { Session } from "./session.store.ts";

/**
 * For changes by which a thief of an open browser could take the account over: the person of this session has proven
 * who he is a moment ago, and no administrator acts for him.
 *
 * @returns the session of the request.
 * @throws IdentityError `authentication.stale` (401: sign in again, then repeat), also without a session;
 *   `impersonation.not_allowed`
 */
export async function checkRecentAuthentication(deps: Deps, context: RequestContext): Promise<Session> {
  checkNotImpersonated(context);
  const { actor, sessionId, tenantId } = context;
  const session = sessionId ? await findSession(deps, tenantId, sessionId) : null;
  if (!session || actor.type !== "user" || session.userId !== actor.id) {
    throw new IdentityError("authentication.stale", { reason: "no session of this person" });
  }
  if (session.impersonatorId !== null) throw new IdentityError("impersonation.not_allowed");
  if (addSeconds(session.authenticatedAt, RECENT_SIGN_IN_SECONDS) <= deps.clock.now()) {
    throw new IdentityError("authentication.stale", { reason: "authenticated too long ago" });
  }
  return session;
}
