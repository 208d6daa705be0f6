import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newSecret } from "../../kernel/identifiers.ts";
import { refusal } from "../../testing/two-tenants.ts";
import { assignRoles } from "../access/index.ts";
import { createApplication } from "../applications/index.ts";
import { setPassword } from "../credentials/index.ts";
import { findSession, findSessionByCookie, revokeSession, type Session } from "../sessions/index.ts";
import { findUser } from "../users/index.ts";
import {
  changeIdentifier,
  choosePassword,
  type Flow,
  flowView,
  giveTotp,
  type Lack,
  startReauthentication,
  startStepUp,
  takeFinishedFlow,
  whatLacks,
} from "./index.ts";
import { PASSWORD, type SignIns, signIns } from "./testing/a-sign-in.ts";

let s: SignIns;
let bank: string;
beforeAll(async () => {
  s = await signIns();
  const settings = { secondFactor: "always" } as const;
  const made = await createApplication(s.deps, s.world.context, { name: "Bank", slug: "bank", settings });
  bank = made.application.id;
});
beforeEach(() => s.policy({}));
afterAll(() => s[Symbol.asyncDispose]());

/** Somebody who has signed in with the password, and has an authenticator app since. */
async function signedIn() {
  const person = await s.aPerson();
  const { cookie } = await s.withPassword(person.name);
  const secret = await s.withTotp(person.id);
  const session = await sessionOf(cookie);
  return { ...person, cookie, secret, session };
}

async function sessionOf(cookie: string | undefined): Promise<Session> {
  const session = await findSessionByCookie(s.deps, s.world.context.tenantId, cookie);
  if (!session) throw new Error("no session");
  return session;
}

const lack = async (session: Session, entry: Partial<Parameters<typeof whatLacks>[4]> = {}): Promise<Lack> =>
  whatLacks(s.deps, s.visitor, await s.tenant(), session, { applicationId: null, ...entry });
const stepUp = async (session: Session, browser = newSecret(), applicationId = bank) =>
  startStepUp(s.deps, s.visitor, await s.tenant(), {
    browser,
    session,
    applicationId,
    continuation: { protocol: "test" },
  });
const give = async (flow: Flow, code: string) =>
  giveTotp(s.deps, s.visitor, await s.tenant(), flow, { code });

describe("a live session", () => {
  it("lacks a factor where more is asked for than it has proven", async () => {
    const { session } = await signedIn();
    expect(await lack(session)).toBe("nothing");
    expect(await lack(session, { applicationId: bank })).toBe("factor");
    expect(await lack(session, { acr: "urn:ostiary:acr:1" })).toBe("nothing");
    expect(await lack(session, { acr: "urn:ostiary:acr:2" })).toBe("factor");
    expect(await lack({ ...session, amr: ["pwd", "otp", "mfa"] }, { applicationId: bank })).toBe("nothing");
    expect(await lack({ ...session, amr: ["pwd", "otp", "mfa"] }, { acr: "phr" })).toBe("factor");
    await s.policy({ secondFactor: "always" });
    expect(await lack(session)).toBe("factor");
  });

  it("lacks a factor once its person has got a role that asks for one", async () => {
    const { id, session } = await signedIn();
    await s.policy({ secondFactorRoles: ["administrator"] });
    expect(await lack(session)).toBe("nothing");
    await assignRoles(s.deps, s.world.context, id, ["administrator"]);
    expect(await lack(session)).toBe("factor");
  });

  it("lacks nothing on a remembered browser where that counts", async () => {
    const { name, secret } = await signedIn();
    const { flow } = await s.withPassword(name);
    const input = { code: s.shown(secret), remember: true };
    const { deviceCookie: device } = await giveTotp(s.deps, s.visitor, await s.tenant(), flow, input);
    const again = await sessionOf((await s.withPassword(name, { device })).cookie);
    await s.policy({ secondFactor: "new_device" });
    expect(await lack(again, { device })).toBe("nothing");
    expect(await lack(again)).toBe("factor");
    expect(await lack(again, { device, applicationId: bank })).toBe("factor");
  });

  it("is too old where the tenant says so", async () => {
    const { session } = await signedIn();
    await s.policy({ staleSeconds: 600 });
    expect(await lack(session)).toBe("nothing");
    s.world.clock.advance(601);
    expect(await lack(session)).toBe("sign-in");
  });
});

describe("stepping up", () => {
  it("goes on with the same session under a new secret, as old as its sign-in", async () => {
    const { session, secret, cookie, id } = await signedIn();
    const browser = newSecret();
    const flow = await stepUp(session, browser);
    expect(await flowView(s.deps, s.visitor, await s.tenant(), flow)).toMatchObject({
      state: "second-factor",
      steps: ["give-totp"],
      secondFactors: ["totp"],
    });
    const done = await give(flow, s.shown(secret));
    expect(await sessionOf(done.cookie)).toMatchObject({
      id: session.id,
      amr: ["pwd", "otp", "mfa"],
      authenticatedAt: session.authenticatedAt,
    });
    expect(await findSessionByCookie(s.deps, s.world.context.tenantId, cookie)).toBeNull();
    expect((await takeFinishedFlow(s.deps, s.visitor, flow.id, browser)).userId).toBe(id);
  });

  it("is over when the session has ended meanwhile, and the code stays good", async () => {
    const { session, secret, name } = await signedIn();
    const flow = await stepUp(session);
    await revokeSession(s.deps, s.world.context, session.id, "signed out");
    const code = s.shown(secret);
    expect(await refusal(give(flow, code))).toBe("flow.not_found");
    expect(await findSession(s.deps, s.world.context.tenantId, session.id)).toBeNull();
    const { flow: anew } = await s.withPassword(name);
    expect((await give(anew, code)).flow.state).toBe("authenticated");
  });

  it("is about this person only", async () => {
    const [ann, ben] = [await signedIn(), await signedIn()];
    const flow = await stepUp(ann.session);
    expect(await refusal(give(flow, s.shown(ben.secret)))).toBe("code.rejected");
    expect(await refusal(changeIdentifier(s.deps, s.visitor, await s.tenant(), flow))).toBe(
      "flow.wrong_step",
    );
  });

  it("is done once by two tabs", async () => {
    const { session, secret } = await signedIn();
    const flow = await stepUp(session);
    const code = s.shown(secret);
    const tabs = await Promise.all([1, 2, 3].map(() => refusal(give(flow, code))));
    expect(tabs.filter((outcome) => outcome === "fulfilled")).toHaveLength(1);
  });

  it("of who has no second factor is to set one up", async () => {
    const { name } = await s.aPerson();
    const session = await sessionOf((await s.withPassword(name)).cookie);
    expect((await stepUp(session)).state).toBe("enrol-factor");
  });

  it("keeps the session of who must change the password on the way", async () => {
    const { id, session, secret } = await signedIn();
    const temporary = { plain: "a temporary password" };
    const own = { ...s.world.context };
    // The administrator's change ends the sessions that there are, so this one comes after it.
    await setPassword(s.deps, own, id, temporary, { mustChange: true });
    await s.world.database.query("update sessions set revoked_at = null where id = $1", [session.id]);
    s.deps.feed.publish([`session:${session.id}`]);
    const { flow } = await give(await stepUp(session), s.shown(secret));
    expect(flow.state).toBe("new-password");
    const tenant = await s.tenant();
    const done = await choosePassword(s.deps, s.visitor, tenant, flow, { password: "another good password" });
    expect(done.flow.sessionId).toBe(session.id);
    expect((await findUser(s.deps, tenant.id, id))?.hasPassword).toBe(true);
  });

  it("is not for an administrator who acts as somebody", async () => {
    const { session } = await signedIn();
    const acting = { ...session, impersonatorId: "0".repeat(24) };
    expect(await refusal(stepUp(acting))).toBe("impersonation.not_allowed");
  });
});

describe("proving once more who one is", () => {
  const again = async (session: Session) =>
    startReauthentication(s.deps, s.visitor, await s.tenant(), {
      browser: newSecret(),
      session,
      continuation: { protocol: "test" },
    });

  it("asks for every factor, on a remembered browser too, and makes the session fresh", async () => {
    const { session, name, secret } = await signedIn();
    const first = await s.withPassword(name);
    const remembered = await giveTotp(s.deps, s.visitor, await s.tenant(), first.flow, {
      code: s.shown(secret),
      remember: true,
    });
    const device = remembered.deviceCookie;
    s.world.clock.advance(3_000);
    const { flow } = await s.withPassword(name, { device }, await again(session));
    expect(flow.state).toBe("second-factor");
    const done = await giveTotp(s.deps, s.visitor, await s.tenant(), flow, {
      code: s.shown(secret),
      previousSessionId: session.id,
    });
    expect(await sessionOf(done.cookie)).toMatchObject({
      id: session.id,
      authenticatedAt: s.world.clock.now(),
    });
  });

  it("is about this person only, whoever's password is right", async () => {
    const [ann, ben] = [await signedIn(), await s.aPerson()];
    const flow = await again(ann.session);
    expect(flow).toMatchObject({ state: "password", identifier: ann.name, userId: null });
    // The form cannot name another person, and a flow that is made to is refused all the same.
    expect((await s.withPassword(ben.name, {}, flow)).flow.userId).toBe(ann.id);
    const stolen = { ...(await again(ann.session)), identifier: ben.name };
    expect(await refusal(s.withPassword(ben.name, { password: PASSWORD }, stolen))).toBe(
      "credential.rejected",
    );
  });
});
