import { IdentityError, type Tenant } from "@ostiary/contracts";
import { findPrincipal } from "../access/index.ts";
import { mustChangePassword } from "../credentials/index.ts";
import type { Deps } from "../deps.ts";
import { findUser } from "../users/index.ts";
import type { Factors, Person } from "./needs.ts";

/** `registerSource` of who has created the account himself. */
export const SIGNED_UP = "sign-up";
/** And of who has done so with an invitation. */
export const INVITED = "invitation";

const NO_FACTORS: Factors = { totp: false, passkeys: 0, email: null, phone: null, recoveryCodes: 0 };

/** Somebody who has just signed up. */
export function newPerson(facts: { email?: string }): Person {
  return {
    roles: [],
    factors: NO_FACTORS,
    mustChangePassword: false,
    hasUnconfirmedEmail: facts.email !== undefined,
  };
}

/** @throws IdentityError `user.not_found`, `user.suspended` */
export async function loadPerson(deps: Deps, tenant: Tenant, userId: string): Promise<Person> {
  const principal = await findPrincipal(deps, tenant.id, userId);
  if (!principal || principal.status === "deleted") throw new IdentityError("user.not_found");
  if (principal.status !== "active") throw new IdentityError("user.suspended");
  return {
    roles: principal.roles,
    factors: NO_FACTORS,
    mustChangePassword: await mustChangePassword(deps, tenant.id, userId),
    hasUnconfirmedEmail:
      tenant.settings.signIn.verifyEmail && (await hasUnconfirmedEmail(deps, tenant.id, userId)),
  };
}

/** Not from the cache: it may have been confirmed a moment ago. */
async function hasUnconfirmedEmail(deps: Deps, tenantId: string, userId: string): Promise<boolean> {
  const user = await findUser(deps, tenantId, userId);
  if (user?.email == null || user.emailVerified) return false;
  return user.registerSource === SIGNED_UP || user.registerSource === INVITED;
}
