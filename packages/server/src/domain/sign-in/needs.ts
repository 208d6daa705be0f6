import { IdentityError, type SecondFactor, type Tenant } from "@ostiary/contracts";
import type { Application } from "../applications/index.ts";
import type { FactorsOfUser } from "../credentials/index.ts";
import { ACR_VALUES, type Acr, acrOf, isAtLeast, policyOf, strictest } from "../sessions/index.ts";
import type { Flow } from "./flow.ts";
import type { FlowState } from "./steps.ts";

/** What a person has set up; addresses are masked, and only verified ones count. */
export type Factors = Pick<FactorsOfUser, "totp" | "passkeys" | "email" | "phone" | "recoveryCodes">;

/** What the policy wants to know about the person who signs in. */
export interface Person {
  /** By which he can be shown who he is. */
  name: string;
  /** Codes, as a principal has them. */
  roles: readonly string[];
  factors: Factors;
  mustChangePassword: boolean;
  passwordChangedAt: Date | null;
  /** He has chosen to be signed in once only; undefined: not asked. */
  wantsOneSession?: boolean;
  /** Signed up by himself and has not confirmed the address yet. */
  hasUnconfirmedEmail: boolean;
}

/** What a sign-in must prove and do before it has a session. */
export interface Needs {
  acr: Acr;
  verifiedEmail: boolean;
  newPassword: boolean;
  /** Of the second factors that count, those that this person can give now. */
  offered: readonly SecondFactor[];
  /** Those that can be set up when none can be given. */
  enrollable: readonly Enrollable[];
}

export type Enrollable = "totp" | "passkey";

type Policies = Pick<Tenant, "settings">;
type Proven = Pick<Flow, "amr" | "facts">;

/** The one place that says what is required: tenant, application, roles, device, and what the protocol demands. */
export function needsOf(
  { settings }: Policies,
  application: Pick<Application, "settings"> | null,
  person: Person,
  flow: Proven,
): Needs {
  const { signIn } = settings;
  const able = ableToGive(signIn.secondFactors, person.factors, flow);
  const hasOne = able.some((factor) => factor !== "recovery_code");
  const asked = {
    never: false,
    enrolled: hasOne && flow.facts.deviceRemembered !== true,
    new_device: flow.facts.deviceRemembered !== true,
    always: true,
  }[policyOf({ settings }, application, person.roles)];
  const acr = strictest(ACR_VALUES, asked ? "urn:ostiary:acr:2" : "urn:ostiary:acr:1", flow.facts.acr);
  return {
    acr,
    verifiedEmail: signIn.verifyEmail && person.hasUnconfirmedEmail,
    newPassword:
      flow.facts.newPassword === true || (person.mustChangePassword && signIn.methods.includes("password")),
    offered: hasOne ? offeredFor(acr, able, flow) : [],
    enrollable: (["totp", "passkey"] as const).filter(
      (factor) => signIn.secondFactors.includes(factor) && (acr !== "phr" || factor === "passkey"),
    ),
  };
}

/**
 * The state that a flow has come to: what is asked for next, or `authenticated` when nothing is.
 *
 * @throws IdentityError `credential.second_factor_unavailable` when what is missing can be neither given nor set up
 */
export function stateAfter(needs: Needs, flow: Proven): FlowState {
  if (needs.verifiedEmail) return "verify-identifier";
  const acr = acrOf(flow.amr);
  if (!isAtLeast(acr, needs.acr)) {
    if (needs.offered.length > 0 && flow.facts.second === undefined) return "second-factor";
    // Who has a second factor and has not given it must not be able to set up another one.
    const maySetUp = needs.offered.length === 0 || isAtLeast(acr, "urn:ostiary:acr:2");
    if (maySetUp && needs.enrollable.length > 0) return "enrol-factor";
    throw new IdentityError("credential.second_factor_unavailable");
  }
  return needs.newPassword ? "new-password" : "authenticated";
}

/** Of the factors that count, those that the person has and that did not serve as the first one already. */
function ableToGive(counts: readonly SecondFactor[], factors: Factors, { facts }: Proven): SecondFactor[] {
  const has: Record<SecondFactor, boolean> = {
    totp: factors.totp > 0,
    passkey: factors.passkeys > 0 && facts.first !== "passkey",
    email_code: factors.email !== null && facts.channel !== "email",
    sms_code: factors.phone !== null && facts.channel !== "sms",
    recovery_code: factors.recoveryCodes > 0,
  };
  return counts.filter((factor) => has[factor]);
}

/** Where only a passkey will do it is asked for; a lost one is replaced with a recovery code. */
function offeredFor(acr: Acr, able: readonly SecondFactor[], { amr }: Proven): readonly SecondFactor[] {
  const hasKey = amr.includes("swk") || amr.includes("hwk");
  if (acr !== "phr" || hasKey) return able;
  if (able.includes("passkey"))
    return able.filter((factor) => factor === "passkey" || factor === "recovery_code");
  // Whatever there is, before a passkey may be set up; nothing when that was proven already.
  return isAtLeast(acrOf(amr), "urn:ostiary:acr:2") ? [] : able;
}
