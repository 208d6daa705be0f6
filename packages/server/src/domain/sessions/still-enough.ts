import {
  SECOND_FACTOR_POLICIES,
  type SecondFactor,
  type SecondFactorPolicy,
  type SignInMethod,
  type Tenant,
} from "@ostiary/contracts";
import type { Application } from "../applications/index.ts";
import { acrOf, isAtLeast } from "./authentication-context.ts";
import type { Session } from "./session.store.ts";

type Policies = Pick<Tenant, "settings">;

/** What a sign-in may begin with: what the tenant allows and the application does not forbid. */
export function methodsOf(
  { settings }: Policies,
  application: Pick<Application, "signInMethods"> | null,
): SignInMethod[] {
  return settings.signIn.methods.filter((method) => application?.signInMethods.includes(method) ?? true);
}

/** The tenant's policy, or the application's or the roles' where these are stricter. */
export function policyOf(
  { settings: { signIn } }: Policies,
  application: Pick<Application, "settings"> | null,
  roles: readonly string[],
): SecondFactorPolicy {
  const forRoles = signIn.secondFactorRoles.some((role) => roles.includes(role)) ? "always" : "never";
  const own = application?.settings.secondFactor ?? "never";
  return strictest(
    SECOND_FACTOR_POLICIES,
    strictest(SECOND_FACTOR_POLICIES, signIn.secondFactor, forRoles),
    own,
  );
}

/** The later one in a list that goes from mild to strict. */
export function strictest<Value>(order: readonly Value[], one: Value, other: Value | undefined): Value {
  return other !== undefined && order.indexOf(other) > order.indexOf(one) ? other : one;
}

const rank = (policy: SecondFactorPolicy) => SECOND_FACTOR_POLICIES.indexOf(policy);

type Proof = Pick<Session, "amr"> & Partial<Pick<Session, "entryPolicy">>;

/** What a live session or grant lacks by the policy of this moment. */
export type Shortfall =
  | { lack: "factor"; reason: "a second factor is demanded" }
  | { lack: "sign-in"; reason: "the sign-in method is not allowed" | "the second factor does not count" };

const NO_SECOND = { lack: "factor", reason: "a second factor is demanded" } as const;
const NO_METHOD = { lack: "sign-in", reason: "the sign-in method is not allowed" } as const;
const OLD_SECOND = { lack: "sign-in", reason: "the second factor does not count" } as const;

/**
 * What somebody who was let in earlier lacks since the policy, or his roles, became stricter. Asked wherever a session
 * goes on without its browser: refresh tokens, sliding tokens, tickets, tokens shown elsewhere. Only what can be decided
 * without the browser and without the database: that a second factor is always demanded, and what counts.
 *
 * @param proof.amr - how he was authenticated, values of RFC 8176; empty: somebody else has vouched for him.
 * @param proof.entryPolicy - of a ticket: the policy under which it was given out. It is no good where more is asked.
 */
export function shortfallOf(
  tenant: Policies,
  application: Pick<Application, "settings" | "signInMethods"> | null,
  roles: readonly string[],
  { amr, entryPolicy }: Proof,
): Shortfall | undefined {
  if (!mayHaveBegunWith(tenant, application, amr)) return NO_METHOD;
  const wanted = policyOf(tenant, application, roles);
  if (!isAtLeast(acrOf(amr), "urn:ostiary:acr:2")) {
    const isMore = entryPolicy != null && rank(wanted) > rank(entryPolicy);
    return wanted === "always" || isMore ? NO_SECOND : undefined;
  }
  if (wanted !== "always") return undefined;
  return countsAsSecond(tenant.settings.signIn.secondFactors, amr) ? undefined : OLD_SECOND;
}

/** Whether `shortfallOf` finds anything. */
export function isTooWeak(
  tenant: Policies,
  application: Pick<Application, "settings" | "signInMethods"> | null,
  roles: readonly string[],
  proof: Proof,
): boolean {
  return shortfallOf(tenant, application, roles, proof) !== undefined;
}

/**
 * Whether such a sign-in may have begun with a method that is allowed. A password is never a second factor; a code also
 * comes to who has forgotten his password, so it is allowed where passwords are. Makes no lists: tickets are asked about
 * a hundred thousand times a second.
 */
function mayHaveBegunWith(
  { settings }: Policies,
  application: Pick<Application, "signInMethods"> | null,
  amr: readonly string[],
): boolean {
  const { methods } = settings.signIn;
  const allows = (method: SignInMethod) =>
    methods.includes(method) && (application === null || application.signInMethods.includes(method));
  if (amr.includes("pwd")) return allows("password");
  const [key, mail, text] = [hasKey(amr), amr.includes("otp"), amr.includes("sms")];
  if (!key && !mail && !text) return true; // nothing of ours: somebody else has vouched for him
  return (
    (key && allows("passkey")) ||
    (mail && (allows("email_code") || allows("magic_link") || allows("password"))) ||
    (text && (allows("sms_code") || allows("password")))
  );
}

/** Whether one of what was proven is a second factor that counts. */
function countsAsSecond(counts: readonly SecondFactor[], amr: readonly string[]): boolean {
  const counted = (...factors: SecondFactor[]) => factors.some((factor) => counts.includes(factor));
  return (
    (hasKey(amr) && counted("passkey")) ||
    (amr.includes("otp") && counted("totp", "email_code", "recovery_code")) ||
    (amr.includes("sms") && counted("sms_code"))
  );
}

function hasKey(amr: readonly string[]): boolean {
  return amr.includes("swk") || amr.includes("hwk");
}
