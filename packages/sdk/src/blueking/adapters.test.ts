import { get, type IncomingMessage } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBkAuth } from "./bk-auth.ts";
import { aWorld, down, refusedTicket, reply, signedIn } from "./testing/fake-login.ts";
import { FRAMEWORKS, type RunningApplication } from "./testing/frameworks.ts";

/** A page opened in a browser: fetch always says that a script is asking. */
const navigate = (url: string) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { agent: false }, (response) => resolve(response.resume())).on("error", reject);
  });

const LOGIN = { loginUrl: "https://login.example.com/login/", appCode: "my-app" };

describe.each(FRAMEWORKS)("$name", ({ start, hasSession }) => {
  const { login, options, clock } = aWorld();
  let running: RunningApplication;

  beforeAll(async () => {
    running = await start(createBkAuth(options), { required: true, login: LOGIN });
  });
  afterAll(() => running.stop());

  const visit = (path: string, headers: Record<string, string> = {}) =>
    fetch(running.url + path, { headers, redirect: "manual" });
  const cookiesOf = (response: Response) =>
    response.headers
      .getSetCookie()
      .map((line) => line.split(";")[0])
      .join("; ");

  it("knows who is signed in, and asks the service once", async () => {
    login.answer = () => signedIn("admin");
    const before = login.requests.length;
    const first = await visit("/closed", { cookie: "bk_token=one" });
    expect([first.status, await first.json()]).toEqual([200, { outcome: "ok", user: "admin" }]);
    const cookie = `bk_token=one; ${cookiesOf(first)}`;
    expect(await (await visit("/open", { cookie })).json()).toEqual({ outcome: "ok", user: "admin" });
    expect(login.requests.length - before).toBe(1);
  });

  it("lets nobody in particular see the open route", async () => {
    expect(await (await visit("/open")).json()).toEqual({ outcome: "none", user: null });
  });

  it("sends a page to the login, and back to where it was", async () => {
    const response = await navigate(`${running.url}/closed?a=b%20c`);
    expect(response.statusCode).toBe(302);
    const host = new URL(running.url).host.replace(":", "%3A");
    expect(response.headers.location).toBe(
      `https://login.example.com/login/?c_url=http%3A//${host}/closed%3Fa%3Db%2520c&app_code=my-app`,
    );
  });

  it("tells a script that a login is needed", async () => {
    const response = await visit("/closed", { "x-requested-with": "XMLHttpRequest" });
    expect([response.status, await response.json()]).toEqual([401, { has_plain: false }]);
  });

  it("stops a user who may not use the application, on every route", async () => {
    login.answer = () => reply(200, { code: 1_302_403, message: "没有权限", data: {} });
    const response = await visit("/open", { cookie: "bk_token=denied" });
    expect([response.status, await response.json()]).toEqual([403, { code: 1_302_403, detail: "没有权限" }]);
    expect(response.headers.get("content-type")).toContain("application/json");
  });

  it("says 503 while the service is down, and shows open routes to nobody in particular", async () => {
    login.answer = down;
    const response = await visit("/closed", { cookie: "bk_token=down" });
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
    const open = await visit("/open", { cookie: "bk_token=down" });
    expect(await open.json()).toEqual({ outcome: "unavailable", user: null });
  });

  it.runIf(hasSession)("gives the session a new id at the login, and ends it with the cookie", async () => {
    login.answer = () => signedIn("admin");
    const before = cookiesOf(await visit("/open"));
    const atLogin = await visit("/open", { cookie: `${before}; bk_token=two` });
    const after = cookiesOf(atLogin);
    expect(after).not.toBe("");
    expect(after).not.toBe(before);

    login.answer = down;
    const kept = await visit("/open", { cookie: `${after}; bk_token=two` });
    expect(await kept.json()).toEqual({ outcome: "ok", user: "admin" });
    const gone = await visit("/open", { cookie: after });
    expect(await gone.json()).toEqual({ outcome: "none", user: null });
    const back = await visit("/open", { cookie: `${after}; bk_token=two` });
    expect(await back.json()).toMatchObject({ user: null });
  });

  it("refuses a ticket the service no longer takes, once the time-out is over", async () => {
    login.answer = () => signedIn("admin");
    const first = await visit("/open", { cookie: "bk_token=three" });
    const cookie = `bk_token=three; ${cookiesOf(first)}`;
    login.answer = () => refusedTicket();
    expect(await (await visit("/open", { cookie })).json()).toEqual({ outcome: "ok", user: "admin" });
    clock.advance(301);
    expect(await (await visit("/open", { cookie })).json()).toEqual({ outcome: "invalid", user: null });
  });
});
