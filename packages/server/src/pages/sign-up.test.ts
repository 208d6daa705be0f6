import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listSessionsOfUser } from "../domain/sessions/index.ts";
import { findUserByIdentifier } from "../domain/users/index.ts";
import { answerOf, aSite, aTenant, authorizeUrl, PASSWORD } from "./testing/site.ts";
import { alertOf, hiddenFields } from "./testing/visitor.ts";

let site: Awaited<ReturnType<typeof aSite>>;

beforeAll(async () => {
  site = await aSite({ signUp: "open" });
});
afterAll(() => site[Symbol.asyncDispose]());

describe("creating an account", () => {
  it("makes the account and signs it in", async () => {
    const visitor = site.visitor();
    const page = await visitor.open(`${site.base}/sign-up`);
    const done = await visitor.submit(page, {
      username: "new",
      email: "New@example.com",
      phone: "+34 600-000-000",
      nickname: "New One",
      password: PASSWORD,
    });
    expect(done.location).toBe(`${site.base}/account`);
    expect((await visitor.open(done.location)).body).toContain("New One");
    const user = await findUserByIdentifier(site.deps, site.tenant.id, "new@example.com");
    expect(user).toMatchObject({ username: "new", phone: "+34600000000", emailVerified: false });
  });

  it("goes on to the application that asked", async () => {
    const { id } = await site.application({ consent: "implicit" });
    const visitor = site.visitor();
    const signIn = await visitor.open(authorizeUrl(site.base, id));
    const link = /href="([^"]*\/sign-up[^"]*)"/.exec(signIn.body)?.[1] ?? "";
    const page = await visitor.open(link);
    const back = await visitor.follow(visitor.submit(page, { username: "shopper", password: PASSWORD }));
    expect(answerOf(back).get("code")).toBeTruthy();
  });

  it("ends the session that the browser had", async () => {
    const { id } = await site.user("before");
    const visitor = await site.signedIn("before");
    const page = await visitor.open(`${site.base}/sign-up`);
    await visitor.submit(page, { username: "after", password: PASSWORD });
    expect((await listSessionsOfUser(site.deps, site.admin, id)).items).toEqual([]);
  });

  it("says what cannot be so at its field, keeps what was typed, and makes nothing", async () => {
    await site.user("taken");
    const visitor = site.visitor();
    const page = await visitor.open(`${site.base}/sign-up`);
    const wrong = await visitor.submit(page, {
      username: "has space",
      email: "no address",
      password: PASSWORD,
    });
    expect(wrong.status).toBe(400);
    for (const name of ["username", "email"]) {
      expect(wrong.body).toMatch(new RegExp(`id="${name}"[^>]*aria-invalid="true"`));
    }
    const taken = await visitor.submit(page, { username: "TAKEN", nickname: "T", password: PASSWORD });
    expect([taken.status, alertOf(taken)]).toEqual([409, "This username is taken. Choose another one."]);
    expect(taken.body).toMatch(/id="nickname"[^>]*value="T"/);
    const short = await visitor.submit(page, { username: "brief", password: "short" });
    expect([short.status, alertOf(short)]).toEqual([
      400,
      "The password is too short. Use at least 8 characters.",
    ]);
    expect(await findUserByIdentifier(site.deps, site.tenant.id, "brief")).toBeNull();
    expect((await visitor.submit(page, { username: "", password: "" })).status).toBe(400);
  });

  it("of two at once with one name makes one", async () => {
    const visitors = [site.visitor(), site.visitor()];
    const pages = await Promise.all(visitors.map((visitor) => visitor.open(`${site.base}/sign-up`)));
    const answers = await Promise.all(
      visitors.map((visitor, index) => {
        const page = pages[index];
        if (!page) throw new Error("no page");
        return visitor.submit(page, { username: "twin", password: PASSWORD });
      }),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 409]);
  });

  it("is closed where the tenant says so, by form too", async () => {
    const closed = await aTenant(site.server);
    const visitor = closed.visitor();
    const page = await visitor.get(`${closed.base}/sign-up`);
    expect(page.status).toBe(403);
    expect(page.body).toContain("Accounts are by invitation");
    const form = await visitor.open(`${closed.base}/sign-in`);
    expect(form.body).not.toContain("/sign-up");
    const posted = await visitor.post(`${closed.base}/sign-up`, {
      ...hiddenFields(form),
      username: "intruder",
      password: PASSWORD,
    });
    expect(posted.status).toBe(403);
    expect(await findUserByIdentifier(site.deps, closed.tenant.id, "intruder")).toBeNull();
  });
});
