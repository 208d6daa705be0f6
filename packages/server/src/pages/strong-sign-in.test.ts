import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createInvitation } from "../domain/organizations/index.ts";
import { listSessionsOfUser } from "../domain/sessions/index.ts";
import { allowImpersonation, STEPS } from "../domain/sign-in/index.ts";
import { shownByApp } from "../testing/authenticator-app.ts";
import { aMailbox } from "../testing/mailbox.ts";
import { aSite, aTenant, PASSWORD } from "./testing/site.ts";
import { alertOf, hiddenFields, type Visit, type Visitor } from "./testing/visitor.ts";

let site: Awaited<ReturnType<typeof aSite>>;
const mailbox = aMailbox();

const EVERYTHING = {
  lockout: { attempts: 50, seconds: 900 },
  signIn: { methods: ["password", "passkey", "email_code", "sms_code", "magic_link"] },
};

beforeAll(async () => {
  site = await aSite(EVERYTHING);
  Object.assign(site.deps, { sender: mailbox.sender });
});
afterAll(() => site[Symbol.asyncDispose]());

const mailOf = (name: string) => `${name}@example.com`;
const person = (name: string) => site.user(name, { email: mailOf(name), emailVerified: true });
const code = (name: string) => mailbox.code(site.deps, mailOf(name));
const titleOf = (page: Visit) => /<h1>([^<]*)/.exec(page.body)?.[1];

/** To the page that follows from pressing a button of the sign-in page. */
async function pressed(visitor: Visitor, step: string, identifier: string): Promise<Visit> {
  const page = await visitor.open(`${site.base}/sign-in`);
  return visitor.follow(visitor.submit(page, { identifier, password: "", step }));
}

function shown(secret: string): string {
  site.server.clock.advance(30);
  return shownByApp(secret, site.server.clock.now());
}

const keyOf = (page: Visit) => /[?&]secret=([A-Z2-7]+)/.exec(hiddenFields(page).uri ?? "")?.[1] ?? "";

/** Somebody with an authenticator app, whose key it gives. */
async function withApp(name: string): Promise<string> {
  await person(name);
  const visitor = await site.signedIn(name);
  const page = await visitor.open(`${site.base}/account/security/totp`);
  const done = await visitor.follow(visitor.submit(page, { code: shown(keyOf(page)) }));
  expect(done.body).toContain("Your authenticator app is set up.");
  return keyOf(page);
}

describe("a code by mail", () => {
  it("signs in, once", async () => {
    await person("ann");
    const visitor = site.visitor();
    const page = await pressed(visitor, "send-code email", "ann");
    expect(titleOf(page)).toBe("Check your e-mail");
    const wrong = await visitor.submit(page, { step: "give-code", code: "000000" });
    expect([wrong.status, alertOf(wrong)]).toEqual([401, expect.stringContaining("not right")]);
    const right = await code("ann");
    const spaced = `${right.slice(0, 3)} ${right.slice(3)}`;
    const done = await visitor.submit(page, { step: "give-code", code: spaced });
    expect(done.location).toBe(`${site.base}/account`);
    const again = await visitor.submit(page, { step: "give-code", code: right });
    expect(again.status).toBe(404);
  });

  it("looks the same for an account that is not there", async () => {
    await person("adele");
    const pageOf = async (identifier: string) => {
      const visitor = site.visitor();
      const page = await pressed(visitor, "send-code email", identifier);
      const wrong = await visitor.submit(page, { step: "give-code", code: "000000" });
      const same = (body: string) =>
        body.replaceAll(/flow=[0-9a-f]+|nonce="[^"]*"|value="[^"]*"/g, "").replaceAll(identifier, "NAME");
      return [page.status, same(page.body), wrong.status, same(wrong.body)];
    };
    expect(await pageOf("adele")).toEqual(await pageOf("nobod"));
    expect(await pageOf(mailOf("adele"))).toEqual(await pageOf(mailOf("nobod")));
  });

  it("is asked for again after a minute, and not before", async () => {
    await person("amy");
    const visitor = site.visitor();
    const page = await pressed(visitor, "send-code email", "amy");
    const soon = await visitor.submit(page, { step: "send-code email" });
    expect([soon.status, alertOf(soon)]).toEqual([429, expect.stringContaining("just sent")]);
    site.server.clock.advance(61);
    expect((await visitor.submit(page, { step: "send-code email" })).status).toBe(303);
  });

  it("begins anew when the person goes back and types another name", async () => {
    await person("ava");
    await person("ari");
    const visitor = site.visitor();
    const first = await visitor.open(`${site.base}/sign-in`);
    await visitor.follow(visitor.submit(first, { identifier: "ava", step: "send-code email" }));
    const done = await visitor.submit(first, { identifier: "ari", password: PASSWORD });
    expect(done.location).toBe(`${site.base}/account`);
    expect((await visitor.open(done.location)).body).toContain("ari");
  });
});

describe("a link by mail", () => {
  it("is used up by the button and not by opening it", async () => {
    await person("lee");
    const visitor = site.visitor();
    await pressed(visitor, "send-link email", "lee");
    const link = /http\S+/.exec((await mailbox.newest(site.deps, mailOf("lee")))?.text ?? "")?.[0] ?? "";
    const scanner = await site.visitor().get(link);
    expect([titleOf(scanner), scanner.body.includes("<form")]).toEqual([
      "Open this link where you asked for it",
      false,
    ]);
    for (let opened = 0; opened < 3; opened++) expect(titleOf(await visitor.get(link))).toBe("Sign in now?");
    const page = await visitor.get(link);
    const done = await visitor.submit(page, { step: "open-link" });
    expect(done.location).toBe(`${site.base}/account`);
    const late = await visitor.get(link);
    expect([titleOf(late), late.body.includes("lee")]).toEqual([
      "Open this link where you asked for it",
      false,
    ]);
  });
});

describe("a second factor", () => {
  it("is asked for after the password, and nothing is open before it", async () => {
    const secret = await withApp("sia");
    const visitor = site.visitor();
    const page = await visitor.open(`${site.base}/sign-in`);
    const second = await visitor.follow(visitor.submit(page, { identifier: "sia", password: PASSWORD }));
    expect(titleOf(second)).toBe("Enter the code from your app");
    expect((await visitor.get(`${site.base}/account`)).location).toContain("/sign-in?flow=");
    const { flow = "" } = hiddenFields(second);
    expect((await visitor.get(`${site.base}/consent?flow=${flow}`)).location).toContain("/sign-in");
    const wrong = await visitor.submit(second, { step: "give-totp", code: "000000" });
    expect([wrong.status, titleOf(wrong)]).toEqual([401, "Enter the code from your app"]);
    const done = await visitor.submit(second, { step: "give-totp", code: shown(secret) });
    expect(done.location).toBe(`${site.base}/account`);
  });

  it("lets somebody else sign in instead", async () => {
    await withApp("sol");
    await person("sue");
    const visitor = site.visitor();
    const page = await visitor.open(`${site.base}/sign-in`);
    const second = await visitor.follow(visitor.submit(page, { identifier: "sol", password: PASSWORD }));
    const { flow = "" } = hiddenFields(second);
    const first = await visitor.open(`${site.base}/sign-in?flow=${flow}&change=1`);
    expect((await visitor.submit(first, { identifier: "sue", password: PASSWORD })).location).toBe(
      `${site.base}/account`,
    );
  });
});

describe("the security of the account", () => {
  it("asks to sign in again when that was long ago, and comes back to the page", async () => {
    await person("ken");
    const visitor = await site.signedIn("ken");
    site.server.clock.advance(601);
    expect((await visitor.open(`${site.base}/account/security`)).status).toBe(200);
    const again = await visitor.open(`${site.base}/account/contact/change?kind=phone`);
    expect(titleOf(again)).toBe("Is it you?");
    expect(again.body).not.toContain("Not you?");
    const other = await visitor.submit(again, { identifier: "ann", password: "wrong" });
    expect(other.status).toBe(401);
    const back = await visitor.submit(again, { password: PASSWORD });
    expect(back.location).toBe(`${site.base}/account/contact/change?kind=phone`);
    expect(titleOf(await visitor.open(back.location))).toBe("Change phone number");
  });

  it("renames and removes factors, but nobody else's", async () => {
    await withApp("kim");
    const other = await site.signedIn("ken");
    const visitor = site.visitor();
    await person("kai");
    const mine = await site.signedIn("kai");
    const begun = await mine.open(`${site.base}/account/security/totp`);
    await mine.submit(begun, { code: shown(keyOf(begun)) });
    const list = await mine.open(`${site.base}/account/security`);
    const id = /remove\?factor=([0-9a-f]{24})/.exec(list.body)?.[1] ?? "";
    const rename = await mine.open(`${site.base}/account/security/rename?factor=${id}`);
    expect((await mine.submit(rename, { name: " " })).status).toBe(400);
    await mine.submit(rename, { name: "My <phone>" });
    expect((await mine.open(`${site.base}/account/security`)).body).toContain("My &lt;phone&gt;");
    expect((await other.open(`${site.base}/account/security/remove?factor=${id}`)).status).toBe(404);
    expect((await visitor.get(`${site.base}/account/security/remove?factor=${id}`)).status).toBe(303);
    const early = await mine.open(`${site.base}/account/security/remove?factor=${id}`);
    site.server.clock.advance(601);
    expect((await mine.submit(early, {})).location).toContain("/sign-in?flow=");
    const again = await mine.open(`${site.base}/account/security/remove?factor=${id}`);
    const second = await mine.follow(mine.submit(again, { password: PASSWORD }));
    await mine.submit(second, { step: "give-totp", code: shown(keyOf(begun)) });
    const remove = await mine.open(`${site.base}/account/security/remove?factor=${id}`);
    const done = await mine.follow(mine.submit(remove, {}));
    expect(done.body).toContain("no longer signs you in");
  });

  it("shows the same key again after a wrong code, and never one that somebody made up", async () => {
    await person("kat");
    const visitor = await site.signedIn("kat");
    const page = await visitor.open(`${site.base}/account/security/totp`);
    const wrong = await visitor.submit(page, { code: "000000" });
    expect([wrong.status, keyOf(wrong)]).toEqual([401, keyOf(page)]);
    for (const uri of ["javascript:alert(1)", "x".repeat(60_000), "otpauth://totp/<script>"]) {
      const answer = await visitor.submit(page, { code: "000000", uri });
      expect(answer.status).toBeLessThan(500);
      expect(answer.body).not.toMatch(/href="javascript:|<script>/);
    }
  });
});

describe("a locked account", () => {
  it("is opened by a code to its mailbox, and then asks for the password again", async () => {
    const strict = await aTenant(site.server, { lockout: { attempts: 3, seconds: 900 } });
    await strict.user("lou", { email: mailOf("lou"), emailVerified: true });
    const visitor = strict.visitor();
    const page = await visitor.open(`${strict.base}/sign-in`);
    for (let guess = 0; guess < 3; guess++)
      await visitor.submit(page, { identifier: "lou", password: "wrong" });
    const locked = await visitor.submit(page, { identifier: "lou", password: PASSWORD });
    expect([locked.status, alertOf(locked)]).toEqual([429, expect.stringContaining("too many attempts")]);
    expect(locked.body).toContain('value="start-unlock"');
    const sent = await visitor.follow(visitor.submit(locked, { identifier: "lou", step: "start-unlock" }));
    const opened = await visitor.follow(visitor.submit(sent, { step: "give-code", code: await code("lou") }));
    expect(titleOf(opened)).toBe("Sign in");
    expect((await visitor.submit(opened, { password: PASSWORD })).location).toBe(`${strict.base}/account`);
  });
});

describe("a forgotten password", () => {
  it("is replaced after the second factor was given too", async () => {
    const secret = await withApp("flo");
    const visitor = site.visitor();
    const page = await visitor.open(`${site.base}/recover`);
    const sent = await visitor.follow(visitor.submit(page, { step: "start-recovery", identifier: "flo" }));
    const second = await visitor.follow(visitor.submit(sent, { step: "give-code", code: await code("flo") }));
    expect(titleOf(second)).toBe("Enter the code from your app");
    const last = await visitor.follow(visitor.submit(second, { step: "give-totp", code: shown(secret) }));
    expect(titleOf(last)).toBe("Choose a new password");
    const NEW = "a new and longer passphrase";
    const done = await visitor.submit(last, { password: NEW, passwordAgain: NEW });
    expect(done.location).toBe(`${site.base}/account`);
    const again = site.visitor();
    const form = await again.open(`${site.base}/sign-in`);
    expect((await again.submit(form, { identifier: "flo", password: PASSWORD })).status).toBe(401);
  });
});

describe("an invitation", () => {
  it("makes an account where sign-up is closed, with the address it was sent to", async () => {
    const closed = await aTenant(site.server, { signUp: "closed" });
    await createInvitation(site.deps, closed.admin, { email: "guest@example.com", send: true });
    const message = await mailbox.newest(site.deps, "guest@example.com");
    const link = /http\S+/.exec(message?.text ?? "")?.[0] ?? "";
    const visitor = closed.visitor();
    const page = await visitor.open(link);
    expect(titleOf(page)).toBe("You are invited");
    const short = await visitor.submit(page, { username: "guest", password: "short" });
    expect([short.status, alertOf(short)]).toEqual([400, expect.stringContaining("too short")]);
    const done = await visitor.follow(visitor.submit(page, { username: "guest", password: PASSWORD }));
    expect(done.body).toContain("guest@example.com");
    const used = await closed.visitor().get(link);
    expect([used.status, titleOf(used)]).toEqual([400, "This invitation no longer works"]);
  });

  it("lets a member join", async () => {
    await person("max");
    const { token } = await createInvitation(site.deps, site.admin, {});
    const visitor = await site.signedIn("max");
    const page = await visitor.open(`${site.base}/invitation?token=${token}`);
    const done = await visitor.follow(visitor.submit(page, {}));
    expect(done.body).toContain("You have joined.");
    expect((await visitor.submit(page, {})).status).toBe(400);
  });
});

describe("an administrator who acts as somebody", () => {
  it("is named on the pages, cannot change factors, and leaves as himself too when he signs out", async () => {
    const boss = await site.user("boss", { roles: ["administrator"] });
    const { id } = await person("una");
    const visitor = await site.signedIn("boss");
    const context = { ...site.admin, actor: { type: "user", id: boss.id } as const };
    const { url } = await allowImpersonation(site.deps, context, id, { reason: "Ticket <1>" });
    expect((await site.visitor().get(url)).body).toContain("You cannot act as somebody else with this link");
    const acting = await visitor.follow(visitor.submit(await visitor.open(url), {}));
    expect(acting.body).toContain("Ticket &lt;1&gt;");
    expect((await visitor.get(`${site.base}/account/security/totp`)).status).toBe(403);
    await visitor.submit(await visitor.open(`${site.base}/sign-out`), {});
    expect([...visitor.cookies.keys()].filter((name) => /_(own|session)_/.test(name))).toEqual([]);
    expect((await listSessionsOfUser(site.deps, site.admin, boss.id)).items).toEqual([]);
  });
});

describe("whatever is sent", () => {
  const BAD = ["", "x", "\u0000", "💥".repeat(5_000), '{"id":"a"}', "[]", '"', "123456"];
  const NAMES = [
    ...new Set(Object.values(STEPS).flatMap((steps) => Object.keys(steps))),
    "nothing",
    "__proto__",
    "constructor",
    "send-code sms",
    "start-recovery backup_email",
  ];

  it.each(NAMES)("is answered without an error of ours: %s", async (step) => {
    const visitor = site.visitor();
    const first = await visitor.open(`${site.base}/sign-in`);
    const sent = await pressed(visitor, "send-code email", `nobody-${step.length}${step[0]}`);
    for (const page of [first, sent])
      for (const value of BAD) {
        const fields = {
          identifier: value,
          code: value,
          passkey: value,
          secret: value,
          id: value,
          name: value,
        };
        const answer = await visitor.submit(page, { ...fields, step, uri: value, method: value });
        expect(answer.status, `${step} ${value.slice(0, 10)}`).toBeLessThan(500);
      }
  });
});
