import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allowImpersonation, linkIdentity, listIdentities } from "../domain/sign-in/index.ts";
import { findUser } from "../domain/users/index.ts";
import { aSite, aTenant, PASSWORD } from "./testing/site.ts";
import { alertOf, type Visit, type Visitor } from "./testing/visitor.ts";

let site: Awaited<ReturnType<typeof aSite>>;
let account: string;

beforeAll(async () => {
  site = await aSite({ signIn: { changeUsername: true } });
  account = `${site.base}/account`;
});
afterAll(() => site[Symbol.asyncDispose]());

const titleOf = (page: Visit) => /<h1>([^<]*)/.exec(page.body)?.[1];
const linkedTo = async (userId: string) =>
  (await listIdentities(site.deps, site.admin, userId)).map(({ subject }) => subject);

describe("the username", () => {
  it("is changed by the person, with what was typed kept when it cannot be so", async () => {
    const { id } = await site.user("ann");
    await site.user("bob");
    const visitor = await site.signedIn("ann");
    expect((await visitor.open(`${account}/contact`)).body).toContain(`href="${account}/contact/username"`);
    const page = await visitor.open(`${account}/contact/username`);
    for (const [value, status, alert] of [
      ["BOB", 409, "This username is taken"],
      ["a <b>", 400, "cannot look like this"],
      ["x".repeat(129), 400, "cannot look like this"],
      [" ", 400, "Fill in"],
      ["ann", 400, "like that already"],
    ] as const) {
      const refused = await visitor.submit(page, { value });
      expect([refused.status, alertOf(refused)]).toEqual([status, expect.stringContaining(alert)]);
    }
    expect((await visitor.submit(page, { value: "BOB" })).body).toMatch(/id="value"[^>]*value="BOB"/);
    const done = await visitor.follow(visitor.submit(page, { value: " annie " }));
    expect(done.body).toContain("Your username is changed.");
    expect((await findUser(site.deps, site.tenant.id, id))?.username).toBe("annie");
    await site.signedIn("annie");
  });

  it("is changed only with the page's token, and after signing in again when that was a while ago", async () => {
    const { id } = await site.user("cat");
    const visitor = await site.signedIn("cat");
    const page = await visitor.open(`${account}/contact/username`);
    expect((await visitor.submit(page, { value: "kate", csrf: "x" })).status).toBe(403);
    site.server.clock.advance(601);
    const again = await visitor.follow(visitor.submit(page, { value: "kate" }));
    expect(titleOf(again)).toBe("Is it you?");
    const back = await visitor.follow(visitor.submit(again, { password: PASSWORD }));
    expect(titleOf(back)).toBe("Change username");
    expect((await findUser(site.deps, site.tenant.id, id))?.username).toBe("cat");
  });

  it("is fixed where the tenant does not say otherwise", async () => {
    const other = await aTenant(site.server);
    await other.user("dan");
    const visitor = await other.signedIn("dan");
    const contact = await visitor.open(`${other.base}/account/contact`);
    expect(contact.body).toContain("dan");
    expect(contact.body).not.toContain("/contact/username");
    const address = `${other.base}/account/contact/username`;
    expect((await visitor.get(address)).location).toBe(`${other.base}/account/contact`);
    const form = await visitor.open(`${other.base}/account/profile`);
    const csrf = /name="csrf" value="([^"]*)"/.exec(form.body)?.[1];
    const posted = await visitor.post(address, { csrf, value: "dandy" });
    expect(posted.location).toBe(`${other.base}/account/contact`);
    await other.signedIn("dan");
  });
});

describe("a change that waits for its code", () => {
  it("is on the page of addresses, goes on from there, and can be given up", async () => {
    const { id } = await site.user("kim", { email: "kim@example.com", emailVerified: true });
    const visitor = await site.signedIn("kim");
    const page = await visitor.open(`${account}/contact/change?kind=email`);
    const asked = await visitor.follow(visitor.submit(page, { value: "kimberly@example.com" }));
    expect(titleOf(asked)).toBe("Check your e-mail");
    const contact = await visitor.open(`${account}/contact`);
    expect(contact.body).toContain('To become <bdi class="name">kimberly@example.com</bdi>.');
    const [, goOn = ""] = /href="([^"]*confirm\?change=[^"]*)"/.exec(contact.body) ?? [];
    const again = await visitor.open(goOn);
    const done = await visitor.follow(visitor.submit(again, { step: "cancel" }));
    expect(done.body).toContain("The change was given up.");
    expect(done.body).not.toContain("kimberly");
    const late = await visitor.follow(visitor.submit(again, { step: "cancel" }));
    expect(late.body).toContain("That change is over");
    expect((await findUser(site.deps, site.tenant.id, id))?.email).toBe("kim@example.com");
  });

  it("is the page to which a sign-in leads back, when the session has ended meanwhile", async () => {
    await site.user("lea", { email: "lea@example.com", emailVerified: true });
    const visitor = await site.signedIn("lea");
    const page = await visitor.open(`${account}/contact/change?kind=email`);
    const { location } = await visitor.submit(page, { value: "leah@example.com" });
    const other = site.visitor();
    const signIn = await other.open(location);
    const back = await other.submit(signIn, { identifier: "lea", password: PASSWORD });
    expect(back.location).toBe(location);
    expect(titleOf(await other.open(back.location))).toBe("Check your e-mail");
  });
});

describe("linking two accounts", () => {
  /** Two accounts of one person, the first with a linked identity. */
  async function twoAccounts(name: string, kind = "open_id") {
    const [work, home] = [await site.user(`${name}-work`), await site.user(`${name}-home`)];
    const identity = { provider: "feishu", kind, subject: `ou_${name}` };
    await linkIdentity(site.deps, site.admin, work.id, identity);
    return {
      work: { id: work.id, visitor: await site.signedIn(`${name}-work`) },
      home: { id: home.id, visitor: await site.signedIn(`${name}-home`) },
    };
  }
  const codeOf = (page: Visit) => /<p class="key"><code>([^<]*)/.exec(page.body)?.[1] ?? "";
  const makeCode = async (visitor: Visitor) =>
    codeOf(await visitor.submit(await visitor.open(`${account}/security/move`), {}));
  const give = async (visitor: Visitor, code: string) =>
    visitor.follow(visitor.submit(await visitor.open(`${account}/security/link`), { code }));

  it("takes a code of the one to the other, once, however it was copied", async () => {
    const { work, home } = await twoAccounts("eve");
    const code = await makeCode(work.visitor);
    expect(code).toMatch(/^[\w-]{43}$/);
    const done = await give(home.visitor, ` ${code.slice(0, 20)}\n${code.slice(20)} `);
    expect(done.body).toContain("Linked. It signs you in to this account now.");
    expect([await linkedTo(work.id), await linkedTo(home.id)]).toEqual([[], ["ou_eve"]]);
    const again = await give(home.visitor, code);
    expect(alertOf(again)).toContain("was used before, or has expired");
    const empty = await work.visitor.open(`${account}/security/move`);
    expect(titleOf(empty)).toBe("Security");
    expect(empty.body).not.toContain("/security/move");
  });

  it("refuses what is no code, a code of the account itself, and one that is too old", async () => {
    const { work, home } = await twoAccounts("fay");
    expect(alertOf(await give(home.visitor, "  "))).toContain("Fill in");
    for (const code of ["x", "<b>", "é".repeat(43), "y".repeat(200)]) {
      expect(alertOf(await give(home.visitor, code))).toContain("This code is not right");
    }
    const code = await makeCode(work.visitor);
    expect(alertOf(await give(work.visitor, code))).toContain("This code is not right");
    site.server.clock.advance(601);
    const late = await site.signedIn("fay-home");
    expect(alertOf(await give(late, code))).toContain("has expired");
    expect(await linkedTo(work.id)).toEqual(["ou_fay"]);
  });

  it("changes nothing where both have one of a kind, or the other has none", async () => {
    const { work, home } = await twoAccounts("gus");
    const identity = { provider: "feishu", kind: "open_id", subject: "ou_gus_home" };
    await linkIdentity(site.deps, site.admin, home.id, identity);
    expect(alertOf(await give(home.visitor, await makeCode(work.visitor)))).toContain("the same service");
    expect(await linkedTo(home.id)).toEqual(["ou_gus_home"]);
    const { work: other, home: none } = await twoAccounts("hal");
    const page = await other.visitor.open(`${account}/security/move`);
    await give(none.visitor, codeOf(await other.visitor.submit(page, {})));
    const empty = await give(none.visitor, codeOf(await other.visitor.submit(page, {})));
    expect(empty.body).toContain("Nothing was changed.");
  });

  it("needs the forms' tokens, and a sign-in of a moment ago on both sides", async () => {
    const { work, home } = await twoAccounts("ida");
    const move = await work.visitor.open(`${account}/security/move`);
    const link = await home.visitor.open(`${account}/security/link`);
    const forged = await work.visitor.submit(move, { csrf: "x" });
    expect([forged.status, codeOf(forged)]).toEqual([403, ""]);
    const code = codeOf(await work.visitor.submit(move, {}));
    expect((await home.visitor.submit(link, { code, csrf: "x" })).status).toBe(403);
    site.server.clock.advance(601);
    for (const [visitor, page] of [
      [work.visitor, move],
      [home.visitor, link],
    ] as const) {
      expect(titleOf(await visitor.follow(visitor.submit(page, { code })))).toBe("Is it you?");
    }
  });

  it("is not for an administrator who acts as the person", async () => {
    const { work } = await twoAccounts("jay");
    const boss = await site.user("boss", { roles: ["administrator"] });
    const visitor = await site.signedIn("boss");
    const context = { ...site.admin, actor: { type: "user", id: boss.id } as const };
    const { url } = await allowImpersonation(site.deps, context, work.id, { reason: "Ticket 4711" });
    await visitor.follow(visitor.submit(await visitor.open(url), {}));
    for (const path of ["security/link", "security/move", "contact/username"]) {
      expect(titleOf(await visitor.open(`${account}/${path}`))).toBe("Not while you act as somebody else");
    }
  });
});
