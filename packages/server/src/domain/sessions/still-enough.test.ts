import type { Tenant, TenantSettings } from "@ostiary/contracts";
import { describe, expect, it } from "vitest";
import type { Application } from "../applications/index.ts";
import { DEFAULT_SETTINGS } from "../tenants/default-settings.ts";
import { shortfallOf } from "./index.ts";

type SignIn = TenantSettings["signIn"];

const tenantWith = (signIn: Partial<SignIn>): Pick<Tenant, "settings"> => ({
  settings: { ...DEFAULT_SETTINGS, signIn: { ...DEFAULT_SETTINGS.signIn, ...signIn } },
});
const lacks = (
  signIn: Partial<SignIn>,
  amr: string[],
  { roles = [], application = null }: { roles?: string[]; application?: Partial<Application> | null } = {},
) => shortfallOf(tenantWith(signIn), application as Application | null, roles, { amr })?.reason;

const SECOND = "a second factor is demanded";
const METHOD = "the sign-in method is not allowed";
const OLD = "the second factor does not count";

describe("what a live sign-in lacks by a stricter policy", () => {
  it("is a second factor where it is always demanded, by tenant, application or role", () => {
    const always = {
      settings: { secondFactor: "always" },
      signInMethods: ["password"],
    } as Partial<Application>;
    expect(lacks({ secondFactor: "always" }, ["pwd"])).toBe(SECOND);
    expect(lacks({ secondFactorRoles: ["boss"] }, ["pwd"], { roles: ["boss"] })).toBe(SECOND);
    expect(lacks({}, ["pwd"], { application: always })).toBe(SECOND);
    expect(lacks({ secondFactor: "always" }, [])).toBe(SECOND);
    expect(lacks({ secondFactor: "always" }, ["pwd", "otp", "mfa"])).toBeUndefined();
    expect(lacks({ secondFactorRoles: ["boss"] }, ["pwd"], { roles: ["clerk"] })).toBeUndefined();
  });

  it("is nothing where only the browser or what is enrolled could tell", () => {
    for (const secondFactor of ["never", "enrolled", "new_device"] as const) {
      expect(lacks({ secondFactor }, ["pwd"])).toBeUndefined();
    }
  });

  it.each<[string[], SignIn["methods"], boolean]>([
    [["pwd"], ["password"], true],
    [["pwd"], ["passkey", "email_code", "sms_code", "magic_link"], false],
    [["pwd", "otp", "mfa"], ["email_code"], false], // the code was the second factor
    [["swk"], ["passkey"], true],
    [["swk"], ["password", "email_code"], false],
    [["hwk", "user"], ["passkey"], true],
    [["otp"], ["email_code"], true],
    [["otp"], ["magic_link"], true],
    [["otp"], ["password"], true], // a forgotten password's code
    [["otp"], ["passkey", "sms_code"], false],
    [["sms"], ["sms_code"], true],
    [["sms"], ["passkey", "email_code"], false],
    [["otp", "swk", "mfa"], ["passkey"], true],
    [[], ["passkey"], true], // somebody else has vouched for him
    [["user"], ["passkey"], true],
  ])("%j is allowed where %j are: %s", (amr, methods, allowed) => {
    expect(lacks({ methods }, amr)).toBe(allowed ? undefined : METHOD);
  });

  it("is another sign-in where the application does not take the method, whatever the tenant does", () => {
    const application = { settings: {}, signInMethods: ["passkey"] } as unknown as Partial<Application>;
    expect(lacks({}, ["pwd"], { application })).toBe(METHOD);
    expect(lacks({}, ["swk"], { application })).toBeUndefined();
  });

  it("is another sign-in where the second factor does not count any more", () => {
    const strict = { secondFactor: "always", secondFactors: ["passkey"] } as const satisfies Partial<SignIn>;
    expect(lacks({ ...strict, secondFactors: [...strict.secondFactors] }, ["pwd", "sms", "mfa"])).toBe(OLD);
    expect(lacks({ ...strict, secondFactors: ["totp"] }, ["pwd", "otp", "mfa"])).toBeUndefined();
    expect(lacks({ ...strict, secondFactors: ["passkey"] }, ["pwd", "swk", "mfa"])).toBeUndefined();
    expect(lacks({ secondFactors: ["passkey"] }, ["pwd", "sms", "mfa"])).toBeUndefined();
  });
});
