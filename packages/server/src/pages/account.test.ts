import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listSessionsOfUser } from "../domain/sessions/index.ts";
import { suspendUser, updateUser } from "../domain/users/index.ts";
import { aSite, PASSWORD } from "./testing/site.ts";
import { alertOf, hiddenFields } from "./testing/visitor.ts";

let site: Awaited<ReturnType<typeof aSite>>;
let account: string;

beforeAll(async () => {
  site = await aSite({ lockout: { attempts: 20, seconds: 900 } });
  account = `${site.base}/account`;
});
afterAll(() => site[Symbol.asyncDispose]());

const sessionsOf = async (userId: string) =>
  (await listSessionsOfUser(site.deps, site.admin, userId)).items.length;

describe("the profile", () => {
  it("is shown as it is, and saved as it was filled in; emptied fields are cleared", async () => {
    await site.user("pat", { name: "Pat", profile: { birthdate: "1990", website: "https://pat.example" } });
    const visitor = await site.signedIn("pat");
    const page = await visitor.open(`${account}/profile`);
    expect(page.body).toMatch(/<input id="birthdate"[^>]*type="text"[^>]*value="1990"/);
    const done = await visitor.submit(page, {
      name: "Pat B",
      locality: "Berlin",
      website: "",
      birthdate: "1990",
    });
    expect(done.location).toBe(`${account}?notice=profile-saved`);
    expect((await visitor.open(done.location)).body).toContain("Your profile is saved.");
    const again = await visitor.open(`${account}/profile`);
    expect(again.body).toMatch(/id="name"[^>]*value="Pat B"/);
    expect(again.body).toMatch(/id="locality"[^>]*value="Berlin"/);
    expect(again.body).not.toContain("pat.example");
    expect(again.body).toMatch(/id="birthdate"[^>]*value="1990"/);
  });

  it("is shown again with every field that cannot be so, and with what was typed", async () => {
    await site.user("pia");
    const visitor = await site.signedIn("pia");
    const page = await visitor.open(`${account}/profile`);
    const again = await visitor.submit(page, {
      website: "javascript:alert(1)",
      birthdate: "soon",
      nickname: "P",
    });
    expect(again.status).toBe(400);
    expect(again.body).toMatch(/id="website"[^>]*aria-invalid="true"/);
    expect(again.body).toMatch(/id="birthdate"[^>]*aria-invalid="true"/);
    expect(again.body).toMatch(/id="nickname"[^>]*value="P"/);
  });

  it("cannot change an identifier or a status", async () => {
    const { id } = await site.user("pol");
    const visitor = await site.signedIn("pol");
    const page = await visitor.open(`${account}/profile`);
    await visitor.submit(page, { username: "root", status: "suspended", nickname: "Pol" });
    const user = await updateUser(site.deps, site.admin, id, {});
    expect([user.username, user.status, user.nickname]).toEqual(["pol", "active", "Pol"]);
  });
});

describe("the password", () => {
  const NEW = "a new and longer passphrase";

  it("is changed with the current one; this session stays and the others end", async () => {
    const { id } = await site.user("wyn");
    const [here, there] = [await site.signedIn("wyn"), await site.signedIn("wyn")];
    const page = await here.open(`${account}/password`);
    const fields = { currentPassword: PASSWORD, newPassword: NEW, newPasswordAgain: NEW };
    const done = await here.follow(here.submit(page, fields));
    expect(done.body).toContain("Your password is changed.");
    expect(await sessionsOf(id)).toBe(1);
    expect((await there.get(account)).location).toContain("/sign-in");
    const visitor = site.visitor();
    const form = await visitor.open(`${site.base}/sign-in`);
    expect((await visitor.submit(form, { identifier: "wyn", password: PASSWORD })).status).toBe(401);
    expect((await visitor.submit(form, { identifier: "wyn", password: NEW })).status).toBe(303);
  });

  it.each([
    ["a wrong current one", { currentPassword: "wrong" }, 401, "not your current password"],
    ["two that differ", { newPasswordAgain: "another" }, 400, "differ"],
    ["one that is too short", { newPassword: "short", newPasswordAgain: "short" }, 400, "too short"],
    ["nothing", { newPassword: "" }, 400, "New password"],
  ])("is not changed with %s", async (what, fields, status, words) => {
    const name = `wes${status}${what.length}`;
    await site.user(name);
    const visitor = await site.signedIn(name);
    const page = await visitor.open(`${account}/password`);
    const all = { currentPassword: PASSWORD, newPassword: NEW, newPasswordAgain: NEW, ...fields };
    const again = await visitor.submit(page, all);
    expect(again.status).toBe(status);
    expect(alertOf(again)).toContain(words);
    expect(again.body).not.toContain(NEW);
  });
});

describe("the sessions", () => {
  it("are listed, and ended one by one or all but this one", async () => {
    const { id } = await site.user("sam");
    const here = await site.signedIn("sam");
    for (let count = 0; count < 3; count++) await site.signedIn("sam");
    const page = await here.open(`${account}/sessions`);
    const [other = ""] = [...page.body.matchAll(/name="session" value="([0-9a-f]{24})"/g)].map(
      ([, one]) => one,
    );
    const one = await here.follow(here.submit(page, { session: other }));
    expect(one.body).toContain("That session has ended.");
    expect(await sessionsOf(id)).toBe(3);
    const repeated = await here.follow(here.submit(page, { session: other }));
    expect(repeated.status).toBe(200);
    const rest = await here.follow(here.submit(page, { others: "1" }));
    expect(rest.body).toContain("All your other sessions have ended.");
    expect(await sessionsOf(id)).toBe(1);
  });

  it("of somebody else stay as they are", async () => {
    const { id } = await site.user("sky");
    await site.signedIn("sky");
    const [theirs] = (await listSessionsOfUser(site.deps, site.admin, id)).items;
    await site.user("sly");
    const visitor = await site.signedIn("sly");
    const page = await visitor.open(`${account}/sessions`);
    await visitor.post(`${account}/sessions`, {
      csrf: hiddenFields(page).csrf ?? csrfOf(await visitor.open(`${account}/profile`)),
      session: theirs?.id,
    });
    expect(await sessionsOf(id)).toBe(1);
  });
});

function csrfOf(page: { body: string }): string {
  return /name="csrf" value="([^"]*)"/.exec(page.body)?.[1] ?? "";
}

describe("forms of the account", () => {
  it("are refused without their token, with another session's, and from elsewhere", async () => {
    await site.user("zoe");
    const [one, other] = [await site.signedIn("zoe"), await site.signedIn("zoe")];
    const page = await one.open(`${account}/profile`);
    expect((await one.submit(page, { nickname: "Z", csrf: undefined })).status).toBe(403);
    expect((await other.submit(page, { nickname: "Z" })).status).toBe(403);
    expect((await one.submit(page, { nickname: "Z" }, { "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await one.submit(page, { nickname: "Z" })).status).toBe(303);
  });

  it("lead to the sign-in when the session has ended, or the account is suspended", async () => {
    const { id } = await site.user("zed");
    const visitor = await site.signedIn("zed");
    const page = await visitor.open(`${account}/profile`);
    await suspendUser(site.deps, site.admin, id);
    const { location } = await visitor.submit(page, { nickname: "Z" });
    expect(location).toContain(`${site.base}/sign-in?flow=`);
  });
});

describe("signing out", () => {
  it("asks, ends the session, and can be repeated", async () => {
    const { id } = await site.user("oli");
    const visitor = await site.signedIn("oli");
    const page = await visitor.open(`${site.base}/sign-out`);
    expect(page.body).toContain("Sign out?");
    expect(await sessionsOf(id)).toBe(1);
    expect((await visitor.submit(page, { csrf: undefined })).status).toBe(403);
    const done = await visitor.follow(visitor.submit(page, {}));
    expect(done.body).toContain("You are signed out");
    expect(await sessionsOf(id)).toBe(0);
    const again = await visitor.follow(visitor.submit(page, {}));
    expect(again.body).toContain("You are signed out");
    expect((await visitor.get(account)).location).toContain("/sign-in");
  });

  it("goes back only to an address that the application has registered", async () => {
    const { id } = await site.application();
    await site.user("ole");
    const query = (uri: string) =>
      `?${new URLSearchParams({ client_id: id, post_logout_redirect_uri: uri, state: "s t" })}`;
    const leave = async (uri: string) => {
      const visitor = await site.signedIn("ole");
      const page = await visitor.open(`${site.base}/oauth/end-session${query(uri)}`);
      return page.status === 200 ? visitor.follow(visitor.submit(page, {})) : page;
    };
    expect((await leave("https://shop.example.com/bye")).location).toBe(
      "https://shop.example.com/bye?state=s+t",
    );
    expect((await leave("https://evil.example/bye")).status).toBe(400);
    const visitor = await site.signedIn("ole");
    const page = await visitor.open(`${site.base}/sign-out${query("https://evil.example/bye")}`);
    const done = await visitor.follow(visitor.submit(page, {}));
    expect([done.status, done.location]).toEqual([200, ""]);
    expect(done.body).not.toContain('href="https://evil.example');
  });
});
