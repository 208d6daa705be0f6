import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { answerTo, loginRequired, redirectToLogin } from "./answers.ts";
import type { BkRefused } from "./bk-auth.ts";
import { optionsFromEnvironment } from "./environment.ts";
import { AnonymousUser } from "./users.ts";

const LOGIN = {
  loginUrl: "https://login.example.com/login/",
  plainUrl: "https://login.example.com/login/plain/",
  successUrl: "https://app.example.com/login-success/",
  appCode: "my-app",
};
const PAGE = { currentUrl: "https://app.example.com/a/b?c=d&e=张", isScript: false };
const refused = (outcome: BkRefused["outcome"], reason?: BkRefused["reason"]): BkRefused => ({
  outcome,
  user: new AnonymousUser(),
  message: "why",
  reason,
  gateway: undefined,
});

describe("the answer", () => {
  it("to a page is a redirect whose slashes stay readable", () => {
    expect(redirectToLogin(LOGIN, PAGE.currentUrl).headers["location"]).toBe(
      "https://login.example.com/login/?c_url=https%3A//app.example.com/a/b%3Fc%3Dd%26e%3D%E5%BC%A0&app_code=my-app",
    );
  });

  it("to a script says where the pop-up is, or that there is none", () => {
    const answer = loginRequired(LOGIN);
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.body)).toEqual({
      login_url:
        "https://login.example.com/login/plain/?c_url=https%3A//app.example.com/login-success/&app_code=my-app",
      width: 460,
      height: 490,
      has_plain: true,
    });
    expect(JSON.parse(loginRequired(undefined).body)).toEqual({ has_plain: false });
  });

  test.each<[BkRefused, boolean, boolean, number | undefined]>([
    [refused("none"), false, false, undefined],
    [refused("none"), true, false, 302],
    [refused("none"), true, true, 401],
    [refused("invalid", "ticket"), true, false, 302],
    [refused("invalid", "ticket"), false, false, undefined],
    [refused("invalid", "jwt"), false, false, 401],
    [refused("invalid", "unknown_user"), true, false, 403],
    [refused("unavailable"), false, false, undefined],
    [refused("unavailable"), true, false, 503],
    [refused("misconfigured"), true, false, 502],
    [refused("denied"), false, false, 403],
  ])("to %o, required %s, script %s, has status %s", (outcome, required, isScript, status) => {
    const answer = answerTo(outcome, { ...PAGE, isScript }, { required, login: LOGIN });
    expect(answer?.status).toBe(status);
    if (answer !== undefined) expect(answer.headers["cache-control"]).toBe("no-store");
  });

  it("to a denied user is the one of bkpaas_auth", () => {
    const answer = answerTo(refused("denied"), PAGE, {});
    expect(JSON.parse(answer?.body ?? "")).toEqual({ code: 1_302_403, detail: "why" });
  });
});

describe("settings of a Django application", () => {
  it("are options, with their types", () => {
    expect(
      optionsFromEnvironment({
        BKAUTH_BACKEND_TYPE: "bk_ticket",
        BKAUTH_USER_COOKIE_VERIFY_URL: "https://login.example.com/",
        BKAUTH_TOKEN_APP_CODE: "a",
        BKAUTH_TOKEN_SECRET_KEY: "b",
        BKAUTH_SESSION_TIMEOUT: "60",
        BKAUTH_REQUESTS_VERIFY: "False",
        BKAUTH_USE_MOCKED_USER_INFO: "0",
        BKAUTH_MOCKED_USER_NAME: "dev",
        BKAUTH_DEFAULT_PROVIDER_TYPE: "BK",
        DEFAULT_ADMIN_SUPERUSERS: "ann, bob",
        PATH: "/bin",
      }),
    ).toEqual({
      backendType: "bk_ticket",
      verifyUrl: "https://login.example.com/",
      appCode: "a",
      appSecret: "b",
      sessionTimeout: 60,
      tls: { verify: false },
      defaultProvider: 3,
      superusers: ["ann", "bob"],
    });
    expect(optionsFromEnvironment({})).toEqual({ tls: { verify: true } });
  });

  it("may name files for TLS, as in Python", () => {
    const path = join(import.meta.dirname, "testing/localhost.pem");
    const pem = readFileSync(path, "utf8");
    expect(optionsFromEnvironment({ BKAUTH_REQUESTS_VERIFY: path, BKAUTH_REQUESTS_CERT: path }).tls).toEqual({
      verify: true,
      ca: pem,
      cert: pem,
      key: pem,
    });
    expect(optionsFromEnvironment({ BKAUTH_REQUESTS_CERT: [path, path] }).tls).toEqual({
      verify: true,
      cert: pem,
      key: pem,
    });
  });

  test.each([
    { BKAUTH_REQUESTS_VERIFY: "/nowhere/ca.pem" },
    { BKAUTH_REQUESTS_CERT: "/nowhere/client.pem" },
    { BKAUTH_SESSION_TIMEOUT: "soon" },
    { BKAUTH_ENABLE_MULTI_TENANT_MODE: "maybe" },
    { BKAUTH_DEFAULT_PROVIDER_TYPE: "toString" },
  ])("that cannot be read are refused: %o", (settings) => {
    expect(() => optionsFromEnvironment(settings)).toThrow(
      expect.objectContaining({ code: "configuration" }),
    );
  });
});
