import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createRateLimits } from "../../platform/limits/index.ts";
import { QUIET } from "../../testing/test-deps.ts";
import { refusal } from "../../testing/two-tenants.ts";
import { setPassword } from "../credentials/index.ts";
import type { Deps } from "../deps.ts";
import { acrOf, findSessionByCookie } from "../sessions/index.ts";
import { findUser, updateUser } from "../users/index.ts";
import {
  changeIdentifier,
  choosePassword,
  type Flow,
  flowView,
  giveCode,
  givePassword,
  giveTotp,
  openLink,
  sendCode,
  sendLink,
  signInDirectly,
  signUp,
  startRecovery,
  startUnlock,
} from "./index.ts";
import { PASSWORD, type SignIns, signIns } from "./testing/a-sign-in.ts";

const NEXT = "another good password";
let s: SignIns;
beforeAll(async () => {
  s = await signIns();
});
beforeEach(() => s.policy({ methods: ["password", "email_code", "sms_code", "magic_link"] }));
afterAll(() => s[Symbol.asyncDispose]());

const view = async (flow: Flow) => flowView(s.deps, s.visitor, await s.tenant(), flow);
const send = async (identifier: string, channel: "email" | "sms" = "email", flow?: Flow) =>
  (await sendCode(s.deps, s.visitor, await s.tenant(), flow ?? (await s.begin()), { identifier, channel }))
    .flow;
const give = async (flow: Flow, code: string, more = {}) =>
  giveCode(s.deps, s.visitor, await s.tenant(), flow, { code, ...more });
const recover = async (identifier: string, way?: "email" | "backup_email" | "sms") =>
  (await startRecovery(s.deps, s.visitor, await s.tenant(), await s.begin(), { identifier, way })).flow;
const choose = async (flow: Flow, password = NEXT) =>
  choosePassword(s.deps, s.visitor, await s.tenant(), flow, { password });
const codeFor = (address: string) => s.mailbox.code(s.deps, address);
const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, "0");

describe("a code as first factor", () => {
  it("goes to the verified address and makes a session of one factor", async () => {
    const { id, name, email } = await s.aPerson();
    const flow = await send(name);
    expect(flow).toMatchObject({ state: "code", userId: null, amr: [] });
    expect(await view(flow)).toMatchObject({ sent: { channel: "email", to: null } });
    const done = await give(flow, await codeFor(email));
    expect(done.flow).toMatchObject({ state: "authenticated", userId: id, amr: ["otp"] });
    expect(acrOf(done.flow.amr)).toBe("urn:ostiary:acr:1");
  });

  it("by text message goes to the verified number", async () => {
    const phone = "+8613800000001";
    const { name } = await s.aPerson({ phone, phoneVerified: true });
    const done = await give(await send(name, "sms"), await codeFor(phone));
    expect(done.flow.amr).toEqual(["sms"]);
  });

  it("goes nowhere for nobody, an unproven address or a suspended account, with the same answer", async () => {
    const known = await view(await send((await s.aPerson()).name));
    const unproven = await s.aPerson({ emailVerified: false });
    for (const name of ["nobody", unproven.name, unproven.email]) {
      const flow = await send(name);
      const seen = await view(flow);
      expect({ ...seen, id: "", identifier: "" }).toEqual({ ...known, id: "", identifier: "" });
      expect(await refusal(give(flow, "000000"))).toBe("code.rejected");
    }
    expect(await s.mailbox.newest(s.deps, unproven.email)).toBeUndefined();
  });

  it("is right once, for one of two tabs, in its own flow and until five wrong ones were given", async () => {
    const { name, email } = await s.aPerson();
    const flow = await send(name);
    const code = await codeFor(email);
    expect(await refusal(give(await send((await s.aPerson()).name), code))).toBe("code.rejected");
    const tabs = await Promise.all([1, 2, 3].map(() => refusal(give(flow, code))));
    expect(tabs.filter((outcome) => outcome === "fulfilled")).toHaveLength(1);
    const other = await s.aPerson();
    const guessed = await send(other.name);
    const right = await codeFor(other.email);
    const outcomes: string[] = [];
    for (let i = 0; i < 5; i++) outcomes.push(await refusal(give(guessed, wrong(right))));
    expect([...new Set(outcomes)]).toEqual(["code.rejected", "code.used_up"]);
    expect(await refusal(give(guessed, right))).toMatch(/^code\./);
  });

  it("is worth nothing after ten minutes, or when the address has left the account", async () => {
    const { id, name, email } = await s.aPerson();
    const old = await send(name);
    const late = await codeFor(email);
    s.world.clock.advance(601);
    expect(await refusal(give(old, late))).toBe("code.rejected");
    const flow = await send(name);
    const code = await codeFor(email);
    await updateUser(s.deps, s.world.context, id, { email: `new-${email}`, emailVerified: true });
    expect(await refusal(give(flow, code))).toBe("code.rejected");
  });

  it("is not for whoever the flow is about after it began anew", async () => {
    const { name, email } = await s.aPerson();
    const flow = await send(name);
    const code = await codeFor(email);
    const { flow: anew } = await changeIdentifier(s.deps, s.visitor, await s.tenant(), flow);
    const again = await send((await s.aPerson()).name, "email", anew);
    expect(await refusal(give(again, code))).toBe("code.rejected");
  });

  it("is no second factor when the second factor is the same mailbox", async () => {
    await s.policy({
      methods: ["email_code"],
      secondFactors: ["email_code", "totp"],
      secondFactor: "always",
    });
    const { name, email } = await s.aPerson();
    const { flow } = await give(await send(name), await codeFor(email));
    expect(flow.state).toBe("enrol-factor");
  });

  it("is refused where it is no method, and waits a minute before the next", async () => {
    const { name } = await s.aPerson();
    const flow = await send(name);
    expect(await refusal(send(name, "email", flow))).toBe("code.too_soon");
    await s.policy({});
    expect(await refusal(send(name))).toBe("sign_in.method_not_allowed");
    expect((await view(await s.begin())).steps).not.toContain("send-code");
  });
});

describe("a link", () => {
  const request = async (identifier: string) =>
    (await sendLink(s.deps, s.visitor, await s.tenant(), await s.begin(), { identifier })).flow;
  const open = async (flow: Flow, secret: string) =>
    openLink(s.deps, s.visitor, await s.tenant(), flow, { secret });
  const linkTo = async (address: string) => {
    await s.mailbox.newest(s.deps, address);
    const mails = s.mailbox.sent.filter(({ to, text }) => to === address && text.includes("/sign-in/link"));
    return new URL(/https?:\S+/.exec(mails.at(-1)?.text ?? "")?.[0] ?? "http://none");
  };

  it("leads back to the flow that asked for it, and works there once", async () => {
    const { name, email } = await s.aPerson();
    const flow = await request(name);
    expect(flow.state).toBe("link-sent");
    const link = await linkTo(email);
    expect([link.pathname, link.searchParams.get("flow")]).toEqual(["/sign-in/link", flow.id]);
    const secret = link.searchParams.get("secret") ?? "";
    const elsewhere = await request((await s.aPerson()).name);
    expect(await refusal(open(elsewhere, secret))).toBe("code.rejected");
    const tabs = await Promise.all([1, 2].map(() => refusal(open(flow, secret))));
    expect(tabs.filter((outcome) => outcome === "fulfilled")).toHaveLength(1);
  });

  it("is followed by a second factor like every first one", async () => {
    const { id, name, email } = await s.aPerson();
    await s.withTotp(id);
    const flow = await request(name);
    const { flow: next } = await open(flow, (await linkTo(email)).searchParams.get("secret") ?? "");
    expect(next.state).toBe("second-factor");
  });
});

describe("a forgotten password", () => {
  it("is replaced by whoever reads the mailbox; other sessions end, and the person is told", async () => {
    const { id, name, email } = await s.aPerson();
    const before = await s.withPassword(name);
    const { flow } = await give(await recover(name), await codeFor(email));
    expect(flow).toMatchObject({ state: "new-password", userId: id, sessionId: null });
    expect(await refusal(choose(flow, PASSWORD))).toBe("password.reused");
    const done = await choose(flow);
    expect(await findSessionByCookie(s.deps, s.world.context.tenantId, done.cookie)).not.toBeNull();
    expect(await findSessionByCookie(s.deps, s.world.context.tenantId, before.cookie)).toBeNull();
    await s.mailbox.newest(s.deps, email);
    const told = s.mailbox.sent.filter(
      ({ to, subject }) => to === email && /password.*changed/i.test(subject ?? ""),
    );
    expect(told).toHaveLength(1);
    expect(await refusal(s.withPassword(name))).toBe("credential.rejected");
  });

  it("is not replaced without the mailbox, by skipping the code, or for nobody", async () => {
    const { name } = await s.aPerson();
    const flow = await recover(name);
    expect(await refusal(choose(flow))).toBe("flow.wrong_step");
    expect(await refusal(choose({ ...flow, state: "new-password" }))).toBe("flow.not_found");
    const stolen = await recover((await s.aPerson()).name);
    expect(await refusal(give(stolen, "000000"))).toBe("code.rejected");
    const nobody = await recover("nobody");
    expect({ ...(await view(nobody)), id: "", identifier: "", expiresAt: "" }).toEqual({
      ...(await view(await recover(name))),
      id: "",
      identifier: "",
      expiresAt: "",
    });
    expect(await refusal(give(nobody, "000000"))).toBe("code.rejected");
    expect((await s.withPassword(name)).flow.state).toBe("authenticated");
  });

  it("still needs the second factor of who has one, on a remembered browser too", async () => {
    const { id, name, email } = await s.aPerson();
    const secret = await s.withTotp(id);
    const first = await s.withPassword(name);
    const tenant = await s.tenant();
    const remembered = await giveTotp(s.deps, s.visitor, tenant, first.flow, {
      code: s.shown(secret),
      remember: true,
    });
    const device = remembered.deviceCookie;
    const { flow } = await give(await recover(name), await codeFor(email), { device });
    expect(flow.state).toBe("second-factor");
    expect(await refusal(choose(flow))).toBe("flow.wrong_step");
    const second = await giveTotp(s.deps, s.visitor, tenant, flow, { code: s.shown(secret), device });
    expect(second.flow.state).toBe("new-password");
    const done = await choose(second.flow);
    expect(done.flow.amr).toEqual(["otp", "mfa"]);
  });

  it("is not sent to an address that nobody has proven, nor where the tenant forbids it", async () => {
    const { name, email } = await s.aPerson({ emailVerified: false });
    await recover(name);
    expect(await s.mailbox.newest(s.deps, email)).toBeUndefined();
    expect(await refusal(recover(name, "sms"))).toBe("sign_in.method_not_allowed");
    await s.policy({ recovery: [] });
    expect(await refusal(recover(name))).toBe("sign_in.method_not_allowed");
    expect((await view(await s.begin())).steps).not.toContain("start-recovery");
  });

  it("ends the lock-out of the account", async () => {
    const limits = new Set<string>();
    const { name, email } = await s.aPerson();
    const deps = {
      ...s.deps,
      limits: { ...s.deps.limits, reset: async (_: object, key: string) => void limits.add(key) },
    };
    const { flow } = await give(await recover(name), await codeFor(email));
    await choosePassword(deps, s.visitor, await s.tenant(), flow, { password: NEXT });
    expect(limits.size).toBe(1);
  });
});

describe("unlocking", () => {
  it("proves nothing but that the owner is there: the password is asked for again", async () => {
    const { name, email } = await s.aPerson();
    const tenant = await s.tenant();
    const { flow } = await startUnlock(s.deps, s.visitor, tenant, await s.begin(), { identifier: name });
    const { flow: next } = await give(flow, await codeFor(email));
    expect(next).toMatchObject({ state: "password", userId: null, amr: [], identifier: name });
    expect((await s.withPassword(name, {}, next)).flow.state).toBe("authenticated");
  });
});

describe("a lock-out", () => {
  const limited = (): Deps => {
    const { clock, database } = s.world;
    return { ...s.deps, limits: createRateLimits({ kind: "memory", database, clock, log: QUIET }) };
  };
  const lock = async (deps: Deps, names: readonly string[]) => {
    for (let i = 0; i < 10; i++) {
      const step = { identifier: names[i % names.length], password: `wrong ${i}` };
      await refusal(givePassword(deps, s.visitor, await s.tenant(), await s.begin(), step));
    }
  };
  const enter = async (deps: Deps, identifier: string, password = PASSWORD) => {
    const step = { identifier, password };
    return refusal(givePassword(deps, s.visitor, await s.tenant(), await s.begin(), step));
  };

  it("ends for every name with a code that was asked for by one of them", async () => {
    const deps = limited();
    const { name, email } = await s.aPerson();
    await lock(deps, [name, email]);
    expect([await enter(deps, name), await enter(deps, email)]).toEqual(Array(2).fill("credential.locked"));
    const tenant = await s.tenant();
    const { flow } = await startUnlock(deps, s.visitor, tenant, await s.begin(), { identifier: email });
    await giveCode(deps, s.visitor, tenant, flow, { code: await codeFor(email) });
    expect([await enter(deps, name), await enter(deps, email)]).toEqual(["fulfilled", "fulfilled"]);
  });

  it("ends for every name with a new password for the forgotten one", async () => {
    const deps = limited();
    const { name, email } = await s.aPerson();
    await lock(deps, [name]);
    const flow = await recover(email);
    const next = await giveCode(deps, s.visitor, await s.tenant(), flow, { code: await codeFor(email) });
    await choosePassword(deps, s.visitor, await s.tenant(), next.flow, { password: NEXT });
    expect(await enter(deps, name, NEXT)).toBe("fulfilled");
  });
});

describe("an account that the person has made", () => {
  const NEW = { username: "newcomer", email: "newcomer@example.com", password: PASSWORD };

  it("is not signed in before its address is confirmed, at this sign-in or a later one, by any door", async () => {
    await s.policy({ verifyEmail: true }, { signUp: "open" });
    const tenant = await s.tenant();
    expect(
      await refusal(
        signUp(s.deps, s.visitor, tenant, await s.begin(), { username: "x", password: PASSWORD }),
      ),
    ).toBe("request.invalid");
    const { flow, cookie } = await signUp(s.deps, s.visitor, tenant, await s.begin(), NEW);
    expect([flow.state, cookie]).toEqual(["verify-identifier", undefined]);
    expect((await view(flow)).sent?.to).toBe("n***@example.com");
    const direct = { applicationId: null, identifier: NEW.username, password: PASSWORD };
    expect(await refusal(signInDirectly(s.deps, s.visitor, tenant, direct))).toBe(
      "user.verification_required",
    );
    await codeFor(NEW.email); // on its way before the next one
    s.world.clock.advance(61);
    const later = await s.withPassword(NEW.username);
    expect(later.flow.state).toBe("verify-identifier");
    const done = await give(later.flow, await codeFor(NEW.email));
    expect(done.flow.state).toBe("authenticated");
    expect((await findUser(s.deps, tenant.id, done.flow.userId ?? ""))?.emailVerified).toBe(true);
    expect((await s.withPassword(NEW.username)).flow.state).toBe("authenticated");
  });

  it("that nobody was in yet is had by whoever reads its mail, and not by who made it", async () => {
    await s.policy({ verifyEmail: true }, { signUp: "open" });
    const tenant = await s.tenant();
    const input = { username: "squatter", email: "victim@example.com", password: PASSWORD };
    const made = await signUp(s.deps, s.visitor, tenant, await s.begin(), input);
    const early = (await s.withPassword(input.username)).flow;
    await codeFor(input.email);
    s.world.clock.advance(61);
    const { flow } = await give(await recover(input.email), await codeFor(input.email));
    expect(flow.state).toBe("new-password");
    const done = await choose(flow);
    expect(done.flow.state).toBe("authenticated");
    expect((await findUser(s.deps, tenant.id, done.flow.userId ?? ""))?.emailVerified).toBe(true);
    for (const old of [made.flow, early]) {
      const again = sendCode(s.deps, s.visitor, tenant, old, { channel: "email" });
      expect(await refusal(again.then((sent) => give(sent.flow, "000000")))).not.toBe("fulfilled");
    }
    expect(await refusal(s.withPassword(input.username))).toBe("credential.rejected");
  });

  it("that somebody was in is not had by an address that nobody has proven", async () => {
    await s.policy({}, { signUp: "open" });
    const input = { username: "settled", email: "settled@example.com", password: PASSWORD };
    const made = await signUp(s.deps, s.visitor, await s.tenant(), await s.begin(), input);
    expect(made.flow.state).toBe("authenticated");
    await recover(input.username);
    expect(await s.mailbox.newest(s.deps, input.email)).toBeUndefined();
  });

  it("confirms before it enrols the second factor that the policy wants", async () => {
    await s.policy({ verifyEmail: true, secondFactor: "always" }, { signUp: "open" });
    const input = { ...NEW, username: "second", email: "second@example.com" };
    const { flow } = await signUp(s.deps, s.visitor, await s.tenant(), await s.begin(), input);
    const { flow: next } = await give(flow, await codeFor(input.email));
    expect(next).toMatchObject({ state: "enrol-factor", amr: ["pwd"] });
  });
});

it("asking for a code takes as long for nobody as for somebody", async () => {
  const { name } = await s.aPerson();
  const tenant = await s.tenant();
  const milliseconds = async (identifier: string) => {
    await s.mailbox.newest(s.deps, ""); // what is still on its way must not slow the next one
    const flow = await s.begin();
    const started = performance.now();
    await sendCode(s.deps, s.visitor, tenant, flow, { identifier, channel: "email" });
    return performance.now() - started;
  };
  // The quickest of many: a busy machine only ever adds, so the two come closer the longer one looks, unless one of them
  // has more to do.
  const quickest = { known: Infinity, unknown: Infinity };
  const difference = () => Math.abs(quickest.known - quickest.unknown);
  for (let i = 0; i < 300 && !(i >= 30 && difference() < 1); i++) {
    quickest.known = Math.min(quickest.known, await milliseconds(name));
    quickest.unknown = Math.min(quickest.unknown, await milliseconds(`nobody-${i}`));
  }
  expect(difference()).toBeLessThan(1);
});

describe("what a mailbox has proven", () => {
  const moved = async (id: string, name: string) => {
    s.world.clock.advance(1);
    await updateUser(s.deps, s.world.context, id, { email: `${name}@new.example`, emailVerified: true });
  };

  it("chooses no password once the mailbox has left the account", async () => {
    const { id, name, email } = await s.aPerson();
    const { flow } = await give(await recover(name), await codeFor(email));
    expect(flow.state).toBe("new-password");
    await moved(id, name);
    expect(await refusal(choose(flow))).toBe("flow.not_found");
    expect((await s.withPassword(name)).flow.state).toBe("authenticated");
  });

  it("is no first factor any more either, by code or link", async () => {
    const { id, name, email } = await s.aPerson();
    const secret = await s.withTotp(id);
    await s.policy({ methods: ["email_code", "magic_link"], secondFactor: "enrolled" });
    const byCode = await give(await send(name), await codeFor(email));
    const asked = (await sendLink(s.deps, s.visitor, await s.tenant(), await s.begin(), { identifier: name }))
      .flow;
    const mail = await s.mailbox.newest(s.deps, email, /secret=/);
    const link = /secret=([\w-]+)/.exec(mail?.text ?? "")?.[1] ?? "";
    const byLink = await openLink(s.deps, s.visitor, await s.tenant(), asked, { secret: link });
    expect([byCode.flow.state, byLink.flow.state]).toEqual(["second-factor", "second-factor"]);
    await moved(id, name);
    for (const { flow } of [byCode, byLink]) {
      const code = s.shown(secret);
      expect(await refusal(giveTotp(s.deps, s.visitor, await s.tenant(), flow, { code }))).toBe(
        "flow.not_found",
      );
    }
  });

  it("chooses no password after the person has chosen one", async () => {
    const { id, name, email } = await s.aPerson();
    const { flow } = await give(await recover(name), await codeFor(email));
    const second = await recover(name);
    const code = await codeFor(email);
    s.world.clock.advance(1);
    await setPassword(s.deps, s.world.context, id, { plain: "the owner's own choice" });
    expect(await refusal(choose(flow))).toBe("flow.not_found");
    expect(await refusal(give(second, code))).toBe("code.rejected");
  });

  it("and neither does an old password that had to be changed", async () => {
    const { id, name } = await s.aPerson();
    await setPassword(s.deps, s.world.context, id, { plain: PASSWORD }, { mustChange: true });
    s.world.clock.advance(1);
    const [owner, thief] = [await s.withPassword(name), await s.withPassword(name)];
    expect([owner.flow.state, thief.flow.state]).toEqual(["new-password", "new-password"]);
    s.world.clock.advance(1);
    expect((await choose(owner.flow, "the owner's own choice")).flow.state).toBe("authenticated");
    expect(await refusal(choose(thief.flow))).toBe("flow.not_found");
    expect(await refusal(s.withPassword(name))).toBe("credential.rejected");
  });
});
