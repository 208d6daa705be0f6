import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newSecret } from "../../kernel/identifiers.ts";
import { SoftwareAuthenticator } from "../../testing/software-authenticator.ts";
import { refusal } from "../../testing/two-tenants.ts";
import { createApplication } from "../applications/index.ts";
import { setPassword } from "../credentials/index.ts";
import { acrOf, findSessionByCookie } from "../sessions/index.ts";
import { suspendUser } from "../users/index.ts";
import {
  beginEnrolPasskey,
  beginEnrolTotp,
  changeIdentifier,
  enrolPasskey,
  enrolTotp,
  type Flow,
  findFlow,
  flowView,
  giveRecoveryCode,
  giveTotp,
  passkeyOptions,
  type StepResult,
  sendCode,
  signInDirectly,
  takeFinishedFlow,
  usePasskey,
} from "./index.ts";
import { PASSWORD, type SignIns, signIns } from "./testing/a-sign-in.ts";

let s: SignIns;
beforeAll(async () => {
  s = await signIns();
});
beforeEach(() => s.policy({}));
afterAll(() => s[Symbol.asyncDispose]());

const view = async (flow: Flow) => flowView(s.deps, s.visitor, await s.tenant(), flow);
const totp = async (flow: Flow, code: string, more = {}) =>
  giveTotp(s.deps, s.visitor, await s.tenant(), flow, { code, ...more });
const recovery = async (flow: Flow, code: string) =>
  giveRecoveryCode(s.deps, s.visitor, await s.tenant(), flow, { code });
const passkey = async (
  flow: Flow,
  device: Awaited<ReturnType<SignIns["withPasskey"]>>,
  lies: Parameters<typeof device.get>[1] = {},
) => {
  const tenant = await s.tenant();
  const options = await passkeyOptions(s.deps, s.visitor, tenant, flow);
  const response = device.get(options, lies);
  return usePasskey(s.deps, s.visitor, tenant, flow, { response });
};
const directly = async (name: string, applicationId: string | null = null) =>
  signInDirectly(s.deps, s.visitor, await s.tenant(), {
    applicationId,
    identifier: name,
    password: PASSWORD,
  });
const amrOf = async ({ cookie }: StepResult) =>
  (await findSessionByCookie(s.deps, s.world.context.tenantId, cookie))?.amr;

describe("who has a second factor", () => {
  it("has no session before it was given, by whatever door", async () => {
    const { id, name } = await s.aPerson();
    const secret = await s.withTotp(id);
    const browser = newSecret();
    const { flow, cookie } = await s.withPassword(name, {}, await s.begin({ browser }));
    expect([flow.state, flow.sessionId, cookie]).toEqual(["second-factor", null, undefined]);
    expect(await view(flow)).toMatchObject({
      steps: ["give-totp", "change-identifier"],
      secondFactors: ["totp"],
    });
    expect(await refusal(takeFinishedFlow(s.deps, s.visitor, flow.id, browser))).toBe("flow.not_found");
    expect(await refusal(directly(name))).toBe("credential.second_factor_required");
    const done = await totp(flow, s.shown(secret));
    expect(done.flow.state).toBe("authenticated");
    expect(acrOf((await amrOf(done)) ?? [])).toBe("urn:ostiary:acr:2");
    expect((await takeFinishedFlow(s.deps, s.visitor, flow.id, browser)).userId).toBe(id);
  });

  it("cannot give the password again, enrol another factor, or a factor of somebody else", async () => {
    const { id, name } = await s.aPerson();
    await s.withTotp(id);
    const other = await s.aPerson();
    const foreign = await s.withTotp(other.id);
    const device = await s.withPasskey(other.id);
    const { flow } = await s.withPassword(name);
    expect(await refusal(s.withPassword(name, {}, flow))).toBe("flow.wrong_step");
    const tenant = await s.tenant();
    expect(await refusal(beginEnrolTotp(s.deps, s.visitor, tenant, flow))).toBe("flow.wrong_step");
    expect(await refusal(totp(flow, s.shown(foreign)))).toBe("code.rejected");
    // Not offered to this person, and a challenge of another flow is not accepted either.
    expect(await refusal(passkeyOptions(s.deps, s.visitor, tenant, flow))).toBe("sign_in.method_not_allowed");
    const elsewhere = await s.begin();
    const response = device.get(await passkeyOptions(s.deps, s.visitor, tenant, elsewhere));
    expect(await refusal(usePasskey(s.deps, s.visitor, tenant, flow, { response }))).toBe(
      "sign_in.method_not_allowed",
    );
  });

  it("makes one session when two tabs give the right code, and a code works once", async () => {
    const { id, name } = await s.aPerson();
    const secret = await s.withTotp(id);
    const { flow } = await s.withPassword(name);
    const code = s.shown(secret);
    const tabs = await Promise.all([1, 2, 3].map(() => refusal(totp(flow, code))));
    expect(tabs.filter((outcome) => outcome === "fulfilled")).toHaveLength(1);
    const again = await s.withPassword(name);
    expect(await refusal(totp(again.flow, code))).toBe("code.rejected");
  });

  it("starts over for somebody else with nothing proven", async () => {
    const { id, name } = await s.aPerson();
    await s.withTotp(id);
    const { flow } = await s.withPassword(name);
    const { flow: anew } = await changeIdentifier(s.deps, s.visitor, await s.tenant(), flow);
    expect(anew).toMatchObject({ state: "identifier", userId: null, amr: [], identifier: null });
  });

  it("gets in with a recovery code, once each, but recovery codes alone are no second factor", async () => {
    const { id, name } = await s.aPerson();
    const [code = ""] = await s.withRecoveryCodes(id);
    expect((await s.withPassword(name)).flow.state).toBe("authenticated");
    await s.withTotp(id);
    const { flow } = await s.withPassword(name);
    expect((await view(flow)).secondFactors).toEqual(["totp", "recovery_code"]);
    expect((await recovery(flow, code)).flow.state).toBe("authenticated");
    const again = await s.withPassword(name);
    expect(await refusal(recovery(again.flow, code))).toBe("code.rejected");
  });

  it("is not let in when suspended between the two", async () => {
    const { id, name } = await s.aPerson();
    const secret = await s.withTotp(id);
    const { flow } = await s.withPassword(name);
    await suspendUser(s.deps, s.world.context, id);
    expect(await refusal(totp(flow, s.shown(secret)))).toBe("user.suspended");
  });

  it("has not let in whoever gave a password that was changed since", async () => {
    const { id, name } = await s.aPerson();
    const secret = await s.withTotp(id);
    const { flow: thief } = await s.withPassword(name);
    s.world.clock.advance(1);
    await setPassword(s.deps, s.world.context, id, { plain: "another good password" });
    expect(await refusal(totp(thief, s.shown(secret)))).toBe("flow.not_found");
    const own = await s.withPassword(name, { password: "another good password" });
    expect((await totp(own.flow, s.shown(secret))).flow.state).toBe("authenticated");
  });

  it("must give it within the flow's hour", async () => {
    const { id, name } = await s.aPerson();
    await s.withTotp(id);
    const browser = newSecret();
    const { flow } = await s.withPassword(name, {}, await s.begin({ browser }));
    s.world.clock.advance(3_601);
    expect(await refusal(findFlow(s.deps, s.visitor, flow.id, browser))).toBe("flow.not_found");
  });
});

describe("a passkey", () => {
  it("says who it is and is both factors when the device has checked its holder", async () => {
    const { id, name } = await s.aPerson();
    const device = await s.withPasskey(id);
    const done = await passkey(await s.begin(), device);
    expect(done.flow).toMatchObject({ state: "authenticated", userId: id, identifier: name });
    expect(acrOf((await amrOf(done)) ?? [])).toBe("phr");
  });

  it("is no first factor when it has not: whoever has found it would be let in by it alone", async () => {
    const { id } = await s.aPerson();
    const device = await s.withPasskey(id);
    const attempt = passkey(await s.begin(), device, { userVerified: false });
    expect(await refusal(attempt)).toBe("passkey.rejected");
  });

  it("is asked for after the password, as a second factor", async () => {
    const { id, name } = await s.aPerson();
    const device = await s.withPasskey(id);
    const { flow } = await s.withPassword(name);
    expect((await view(flow)).secondFactors).toEqual(["passkey"]);
    const done = await passkey(flow, device, { userVerified: false });
    expect(done.flow.amr).toEqual(["pwd", "swk", "mfa"]);
  });

  it("works once, in its flow only, and not where it is no method", async () => {
    const { id } = await s.aPerson();
    const device = await s.withPasskey(id);
    const tenant = await s.tenant();
    const [one, two] = [await s.begin(), await s.begin()];
    const response = device.get(await passkeyOptions(s.deps, s.visitor, tenant, one));
    expect(await refusal(usePasskey(s.deps, s.visitor, tenant, two, { response }))).toBe("passkey.rejected");
    const tabs = await Promise.all(
      [1, 2].map(() => refusal(usePasskey(s.deps, s.visitor, tenant, one, { response }))),
    );
    expect(tabs.filter((outcome) => outcome === "fulfilled")).toHaveLength(1);
    await s.policy({ methods: ["password"] });
    const flow = await s.begin();
    expect(await refusal(passkeyOptions(s.deps, s.visitor, await s.tenant(), flow))).toBe(
      "sign_in.method_not_allowed",
    );
    expect((await view(flow)).steps).not.toContain("use-passkey");
  });
});

describe("the policy", () => {
  it("`never` asks nobody, `always` everybody, who must then enrol", async () => {
    const { id, name } = await s.aPerson();
    const secret = await s.withTotp(id);
    await s.policy({ secondFactor: "never" });
    expect((await s.withPassword(name)).flow.state).toBe("authenticated");
    await s.policy({ secondFactor: "always" });
    expect((await s.withPassword(name)).flow.state).toBe("second-factor");
    const other = await s.aPerson();
    const { flow } = await s.withPassword(other.name);
    expect(await view(flow)).toMatchObject({ state: "enrol-factor", enrollable: ["totp", "passkey"] });
    const tenant = await s.tenant();
    const begun = await beginEnrolTotp(s.deps, s.visitor, tenant, flow);
    const give = (code: string) => enrolTotp(s.deps, s.visitor, tenant, flow, { id: begun.id, code });
    expect(await refusal(give(s.shown(secret)))).toBe("code.rejected");
    const done = await give(s.shown(begun.secret));
    expect([done.flow.state, done.flow.amr]).toEqual(["authenticated", ["pwd", "otp", "mfa"]]);
    expect((await s.withPassword(other.name)).flow.state).toBe("second-factor");
  });

  it("lets nobody set up a factor who came that far before there was one", async () => {
    await s.policy({ secondFactor: "always" });
    const { id, name } = await s.aPerson();
    const thief = (await s.withPassword(name)).flow;
    const tenant = await s.tenant();
    const begun = await beginEnrolTotp(s.deps, s.visitor, tenant, thief);
    await s.withTotp(id); // replaces what was begun
    const again = () => beginEnrolTotp(s.deps, s.visitor, tenant, thief);
    expect(await refusal(again())).toBe("flow.wrong_step");
    const enrol = enrolTotp(s.deps, s.visitor, tenant, thief, { id: begun.id, code: s.shown(begun.secret) });
    expect(await refusal(enrol)).toBe("flow.wrong_step");
    expect(await refusal(beginEnrolPasskey(s.deps, s.visitor, tenant, thief))).toBe("flow.wrong_step");
  });

  it("lets one of two set up a factor who know the password at the same time", async () => {
    await s.policy({ secondFactor: "always" });
    const { name } = await s.aPerson();
    const tenant = await s.tenant();
    const flows = [(await s.withPassword(name)).flow, (await s.withPassword(name)).flow];
    const made = await Promise.all(
      flows.map(async (flow) => {
        const device = new SoftwareAuthenticator(s.deps.publicUrl);
        const response = device.create(await beginEnrolPasskey(s.deps, s.visitor, tenant, flow));
        return () => enrolPasskey(s.deps, s.visitor, tenant, flow, { response });
      }),
    );
    const outcomes = await Promise.all(made.map((enrol) => refusal(enrol())));
    expect(outcomes.sort()).toEqual(["flow.wrong_step", "fulfilled"]);
  });

  it("lets a passkey be enrolled, which is the better of the two", async () => {
    await s.policy({ secondFactor: "always" });
    const { name } = await s.aPerson();
    const { flow } = await s.withPassword(name);
    const tenant = await s.tenant();
    const device = await s.withPasskey((await s.aPerson()).id);
    const options = await beginEnrolPasskey(s.deps, s.visitor, tenant, flow);
    const done = await enrolPasskey(s.deps, s.visitor, tenant, flow, { response: device.create(options) });
    expect(acrOf(done.flow.amr)).toBe("phr");
  });

  it("of an application is stricter, never milder", async () => {
    const { id, name } = await s.aPerson();
    const make = async (slug: string, secondFactor: "always" | "never") =>
      (await createApplication(s.deps, s.world.context, { name: slug, slug, settings: { secondFactor } }))
        .application.id;
    const strict = await make("bank", "always");
    const mild = await make("board", "never");
    expect((await s.withPassword(name)).flow.state).toBe("authenticated");
    const inBank = await s.withPassword(name, {}, await s.begin({ applicationId: strict }));
    expect(inBank.flow.state).toBe("enrol-factor");
    expect(await refusal(directly(name, strict))).toBe("credential.second_factor_required");
    await s.withTotp(id);
    const onBoard = await s.withPassword(name, {}, await s.begin({ applicationId: mild }));
    expect(onBoard.flow.state).toBe("second-factor");
  });

  it("asks holders of a role", async () => {
    await s.policy({ secondFactorRoles: ["administrator"] });
    const boss = await s.aPerson({ username: "boss", roles: ["administrator"] });
    expect((await s.withPassword("boss")).flow.state).toBe("enrol-factor");
    expect((await s.withPassword((await s.aPerson()).name)).flow.state).toBe("authenticated");
    expect(boss.id).not.toBe("");
  });

  it("asks for what the protocol demands: a passkey after another second factor, when there is none", async () => {
    const { id, name } = await s.aPerson();
    const secret = await s.withTotp(id);
    const flow = await s.begin({ acr: "phr" });
    const second = await s.withPassword(name, {}, flow);
    expect(await view(second.flow)).toMatchObject({ state: "second-factor", secondFactors: ["totp"] });
    const third = await totp(second.flow, s.shown(secret));
    expect(await view(third.flow)).toMatchObject({ state: "enrol-factor", enrollable: ["passkey"] });
    const device = await s.withPasskey(id);
    const fourth = await s.withPassword(name, {}, await s.begin({ acr: "phr" }));
    expect((await view(fourth.flow)).secondFactors).toEqual(["passkey"]);
    expect(acrOf((await passkey(fourth.flow, device)).flow.amr)).toBe("phr");
  });

  it("cannot demand what nobody could enrol", async () => {
    expect(await refusal(s.policy({ secondFactor: "always", secondFactors: ["email_code"] }))).toBe(
      "request.invalid",
    );
    await s.policy({ secondFactors: [] });
    const flow = await s.begin({ acr: "urn:ostiary:acr:2" });
    expect(await refusal(s.withPassword((await s.aPerson()).name, {}, flow))).toBe(
      "credential.second_factor_unavailable",
    );
  });
});

describe("a code as second factor", () => {
  it("goes to the person's own verified address, and is another one than the first factor's", async () => {
    await s.policy({
      methods: ["password", "email_code"],
      secondFactors: ["totp", "email_code"],
      secondFactor: "always",
    });
    const { name, email } = await s.aPerson();
    const { flow } = await s.withPassword(name);
    expect((await view(flow)).secondFactors).toEqual(["email_code"]);
    const tenant = await s.tenant();
    const sent = await sendCode(s.deps, s.visitor, tenant, flow, { channel: "email" });
    expect(sent.flow.facts.sent?.to).toBe("p***@example.com");
    expect((await view(sent.flow)).steps).toContain("give-code");
    expect(await s.mailbox.code(s.deps, email)).toMatch(/^\d{6}$/);
    expect(await refusal(sendCode(s.deps, s.visitor, tenant, sent.flow, { channel: "sms" }))).toBe(
      "sign_in.method_not_allowed",
    );
  });
});

describe("a remembered browser", () => {
  it("is not asked again, for that person, for so many days, unless the policy says always", async () => {
    const { id, name } = await s.aPerson();
    const secret = await s.withTotp(id);
    const { flow } = await s.withPassword(name);
    const { deviceCookie: device = "" } = await totp(flow, s.shown(secret), { remember: true });
    expect(device).not.toBe("");
    expect((await s.withPassword(name, { device })).flow.state).toBe("authenticated");
    expect((await s.withPassword(name)).flow.state).toBe("second-factor");
    const other = await s.aPerson();
    await s.withTotp(other.id);
    expect((await s.withPassword(other.name, { device })).flow.state).toBe("second-factor");
    const demanding = await s.begin({ acr: "urn:ostiary:acr:2" });
    expect((await s.withPassword(name, { device }, demanding)).flow.state).toBe("second-factor");
    await s.policy({ secondFactor: "new_device" });
    expect((await s.withPassword(name, { device })).flow.state).toBe("authenticated");
    await s.policy({ secondFactor: "always" });
    expect((await s.withPassword(name, { device })).flow.state).toBe("second-factor");
    await s.policy({});
    s.world.clock.advance(30 * 86_400);
    expect((await s.withPassword(name, { device })).flow.state).toBe("second-factor");
  });

  it("is forgotten when a factor is added, and cannot be had with the password alone", async () => {
    const { id, name } = await s.aPerson();
    const { deviceCookie: early = "" } = await s.withPassword(name, { remember: true });
    const secret = await s.withTotp(id);
    expect((await s.withPassword(name, { device: early })).flow.state).toBe("second-factor");
    const { flow } = await s.withPassword(name, { device: early });
    const { deviceCookie: device = "" } = await totp(flow, s.shown(secret), {
      device: early,
      remember: true,
    });
    expect((await s.withPassword(name, { device })).flow.state).toBe("authenticated");
    await s.withPasskey(id);
    expect((await s.withPassword(name, { device })).flow.state).toBe("second-factor");
  });

  it("that is new for the person is told to him", async () => {
    const { name, email } = await s.aPerson();
    const { deviceCookie: device } = await s.withPassword(name);
    expect(await s.mailbox.newest(s.deps, email)).toBeUndefined();
    await s.withPassword(name, { device });
    expect(await s.mailbox.newest(s.deps, email)).toBeUndefined();
    await s.withPassword(name);
    expect((await s.mailbox.newest(s.deps, email))?.subject).toMatch(/new/i);
  });
});
