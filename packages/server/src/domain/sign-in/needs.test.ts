import { SECOND_FACTOR_POLICIES, SECOND_FACTORS, type SecondFactorPolicy } from "@ostiary/contracts";
import { expect, it } from "vitest";
import { acrOf, isAtLeast } from "../sessions/index.ts";
import { completeSettings } from "../tenants/default-settings.ts";
import type { FlowFacts } from "./flow.ts";
import { type Factors, needsOf, type Person, stateAfter } from "./needs.ts";

const BOTH = [true, false];
const FIRST: { amr: string[]; facts: FlowFacts }[] = [
  { amr: ["pwd"], facts: { first: "password" } },
  { amr: ["otp"], facts: { first: "email_code", channel: "email" } },
  { amr: ["sms"], facts: { first: "sms_code", channel: "sms" } },
  { amr: ["swk", "user", "mfa"], facts: { first: "passkey" } },
  { amr: ["pwd", "otp", "mfa"], facts: { first: "password", second: "totp" } },
];

function* everyFactors(): Generator<Factors> {
  for (const totp of [0, 1])
    for (const passkeys of [0, 1])
      for (const email of ["e***", null])
        for (const phone of ["***1", null])
          for (const recoveryCodes of [0, 10]) yield { totp, passkeys, email, phone, recoveryCodes };
}

const tenant = (secondFactor: SecondFactorPolicy, roles: string[]) => ({
  settings: completeSettings({
    signIn: { secondFactor, secondFactors: [...SECOND_FACTORS], secondFactorRoles: roles },
  }),
});
const person = (factors: Factors): Person => ({
  name: "ann",
  roles: ["boss"],
  factors,
  mustChangePassword: false,
  passwordChangedAt: null,
  hasUnconfirmedEmail: false,
});

it("whatever the policies and factors, the strictest policy counts and nothing is set up beside a factor not given", () => {
  let seen = 0;
  for (const ofTenant of SECOND_FACTOR_POLICIES)
    for (const ofApplication of SECOND_FACTOR_POLICIES)
      for (const isRole of BOTH)
        for (const deviceRemembered of BOTH)
          for (const factors of everyFactors())
            for (const { amr, facts } of FIRST) {
              const application = { settings: { secondFactor: ofApplication } } as Parameters<
                typeof needsOf
              >[1];
              const flow = { amr, facts: { ...facts, deviceRemembered } };
              const needs = needsOf(
                tenant(ofTenant, isRole ? ["boss"] : []),
                application,
                person(factors),
                flow,
              );
              const state = stateAfter(needs, flow);
              const policies = [ofTenant, ofApplication, ...(isRole ? ["always"] : [])];
              const isSure = isAtLeast(acrOf(amr), "urn:ostiary:acr:2");
              const hasOne = needs.offered.length > 0;
              const isAsked =
                policies.includes("always") ||
                (policies.includes("new_device") && !deviceRemembered) ||
                (policies.includes("enrolled") && hasOne && !deviceRemembered);
              const expected =
                !isAsked || isSure ? "authenticated" : hasOne ? "second-factor" : "enrol-factor";
              expect(state, JSON.stringify({ policies, factors, flow })).toBe(expected);
              seen += 1;
            }
  expect(seen).toBe(4 * 4 * 2 * 2 * 32 * 5);
});

it("a second factor that has proven nothing leads nowhere", () => {
  const factors: Factors = { totp: 1, passkeys: 0, email: null, phone: null, recoveryCodes: 0 };
  const flow = { amr: ["pwd"], facts: { first: "password", second: "totp" } as const };
  const needs = needsOf(tenant("always", []), null, person(factors), flow);
  expect(() => stateAfter(needs, flow)).toThrow("second factor");
});
