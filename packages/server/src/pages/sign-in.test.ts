import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { suspendUser } from "../domain/users/index.ts";
import { answerOf, aSite, aTenant, authorizeUrl, CALLBACK, PASSWORD } from "./testing/site.ts";
import { alertOf, hiddenFields } from "./testing/visitor.ts";

let site: Awaited<ReturnType<typeof aSite>>;

beforeAll(async () => {
  site = await aSite({ signUp: "open", lockout: { attempts: 3, seconds: 900 } });
  await site.user("ann", { nickname: "Ann" });
});
afterAll(() => site[Symbol.asyncDispose]());

describe("signing in for the account", () => {
  it("leads through one form to the account", async () => {
    const visitor = site.visitor();
    const page = await visitor.open(`${site.base}/sign-in`);
    expect(page.status).toBe(200);
    const done = await visitor.submit(page, { identifier: "ann", password: PASSWORD });
    expect([done.status, done.location]).toEqual([303, `${site.base}/account`]);
    expect((await visitor.open(done.location)).body).toContain("Ann");
  });

  it("comes back to the page that was wanted", async () => {
    const visitor = site.visitor();
    const page = await visitor.open(`${site.base}/account/password`);
    const done = await visitor.submit(page, { identifier: "ann", password: PASSWORD });
    expect(done.location).toBe(`${site.base}/account/password`);
  });

  it("shows the page again after a wrong password, with what was typed but not the password", async () => {
    const visitor = site.visitor();
    const page = await visitor.open(`${site.base}/sign-in`);
    const again = await visitor.submit(page, { identifier: "nobody@example.com", password: "wrong guess" });
    expect(again.status).toBe(401);
    expect(alertOf(again)).toContain("That name or password is not right");
    expect(again.body).toContain('value="nobody@example.com"');
    expect(again.body).not.toContain("wrong guess");
  });

  it("says what is missing", async () => {
    const visitor = site.visitor();
    const page = await visitor.open(`${site.base}/sign-in`);
    const again = await visitor.submit(page, { identifier: " ", password: "" });
    expect(again.status).toBe(400);
    expect(alertOf(again)).toContain("Password");
  });

  it("asks for a new password where the old one must be changed, and keeps what was asked for", async () => {
    await site.user("fresh", { mustChangePassword: true });
    const visitor = site.visitor();
    const page = await visitor.open(`${site.base}/account/sessions`);
    const asked = await visitor.follow(
      await visitor.submit(page, { identifier: "fresh", password: PASSWORD }),
    );
    expect(asked.body).toContain("Choose a new password");
    expect((await visitor.open(`${site.base}/account`)).body).not.toContain("Sign out");
    const differ = await visitor.submit(asked, { password: "a new good one", passwordAgain: "another" });
    expect([differ.status, alertOf(differ)]).toEqual([400, expect.stringContaining("differ")]);
    const old = await visitor.submit(differ, { password: PASSWORD, passwordAgain: PASSWORD });
    expect(old.status).toBe(400);
    const done = await visitor.submit(old, { password: "a new good one", passwordAgain: "a new good one" });
    expect([done.status, done.location]).toEqual([303, `${site.base}/account/sessions`]);
    expect((await visitor.follow(done)).status).toBe(200);
  });

  it("says how long to wait when the account is locked", async () => {
    await site.user("lock");
    const visitor = site.visitor();
    const page = await visitor.open(`${site.base}/sign-in`);
    for (let guess = 0; guess < 3; guess++) {
      await visitor.submit(page, { identifier: "lock", password: `guess ${guess}` });
    }
    const refused = await visitor.submit(page, { identifier: "lock", password: PASSWORD });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect(alertOf(refused)).toContain("too many attempts");
  });

  it("refuses a suspended account, after the right password only", async () => {
    const { id } = await site.user("sue");
    await suspendUser(site.deps, site.admin, id);
    const visitor = site.visitor();
    const page = await visitor.open(`${site.base}/sign-in`);
    const guessed = await visitor.submit(page, { identifier: "sue", password: "wrong guess" });
    expect(guessed.status).toBe(401);
    const refused = await visitor.submit(page, { identifier: "sue", password: PASSWORD });
    expect(refused.status).toBe(403);
    expect(alertOf(refused)).toContain("suspended");
    expect(visitor.cookies.has(`ostiary_session_${site.tenant.slug}`)).toBe(false);
  });

  it("says who is signed in already, and lets go on or change the person", async () => {
    await site.user("bea");
    const visitor = await site.signedIn("ann");
    const page = await visitor.open(`${site.base}/sign-in`);
    expect(page.body).toContain("signed in already");
    const on = await visitor.submit(page, { decision: "continue" });
    expect(on.location).toBe(`${site.base}/account`);
    const form = await visitor.follow(visitor.submit(page, { decision: "switch" }));
    await visitor.follow(visitor.submit(form, { identifier: "bea", password: PASSWORD }));
    expect((await visitor.open(`${site.base}/account`)).body).toContain("bea");
  });

  it("keeps the cookie beyond the browser only for who has chosen so", async () => {
    await site.user("kim", { preferences: { keepLoggedIn: true } });
    const cookieOf = async (identifier: string) => {
      const visitor = site.visitor();
      const page = await visitor.open(`${site.base}/sign-in`);
      const done = await visitor.submit(page, { identifier, password: PASSWORD });
      return [done.headers["set-cookie"]].flat().find((cookie) => cookie?.includes("_session_"));
    };
    expect(await cookieOf("ann")).toMatch(/; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(await cookieOf("kim")).toMatch(/Max-Age=7776000; Path=\/; HttpOnly; SameSite=Lax$/);
  });
});

describe("one step after the other", () => {
  let first: Awaited<ReturnType<typeof aTenant>>;
  beforeAll(async () => {
    first = await aTenant(site.server, { signInForm: "identifier_first" });
    await first.user("ann");
    await first.user("bea");
  });

  it("asks who it is, then for the password, and tells nobody whether the name exists", async () => {
    const visitor = first.visitor();
    const page = await visitor.open(`${first.base}/sign-in`);
    expect(page.body).not.toContain('name="password"');
    const second = await visitor.follow(visitor.submit(page, { identifier: "nobody" }));
    expect(second.body).toContain('value="nobody"');
    expect(second.body).toContain('name="password"');
    expect((await visitor.submit(second, { password: PASSWORD })).status).toBe(401);
  });

  it("lets go back to be somebody else", async () => {
    const visitor = first.visitor();
    const page = await visitor.open(`${first.base}/sign-in`);
    const second = await visitor.follow(visitor.submit(page, { identifier: "bea" }));
    const other = /href="([^"]*change=1)"/.exec(second.body)?.[1]?.replaceAll("&amp;", "&") ?? "";
    const again = await visitor.open(other);
    expect(again.body).not.toContain('name="password"');
    const last = await visitor.follow(visitor.submit(again, { identifier: "ann" }));
    const done = await visitor.submit(last, { password: PASSWORD });
    expect((await visitor.open(done.location)).body).toContain("ann");
  });

  it("takes the first page again when it is sent from the browser's history", async () => {
    const visitor = first.visitor();
    const page = await visitor.open(`${first.base}/sign-in`);
    await visitor.follow(visitor.submit(page, { identifier: "bea" }));
    const last = await visitor.follow(visitor.submit(page, { identifier: "ann" }));
    expect(last.body).toContain('value="ann"');
    expect((await visitor.submit(last, { password: PASSWORD })).status).toBe(303);
  });

  it("does not take the identifier of the second form for another one", async () => {
    const visitor = first.visitor();
    const page = await visitor.open(`${first.base}/sign-in`);
    const second = await visitor.follow(visitor.submit(page, { identifier: "bea" }));
    const done = await visitor.submit(second, { identifier: "ann", password: PASSWORD });
    expect((await visitor.open(done.location)).body).toContain("bea");
  });
});

describe("signing in for an application", () => {
  it("asks for consent once, and brings the code back", async () => {
    const { id } = await site.application();
    const visitor = site.visitor();
    const page = await visitor.open(authorizeUrl(site.base, id));
    expect(page.body).toContain("Shop");
    expect(page.headers["content-security-policy"]).toContain("form-action 'self' https:;");
    const question = await visitor.follow(visitor.submit(page, { identifier: "ann", password: PASSWORD }));
    expect(question.body).toContain("asks for access");
    expect(question.body).toContain("shop.example.com");
    const back = await visitor.follow(visitor.submit(question, { decision: "allow" }));
    expect(answerOf(back).get("code")).toBeTruthy();
    expect(answerOf(back).get("state")).toBe("the state");
    const second = await visitor.open(authorizeUrl(site.base, id));
    expect(answerOf(second).get("code")).toBeTruthy();
  });

  it("brings a refusal back, and asks the next time again", async () => {
    const { id } = await site.application();
    const visitor = await site.signedIn("ann");
    const question = await visitor.open(authorizeUrl(site.base, id));
    const back = await visitor.follow(visitor.submit(question, { decision: "deny" }));
    expect(answerOf(back).get("error")).toBe("access_denied");
    expect((await visitor.open(authorizeUrl(site.base, id))).body).toContain("asks for access");
  });

  it("sends the answer by a form where the application wants it so", async () => {
    const { id } = await site.application({ consent: "implicit" });
    const visitor = await site.signedIn("ann");
    const page = await visitor.open(authorizeUrl(site.base, id, { response_mode: "form_post" }));
    expect(page.body).toContain(`action="${CALLBACK}"`);
    expect(page.headers["content-security-policy"]).toContain("form-action 'self' https:;");
  });

  it("shows our own page for a request that must not be answered to the application", async () => {
    const { id } = await site.application();
    const page = await site
      .visitor()
      .get(authorizeUrl(site.base, id, { redirect_uri: "https://evil.example" }));
    expect(page.status).toBe(400);
    expect(page.body).toContain("<h1>");
    expect(page.location).toBe("");
  });

  it("lets the browser go on to where the application may lead, which its own redirects decide", async () => {
    const { id } = await site.application({
      tokenEndpointAuthMethod: "none",
      redirectUris: [CALLBACK, "com.example.shop:/done", "http://[::1]:4/done"],
      homepage: "https://www.example.com/start",
      allowedReturnOrigins: ["https://app.example.com"],
    });
    const page = await site.visitor().open(authorizeUrl(site.base, id));
    expect(page.headers["content-security-policy"]).toContain(
      "form-action 'self' https: com.example.shop: http:;",
    );
  });

  it("refuses who may not use the application, without a session", async () => {
    const { id } = await site.application({ access: "assigned" });
    const visitor = site.visitor();
    const page = await visitor.open(authorizeUrl(site.base, id));
    const refused = await visitor.submit(page, { identifier: "ann", password: PASSWORD });
    expect(refused.status).toBe(403);
    expect(alertOf(refused)).toContain("may not use this application");
  });

  it("asks nobody for consent before the sign-in", async () => {
    const { id } = await site.application();
    const visitor = site.visitor();
    const page = await visitor.open(authorizeUrl(site.base, id));
    const { flow = "" } = hiddenFields(page);
    const early = await visitor.get(`${site.base}/consent?flow=${flow}`);
    expect(early.location).toContain("/sign-in");
    const posted = await visitor.post(`${site.base}/consent`, { ...hiddenFields(page), decision: "allow" });
    expect(posted.location).toContain("/sign-in");
  });
});

describe("repeats and races", () => {
  it("a form that is sent twice leads to the same place, once with a session", async () => {
    const { id } = await site.application({ consent: "implicit" });
    const visitor = site.visitor();
    const page = await visitor.open(authorizeUrl(site.base, id));
    const fields = { identifier: "ann", password: PASSWORD };
    const answers = await Promise.all([visitor.submit(page, fields), visitor.submit(page, fields)]);
    const cookies = answers.flatMap(({ headers }) => headers["set-cookie"] ?? []);
    const sessions = cookies.filter((cookie) => cookie.startsWith("ostiary_session"));
    expect(sessions).toHaveLength(1);
    const ends = await Promise.all(answers.map((answer) => visitor.follow(answer)));
    const codes = ends.filter(({ location }) => location.startsWith(CALLBACK) && location.includes("code="));
    expect(codes).toHaveLength(1);
    for (const end of ends) expect([200, 303, 404]).toContain(end.status);
  });

  it("a finished flow that is opened again says so, and where to go", async () => {
    const { id } = await site.application({ consent: "implicit" });
    const visitor = site.visitor();
    const page = await visitor.open(authorizeUrl(site.base, id));
    await visitor.follow(visitor.submit(page, { identifier: "ann", password: PASSWORD }));
    const { flow = "" } = hiddenFields(page);
    const again = await visitor.get(`${site.base}/sign-in?flow=${flow}`);
    expect(again.status).toBe(404);
    expect(again.body).toContain("This sign-in has expired");
    expect(again.body).toContain(`href="${site.base}/account"`);
    const resent = await visitor.submit(page, { identifier: "ann", password: PASSWORD });
    expect(resent.status).toBe(404);
  });

  it("an expired flow says so", async () => {
    const visitor = site.visitor();
    const page = await visitor.open(`${site.base}/sign-in`);
    site.server.clock.advance(3_601);
    const late = await visitor.submit(page, { identifier: "ann", password: PASSWORD });
    expect(late.status).toBe(404);
    expect(late.body).toContain("This sign-in has expired");
  });
});
