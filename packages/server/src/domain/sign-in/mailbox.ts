import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { Deps } from "../deps.ts";
import { acrOf, isAtLeast } from "../sessions/index.ts";
import type { Flow } from "./flow.ts";
import { needsOf } from "./needs.ts";
import { loadPerson } from "./person.ts";

/** What a code or link that was mailed proves when a password is forgotten. */
const PROVEN: Pick<Flow, "amr" | "facts"> = {
  amr: ["otp"],
  facts: { first: "recovery", channel: "email", newPassword: true, deviceRemembered: false },
};

/**
 * Whether who reads a person's mail may choose his password, at a door that cannot ask for more: not where he has a
 * second factor and would be asked for it. The hosted page asks, and goes on.
 *
 * @throws IdentityError `user.not_found`, `user.suspended`
 */
export async function isMailboxEnough(deps: Deps, tenant: Tenant, userId: string): Promise<boolean> {
  const needs = needsOf(tenant, null, await loadPerson(deps, tenant, userId), PROVEN);
  return needs.offered.length === 0 || isAtLeast(acrOf(PROVEN.amr), needs.acr);
}

/** @throws IdentityError `credential.second_factor_required`, and what `isMailboxEnough` throws */
export async function checkMailboxIsEnough(deps: Deps, tenant: Tenant, userId: string): Promise<void> {
  if (!(await isMailboxEnough(deps, tenant, userId))) {
    throw new IdentityError("credential.second_factor_required");
  }
}
