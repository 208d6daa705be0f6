import type { Tenant } from "@ostiary/contracts";
import type { Principal } from "../access/index.ts";
import type { Application } from "../applications/index.ts";
import type { Deps } from "../deps.ts";
import { findSession, isTooWeak } from "../sessions/index.ts";
import { isFamilyAlive } from "../tokens/index.ts";

/** By what a person was known to who vouches for him; null: not by that. */
export interface PersonProof {
  /** The session of a ticket, or the one that a token belongs to. */
  sessionId: string | null;
  /** Tokens that were issued together. */
  familyId: string | null;
}

/**
 * Whether what a person was known by is still good for an application: neither signed out nor revoked since, and not
 * weaker than what is asked now. No proof at all is none.
 */
export async function isProofAlive(
  deps: Deps,
  tenant: Tenant,
  application: Application,
  { userId, roles }: Pick<Principal, "userId" | "roles">,
  { sessionId, familyId }: PersonProof,
): Promise<boolean> {
  if (sessionId === null && familyId === null) return false;
  if (familyId !== null && !(await isFamilyAlive(deps, tenant.id, familyId))) return false;
  if (sessionId === null) return true;
  const session = await findSession(deps, tenant.id, sessionId);
  return session?.userId === userId && !isTooWeak(tenant, application, roles, session);
}
