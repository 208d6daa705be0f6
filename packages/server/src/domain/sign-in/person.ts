import { IdentityError, type SecondFactor, type Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { findPrincipal } from "../access/index.ts";
import { findApplication } from "../applications/index.ts";
import { findKnownDevice, signInFacts } from "../credentials/index.ts";
import type { Deps } from "../deps.ts";
import { findUser } from "../users/index.ts";
import type { Flow } from "./flow.ts";
import { type Enrollable, type Factors, type Needs, needsOf, type Person, stateAfter } from "./needs.ts";

/** `registerSource` of who has created the account himself. */
export const SIGNED_UP = "sign-up";
/** And of who has done so with an invitation. */
export const INVITED = "invitation";

const NO_FACTORS: Factors = { totp: 0, passkeys: 0, email: null, phone: null, recoveryCodes: 0 };

/** Somebody who has just signed up. */
export function newPerson(facts: { name: string; email: string | undefined }): Person {
  return {
    name: facts.name,
    roles: [],
    factors: NO_FACTORS,
    mustChangePassword: false,
    passwordChangedAt: null,
    hasUnconfirmedEmail: facts.email !== undefined,
  };
}

/** @throws IdentityError `user.not_found`, `user.suspended` */
export async function loadPerson(deps: Deps, tenant: Tenant, userId: string): Promise<Person> {
  const principal = await findPrincipal(deps, tenant.id, userId);
  if (!principal || principal.status === "deleted") throw new IdentityError("user.not_found");
  if (principal.status !== "active") throw new IdentityError("user.suspended");
  const { username, email, phone } = principal;
  return {
    name: username ?? email ?? phone ?? "",
    roles: principal.roles,
    ...(await signInFacts(deps, tenant.id, userId)),
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

/** Whether the person has told us to remember this browser, and the tenant still lets people do that. */
export async function isRemembered(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  userId: string,
  cookie: string | undefined,
): Promise<boolean> {
  if (cookie === undefined || tenant.settings.signIn.rememberDeviceDays === 0) return false;
  return (await findKnownDevice(deps, context, userId, cookie))?.remembered ?? false;
}

/** What the policy asks of a flow whose person is known. */
export async function needsOfFlow(deps: Deps, tenant: Tenant, flow: Flow): Promise<Needs> {
  if (flow.userId === null) throw new IdentityError("flow.wrong_step", { reason: "nobody is known yet" });
  const application =
    flow.applicationId === null ? null : await findApplication(deps, tenant.id, flow.applicationId);
  return needsOf(tenant, application, await loadPerson(deps, tenant, flow.userId), flow);
}

/** @throws IdentityError `sign_in.method_not_allowed` when this second factor does not count, or the person has none */
export async function checkOffered(
  deps: Deps,
  tenant: Tenant,
  flow: Flow,
  factor: SecondFactor,
): Promise<void> {
  const { offered } = await needsOfFlow(deps, tenant, flow);
  if (!offered.includes(factor)) throw new IdentityError("sign_in.method_not_allowed");
}

/**
 * Asked before a factor is set up, and again under the lock of the person's factors: what was set up since the flow came
 * to its state is to be given, and whoever only knows the password must not set up another one beside it.
 *
 * @throws IdentityError `sign_in.method_not_allowed`, `flow.wrong_step`
 */
export async function checkEnrollable(
  deps: Deps,
  tenant: Tenant,
  flow: Flow,
  factor: Enrollable,
): Promise<void> {
  const needs = await needsOfFlow(deps, tenant, flow);
  if (!needs.enrollable.includes(factor)) throw new IdentityError("sign_in.method_not_allowed");
  if (stateAfter(needs, flow) !== "enrol-factor") {
    throw new IdentityError("flow.wrong_step", { reason: "there is a second factor by now" });
  }
}
