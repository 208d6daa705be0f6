import { after } from "../../kernel/after.ts";
import { coversCodes, findPrincipal, holds, type Principal } from "../access/index.ts";
import type { Deps } from "../deps.ts";
import type { Session } from "./session.store.ts";

/** Needed to act as a user. */
const IMPERSONATE = "user:impersonate";

/**
 * The session, as long as the administrator who acts in it still may: rights that he loses, or that the user gets and he
 * has not, end it at once and not after half an hour. Synchronous when both people are known.
 */
export function whileActing(deps: Deps, session: Session | null): Session | null | Promise<Session | null> {
  if (session === null || session.impersonatorId === null) return session;
  const { tenantId, impersonatorId, userId } = session;
  return after(findPrincipal(deps, tenantId, impersonatorId), (administrator) =>
    after(findPrincipal(deps, tenantId, userId), (user) => (mayAct(administrator, user) ? session : null)),
  );
}

function mayAct(administrator: Principal | null, user: Principal | null): boolean {
  if (administrator?.status !== "active" || user?.status !== "active") return false;
  const { permissions } = administrator;
  return holds(permissions, IMPERSONATE) && coversCodes(permissions, user.permissions);
}
