import { createPublicKey, verify } from "node:crypto";
import type { InjectOptions, LightMyRequestResponse } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assignUser, createApplication, updateApplication } from "../../domain/applications/index.ts";
import { createSession, findSessionByCookie, revokeSession } from "../../domain/sessions/index.ts";
import { createTenant, updateSettings } from "../../domain/tenants/index.ts";
import { issueTicket } from "../../domain/tickets/index.ts";
import { rotateDialectKeys } from "../../domain/tokens/index.ts";
import { activateUser, createUser, suspendUser } from "../../domain/users/index.ts";
import { aServer, type TestServer } from "../../testing/a-server.ts";
import { signInForTest } from "../../testing/api-client.ts";
import { contextOf } from "../../testing/test-deps.ts";

const RULES = { slot: "blueking", seconds: 86_400, idleSeconds: 7_200, atMost: null };

let server: TestServer;
let secret: string;
let shopId: string;
let userId: string;
let ticket: string;
let browser: string;

beforeAll(async () => {
  server = await aServer();
  const { deps, tenantId } = server;
  const context = contextOf(tenantId);
  const user = await createUser(deps, context, {
    username: "admin",
    email: "admin@example.com",
    phone: "13800000000",
    nickname: "Boss",
    name: "张三",
    profile: { zoneinfo: "Europe/Berlin", locale: "en" },
  });
  userId = user.id;
  const created = await createApplication(deps, context, {
    slug: "shop",
    name: "Shop",
    grantTypes: ["authorization_code", "refresh_token"],
    redirectUris: ["https://shop.example/callback"],
    allowedReturnOrigins: ["https://shop.example"],
  });
  secret = String(created.secret);
  shopId = created.application.id;
  const signedIn = await signInForTest(server, userId, ["openid"]);
  browser = signedIn.cookie;
  ticket = await aTicket();
});
afterAll(() => server?.[Symbol.asyncDispose]());

async function aTicket(cookie = browser): Promise<string> {
  const { deps, tenantId } = server;
  const session = await findSessionByCookie(deps, tenantId, cookie);
  if (!session) throw new Error("nobody is signed in");
  return (await issueTicket(deps, contextOf(tenantId), session, RULES)).ticket;
}

function get(path: string, headers: InjectOptions["headers"] = {}): Promise<LightMyRequestResponse> {
  return server.app.inject({ method: "GET", url: `/blueking${path}`, headers });
}

function post(path: string, body: object, headers: InjectOptions["headers"] = {}) {
  return server.app.inject({
    method: "POST",
    url: `/blueking${path}`,
    headers: { "content-type": "application/json", ...headers },
    payload: JSON.stringify(body),
  });
}

const authorization = (more: object = {}, overrides: object = {}) => ({
  "x-bkapi-authorization": JSON.stringify({
    ...more,
    bk_app_code: "shop",
    bk_app_secret: secret,
    ...overrides,
  }),
});

const IS_LOGIN = "/login/api/v3/is_login/";

describe("is_login", () => {
  it("says who has a ticket, in all its versions, with and without slash", async () => {
    for (const slash of ["", "/"]) {
      expect((await get(`/login/api/v3/is_login${slash}?bk_token=${ticket}`)).json()).toEqual({
        result: true,
        code: 0,
        message: "",
        data: { bk_username: "admin" },
      });
      expect((await get(`/login/api/v2/is_login${slash}?bk_token=${ticket}`)).json()).toEqual({
        result: true,
        bk_error_code: 0,
        bk_error_msg: "",
        data: { bk_username: "admin" },
      });
      expect((await get(`/login/accounts/is_login${slash}?bk_token=${ticket}`)).json()).toEqual({
        result: true,
        code: "00",
        message: "",
        data: { username: "admin" },
      });
      expect((await get(`/user/is_login${slash}?bk_ticket=${ticket}`)).json()).toEqual({
        ret: 0,
        msg: "",
        data: { username: "admin" },
      });
    }
  });

  it("takes the ticket in a body too, which no log on the way keeps", async () => {
    expect((await post(IS_LOGIN, { bk_token: ticket })).json().code).toBe(0);
    expect((await post("/user/is_login", { bk_ticket: ticket })).json().ret).toBe(0);
    expect((await post(IS_LOGIN, { bk_token: 5 })).json().code).toBe(1302100);
    expect((await post(IS_LOGIN, [])).json().code).toBe(1302100);
  });

  it("takes a ticket that was percent-encoded once more", async () => {
    const encoded = encodeURIComponent(ticket.replaceAll("-", "%2D"));
    expect((await get(`${IS_LOGIN}?bk_token=${encoded}`)).json().code).toBe(0);
  });

  it.each([
    ["unknown", `${"a".repeat(24)}-${"b".repeat(43)}`],
    ["malformed", "x"],
    ["badly encoded", "%25E0%25A4%25A"],
    ["empty", ""],
    ["there twice", "a&bk_token=b"],
    ["the browser's own session cookie", "BROWSER"],
  ])("refuses a ticket that is %s", async (_what, text) => {
    const wrong = text === "BROWSER" ? browser.replace(".", "-") : text;
    const v3 = await get(`${IS_LOGIN}?bk_token=${wrong}`);
    expect(v3.statusCode).toBe(200);
    expect(v3.json()).toMatchObject({ result: false, code: 1302100, data: {} });
    expect((await get(`/login/api/v2/is_login/?bk_token=${wrong}`)).json()).toMatchObject({
      result: false,
      bk_error_code: 1302100,
    });
    expect((await get(`/login/accounts/is_login/?bk_token=${wrong}`)).json()).toMatchObject({ code: "1200" });
    expect((await get(`/user/is_login/?bk_ticket=${wrong}`)).json()).toMatchObject({ ret: 1302100 });
  });

  it("answers in the language of the header", async () => {
    const say = async (language: string) =>
      (await get(`${IS_LOGIN}?bk_token=x`, { "blueking-language": language })).json().message;
    expect(await say("zh-hans")).toBe("登录态已失效，请重新登录。");
    expect(await say("en-us")).toBe("The sign-in has expired or is not valid. Sign in again.");
  });

  it("checks an application's credentials when they are shown", async () => {
    const path = `${IS_LOGIN}?bk_token=${ticket}`;
    expect((await get(path, authorization({ bk_token: ticket }))).json().code).toBe(0);
    for (const wrong of [{ bk_app_secret: "wrong" }, { bk_app_code: "unknown" }]) {
      const answer = await get(path, authorization({}, wrong));
      expect(answer.json()).toMatchObject({ result: false, code: 1640101, data: {} });
    }
    expect((await get(path, { "x-bkapi-authorization": "no json" })).json().code).toBe(1640101);
    expect((await get(path, authorization({}, { bk_app_code: shopId }))).json().code).toBe(0);
  });

  it("refuses who may not use the application, proven or only named", async () => {
    const { deps, tenantId } = server;
    await updateApplication(deps, contextOf(tenantId), shopId, { access: "assigned" });
    const path = `${IS_LOGIN}?bk_token=${ticket}`;
    expect((await get(path, authorization())).json()).toMatchObject({ result: false, code: 1302403 });
    expect((await get(`${path}&app_code=shop`)).json().code).toBe(1302403);
    expect((await get(`${path}&app_code=unknown`)).json().code).toBe(1640101);
    expect((await get(path)).json().code).toBe(0);
    const userInfo = await get(
      `/prod/login/api/v3/open/bk-tokens/userinfo/?bk_token=${ticket}`,
      authorization(),
    );
    expect(userInfo.statusCode).toBe(403);
    await assignUser(deps, contextOf(tenantId), shopId, userId);
    expect((await get(path, authorization())).json().code).toBe(0);
    await updateApplication(deps, contextOf(tenantId), shopId, { access: "everyone" });
  });

  it("wants an application's credentials where the tenant says so", async () => {
    const { deps, tenantId } = server;
    await updateSettings(deps, contextOf(tenantId), { blueking: { requireAppCredentials: true } });
    const path = `${IS_LOGIN}?bk_token=${ticket}`;
    expect((await get(path)).json().code).toBe(1640101);
    expect((await get(`${path}&app_code=shop`)).json().code).toBe(1640101);
    expect((await get(path, authorization())).json().code).toBe(0);
    await updateSettings(deps, contextOf(tenantId), { blueking: { requireAppCredentials: false } });
  });

  it("ends with the sign-in, the account and the clock", async () => {
    const { deps, tenantId, clock } = server;
    const context = contextOf(tenantId);
    const code = async (text: string) => (await get(`${IS_LOGIN}?bk_token=${text}`)).json().code;
    const own = await signInForTest(server, userId, ["openid"]);
    const [one, two] = [await aTicket(own.cookie), await aTicket(own.cookie)];
    expect(await code(one)).toBe(0);
    await suspendUser(deps, context, userId);
    expect(await code(one)).toBe(1302100);
    await activateUser(deps, context, userId);
    const again = await signInForTest(server, userId, ["openid"]);
    browser = again.cookie;
    ticket = await aTicket();
    expect(await code(ticket)).toBe(0);
    clock.advance(7_000);
    expect(await code(ticket)).toBe(0);
    clock.advance(7_000);
    expect(await code(ticket)).toBe(0);
    clock.advance(7_300);
    expect(await code(ticket)).toBe(1302100);
    ticket = await aTicket();
    const hours = Array.from({ length: 23 }, () => 3_600);
    for (const seconds of hours) {
      clock.advance(seconds);
      expect(await code(ticket)).toBe(0);
    }
    clock.advance(3_600);
    expect(await code(ticket)).toBe(1302100);
    ticket = await aTicket();
    expect(await code(two)).toBe(1302100);
  });
});

describe("where a second factor is demanded", () => {
  it("a sign-in without one gets no ticket, and the tickets it had are no good for that application", async () => {
    const { deps, tenantId } = server;
    const context = contextOf(tenantId);
    const vault = await createApplication(deps, context, {
      slug: "vault",
      name: "Vault",
      allowedReturnOrigins: ["https://vault.example"],
      settings: { secondFactor: "always" },
    });
    const cookie = { cookie: `ostiary_session=${browser}` };
    const enter = (code: string, headers: InjectOptions["headers"]) =>
      get(`/login/?app_code=${code}&c_url=https%3A%2F%2F${code}.example%2F`, headers);
    expect((await enter("shop", cookie)).headers.location).toBe("https://shop.example/");
    const refused = await enter("vault", cookie);
    expect(refused.headers.location).toMatch(/^\/sign-in\?flow=/);
    expect(String(refused.headers["set-cookie"])).not.toContain("bk_token");
    const asks = { bk_token: ticket, bk_app_code: "vault", bk_app_secret: String(vault.secret) };
    expect((await get(`${IS_LOGIN}?${new URLSearchParams(asks)}`)).json().result).toBe(false);
    expect((await get(`${IS_LOGIN}?bk_token=${ticket}&app_code=vault`)).json().result).toBe(false);
    const two = await createSession(deps, context, { userId, amr: ["pwd", "otp", "mfa"] });
    const strong = { cookie: `ostiary_session=${two.cookie}` };
    expect((await enter("vault", strong)).headers.location).toBe("https://vault.example/");
    const good = await aTicket(two.cookie);
    expect((await get(`${IS_LOGIN}?bk_token=${good}&app_code=vault`)).json().result).toBe(true);
  });
});

describe("where an application asks for more than others", () => {
  const isLogin = async (text: string, code: string) =>
    (await get(`${IS_LOGIN}?bk_token=${text}&app_code=${code}`)).json().result as boolean;
  const ticketIn = ({ cookies }: LightMyRequestResponse) =>
    cookies.find(({ name }) => name === "bk_token")?.value ?? "";

  it("a ticket from elsewhere is refused, and its own login page gives one that is not", async () => {
    const { deps, tenantId, clock } = server;
    const context = contextOf(tenantId);
    await updateSettings(deps, context, { signIn: { secondFactor: "never" } });
    const { secret: own } = await createApplication(deps, context, {
      slug: "strict",
      name: "Strict",
      allowedReturnOrigins: ["https://strict.example"],
      settings: { secondFactor: "enrolled" },
    });
    const cookie = `ostiary_session=${(await signInForTest(server, userId, ["openid"])).cookie}`;
    const enter = (code: string, more = "") =>
      get(`/login/?app_code=${code}&c_url=https://${code}.example/`, { cookie: cookie + more });
    const mild = ticketIn(await enter("shop"));
    expect([await isLogin(mild, "shop"), await isLogin(mild, "strict")]).toEqual([true, false]);
    const credentials = { bk_app_code: "strict", bk_app_secret: own };
    const jwt = (text: string) =>
      post("/prod/api/v2/open/gateways/demo/jwt/", {}, authorization({ bk_token: text }, credentials));
    expect((await jwt(mild)).statusCode).toBe(400);
    // Nobody has set up a second factor, so the sign-in is good enough: but that is for the login page to find.
    const entered = await enter("strict", `; bk_token=${mild}`);
    expect(entered.headers.location).toBe("https://strict.example/");
    const good = ticketIn(entered);
    expect([await isLogin(good, "shop"), await isLogin(good, "strict")]).toEqual([true, true]);
    expect((await jwt(good)).statusCode).toBe(200);
    expect(ticketIn(await enter("shop", `; bk_token=${good}`))).toBe("");

    await createApplication(deps, context, {
      slug: "brief",
      name: "Brief",
      allowedReturnOrigins: ["https://brief.example"],
      settings: { sessionAbsoluteSeconds: 600 },
    });
    expect(await isLogin(good, "brief")).toBe(true);
    clock.advance(601);
    expect([await isLogin(good, "shop"), await isLogin(good, "brief")]).toEqual([true, false]);
    expect((await enter("brief", `; bk_token=${good}`)).headers.location).toMatch(/^\/sign-in\?flow=/);
    await updateSettings(deps, context, { signIn: { secondFactor: "enrolled" } });
  });
});

describe("user information", () => {
  it("comes by ticket in three versions", async () => {
    const fields = {
      language: "en",
      time_zone: "Europe/Berlin",
      chname: "张三",
      display_name: "Boss",
      qq: "",
      phone: "13800000000",
      email: "admin@example.com",
      wx_userid: "",
    };
    const v1 = (await get(`/login/accounts/get_user/?bk_token=${ticket}`)).json();
    expect(v1).toEqual({
      result: true,
      code: "00",
      message: "",
      data: { username: "admin", role: "0", ...fields },
    });
    const v2 = (await get(`/login/api/v2/get_user/?bk_token=${ticket}`)).json();
    expect(v2.data).toEqual({ bk_username: "admin", bk_role: 0, ...fields });
    const v3 = (await get(`/login/api/v3/get_user/?bk_token=${ticket}`)).json();
    expect(v3).toMatchObject({ code: 0, data: { username: "admin", role: "0" } });
    expect((await get("/login/api/v3/get_user/?bk_token=x")).json().code).toBe(1302100);
  });

  it("comes from the gateway in the tenant edition's words", async () => {
    for (const prefix of ["", "/bk-login", "/api/bk-login"]) {
      const answer = await get(`${prefix}/prod/login/api/v3/open/bk-tokens/userinfo/?bk_token=${ticket}`, {
        ...authorization(),
        "x-bk-tenant-id": "default",
      });
      expect(answer.statusCode).toBe(200);
      expect(answer.json()).toEqual({
        data: {
          bk_username: "admin",
          tenant_id: "default",
          login_name: "admin",
          display_name: "Boss",
          language: "en",
          time_zone: "Europe/Berlin",
        },
      });
    }
    const verified = await get(
      `/prod/login/api/v3/open/bk-tokens/verify?bk_token=${ticket}`,
      authorization(),
    );
    expect(verified.json()).toEqual({ data: { bk_username: "admin", tenant_id: "default" } });
  });

  it.each([
    ["a bad ticket", 400, "VALIDATION_ERROR", 1640001, () => authorization(), "x"],
    [
      "a wrong secret",
      401,
      "UNAUTHENTICATED",
      1640101,
      () => authorization({}, { bk_app_secret: "no" }),
      "T",
    ],
    ["no credentials", 401, "UNAUTHENTICATED", 1640101, () => ({}), "T"],
  ])("refuses %s from the gateway in both forms", async (_what, status, name, code, headers, text) => {
    const path = `/prod/login/api/v3/open/bk-tokens/userinfo/?bk_token=${text === "T" ? ticket : text}`;
    const answer = await get(path, headers());
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toMatchObject({
      error: { code: name, message: expect.stringMatching(/./), system: "bk-login", details: [], data: {} },
      code,
      result: false,
      data: null,
    });
    expect(answer.headers["x-bkapi-error-code"]).toBe(String(code));
  });

  it("refuses an application that proves to be another tenant's, and tells nobody else of it", async () => {
    const { deps, tenantId } = server;
    await createTenant(deps, contextOf(tenantId), { slug: "elsewhere", name: "Elsewhere" });
    const path = `/prod/login/api/v3/open/bk-tokens/userinfo/?bk_token=${ticket}`;
    const jwt = "/prod/api/v2/open/gateways/abroad/jwt/";
    const inOther = (headers: NonNullable<InjectOptions["headers"]>) =>
      server.app.inject({ method: "GET", url: `/t/elsewhere/blueking${path}`, headers });
    const home = (slug: string) => ({ "x-bk-tenant-id": slug });
    const refused = await inOther({ ...authorization(), ...home("default") });
    expect(refused.statusCode).toBe(403);
    expect(refused.headers).toMatchObject({
      "x-bkapi-error-code": "1640302",
      "x-bkapi-error-message": "CROSS_TENANT_FORBIDDEN",
    });
    expect(refused.json()).toMatchObject({ code: 1640302, result: false, error: { system: "bk-login" } });
    for (const headers of [
      authorization(),
      { ...authorization({}, { bk_app_secret: "no" }), ...home("default") },
      { ...authorization(), ...home("none") },
      { ...authorization(), ...home("elsewhere") },
      { ...authorization(), ...home("'\u00ff".repeat(90)) },
      home("default"),
    ]) {
      expect((await inOther(headers)).statusCode, JSON.stringify(headers)).toBe(401);
    }
    // At home the header of call B is the same for everybody; elsewhere it says what it says.
    expect((await get(path, { ...authorization(), ...home("anything") })).statusCode).toBe(200);
    const key = "/prod/api/v2/sync/gateways/demo/public_key/";
    for (const [slug, status] of [
      ["default", 200],
      ["", 200],
      ["elsewhere", 403],
      ["anything", 403],
    ] as const) {
      const headers = { ...authorization({ bk_token: ticket }), ...home(slug) };
      expect((await post(jwt, {}, headers)).statusCode).toBe(status);
      // The key is public, and apigw-manager's manual wants `system` for applications of all tenants.
      expect((await get(key, headers)).statusCode).toBe(200);
    }
  });

  it("comes by name for applications, in the header or the query", async () => {
    const path = "/api/c/compapi/v2/bk_login/get_user/?bk_username=admin";
    for (const answer of [
      await get(path, authorization({ bk_username: "admin" })),
      await get(`${path}&bk_app_code=shop&bk_app_secret=${secret}`),
      await get(path.replace("bk_username", "login_name"), authorization()),
    ]) {
      expect(answer.json()).toMatchObject({
        result: true,
        code: 0,
        data: {
          bk_username: "admin",
          chname: "张三",
          email: "admin@example.com",
          phone: "13800000000",
          LoginName: "admin",
          ChineseName: "张三",
          MobilePhoneNumber: "13800000000",
        },
      });
      expect(answer.json().data).not.toHaveProperty("username");
    }
    expect((await get(path)).json()).toMatchObject({ result: false, code: 1640101 });
    expect((await get(path, authorization({}, { bk_app_secret: "no" }))).json().code).toBe(1640101);
    expect((await get(path.replace("admin", "nobody"), authorization())).json()).toMatchObject({
      result: false,
      code: 1302100,
    });
  });

  it("names a user without username by the id", async () => {
    const { deps, tenantId } = server;
    const { id } = await createUser(deps, contextOf(tenantId), { email: "no-name@example.com" });
    const { cookie } = await signInForTest(server, id, ["openid"]);
    const own = await aTicket(cookie);
    expect((await get(`${IS_LOGIN}?bk_token=${own}`)).json().data.bk_username).toBe(id);
    const path = `/api/c/compapi/v2/bk_login/get_user/?bk_username=${id}`;
    expect((await get(path, authorization())).json().data.email).toBe("no-name@example.com");
  });
});

describe("what programs call", () => {
  it("never gets a cookie, a redirect, a server error or a number 0 with an error", async () => {
    const paths = [
      IS_LOGIN,
      "/login/api/v2/is_login/",
      "/login/accounts/is_login/",
      "/user/is_login/",
      "/login/api/v3/get_user/",
      "/api/c/compapi/v2/bk_login/get_user/",
      "/prod/login/api/v3/open/bk-tokens/userinfo/",
      "/prod/login/api/v3/open/bk-tokens/verify/",
      "/prod/api/v2/sync/gateways/x/public_key/",
      "/nothing/here/",
    ];
    const queries = ["", "?bk_token=%00", "?bk_token[]=a", `?bk_token=${"a".repeat(9_000)}`, "?bk_token=%ff"];
    const headers = [
      {},
      { "x-bkapi-authorization": "[]" },
      { "x-bkapi-authorization": '{"bk_app_code":{}}' },
    ];
    for (const path of paths.flatMap((one) => [one, one.slice(0, -1)])) {
      for (const query of queries) {
        for (const header of headers) {
          const answer = await get(path + query, { ...header, cookie: "bk_token=x; ostiary_session=y" });
          expect(answer.statusCode, path + query).not.toBe(500);
          expect(Math.floor(answer.statusCode / 100), path).not.toBe(3);
          expect(answer.headers["set-cookie"]).toBeUndefined();
          if (answer.statusCode !== 200) expect([0, "0", "00"]).not.toContain(answer.json().code);
        }
      }
    }
  });
});

describe("gateway tokens", () => {
  const JWT = "/prod/api/v2/open/gateways/demo/jwt/";
  const parse = (jwt: string) =>
    jwt
      .split(".")
      .slice(0, 2)
      .map((part) => JSON.parse(Buffer.from(part, "base64url").toString()));

  it("are signed with the key that is given out, and have the gateway's form", async () => {
    const { jwt, expires_in } = (await post(JWT, {}, authorization({ bk_token: ticket }))).json().data;
    expect(expires_in).toBe(1_500);
    const now = Math.floor(server.deps.clock.now().getTime() / 1_000);
    const [header, claims] = parse(jwt);
    expect(header).toEqual({ alg: "RS512", typ: "JWT", kid: "demo", iat: expect.any(Number) });
    expect(claims).toEqual({
      iss: "APIGW",
      proof: { session: ticket.slice(0, 24) },
      nbf: expect.any(Number),
      exp: expect.any(Number),
      app: {
        version: 1,
        app_code: "shop",
        verified: true,
        valid_error_message: "",
        tenant_mode: "single",
        tenant_id: "default",
      },
      user: {
        version: 1,
        username: "admin",
        verified: true,
        valid_error_message: "",
        tenant_id: "default",
      },
    });
    expect(Math.abs(claims.nbf - (now - 300))).toBeLessThanOrEqual(1);
    expect(claims.exp - claims.nbf).toBe(1_800);
    for (const path of [
      "/prod/api/v2/sync/gateways/demo/public_key/",
      "/bk-apigateway/prod/api/v2/sync/gateways/demo/public_key/",
      "/api/bk-apigateway/prod/api/v1/apis/demo/public_key/",
      "/prod/api/v2/open/gateways/demo/public_key",
    ]) {
      const { data } = (await get(path)).json();
      const end = jwt.lastIndexOf(".");
      const key = createPublicKey(data.public_key);
      expect(
        verify("sha512", Buffer.from(jwt.slice(0, end)), key, Buffer.from(jwt.slice(end + 1), "base64url")),
      ).toBe(true);
    }
  });

  it("are given out again for ten minutes, to the same application for the same user", async () => {
    const ask = async (more: object) => (await post(JWT, more, authorization())).json().data.jwt as string;
    const first = await ask({ bk_token: ticket });
    server.clock.advance(590);
    expect(await ask({ bk_token: ticket })).toBe(first);
    expect(await ask({ bk_username: "admin" })).not.toBe(first);
    server.clock.advance(20);
    expect(await ask({ bk_token: ticket })).not.toBe(first);
  });

  it("say that a user who was only named is not verified", async () => {
    const { jwt } = (await post(JWT, {}, authorization({ bk_username: "admin" }))).json().data;
    const [, claims] = parse(jwt);
    expect(claims.user).toMatchObject({ username: "admin", verified: false });
    expect(claims.app.verified).toBe(true);
  });

  it("are refused to a wrong secret, for a bad ticket, and for another application's access token", async () => {
    const wrong = await post(JWT, { bk_token: ticket }, authorization({}, { bk_app_secret: "no" }));
    expect(wrong.statusCode).toBe(401);
    expect((await post(JWT, {}, authorization({ bk_token: "x" }))).statusCode).toBe(400);
    const { authorization: bearer } = await signInForTest(server, userId, ["openid"]);
    const token = bearer.replace("Bearer ", "");
    expect((await post(JWT, {}, authorization({ access_token: token }))).statusCode).toBe(400);
  });

  it("are verified for the application they name and for the gateway's own, and nobody else", async () => {
    const { deps, tenantId } = server;
    const context = contextOf(tenantId);
    const { jwt } = (await post(JWT, {}, authorization({ bk_token: ticket }))).json().data;
    const make = async (slug: string) => {
      const { secret: own } = await createApplication(deps, context, { slug, name: slug });
      return authorization({}, { bk_app_code: slug, bk_app_secret: own });
    };
    const verifyUrl = `${JWT}verify/`;
    expect((await post(verifyUrl, { jwt }, authorization())).json()).toMatchObject({
      data: { app: { app_code: "shop" }, user: { username: "admin", verified: true } },
    });
    expect((await post(verifyUrl, { jwt }, await make("demo"))).statusCode).toBe(200);
    expect((await post(verifyUrl, { jwt }, await make("stranger"))).statusCode).toBe(403);
    const tampered = `${jwt.slice(0, -6)}AAAAAA`;
    expect((await post(verifyUrl, { jwt: tampered }, authorization())).statusCode).toBe(400);
    const elsewhere = JWT.replace("demo", "other");
    expect((await post(`${elsewhere}verify`, { jwt }, authorization())).statusCode).toBe(400);
    expect((await post(verifyUrl, { jwt: 5 }, authorization())).statusCode).toBe(400);
    server.clock.advance(1_501);
    expect((await post(verifyUrl, { jwt }, authorization())).statusCode).toBe(400);
  });

  it("are no good once the person has signed out, or the access token was revoked", async () => {
    const { deps, tenantId } = server;
    const ask = async (more: object) => (await post(JWT, {}, authorization(more))).json().data.jwt as string;
    const check = async (jwt: string) => (await post(`${JWT}verify/`, { jwt }, authorization())).statusCode;
    const { session, cookie } = await createSession(deps, contextOf(tenantId), { userId, amr: ["pwd"] });
    const own = await aTicket(cookie);
    const exchange = { grant_type: "authorization_code", id_provider: "bk_login", bk_token: own };
    const caller = { "x-bk-app-code": "shop", "x-bk-app-secret": secret };
    const { data } = (await post("/api/v1/auth/access-tokens", exchange, caller)).json();
    const [byTicket, byToken] = [
      await ask({ bk_token: own }),
      await ask({ access_token: data.access_token }),
    ];
    expect([await check(byTicket), await check(byToken)]).toEqual([200, 200]);
    const basic = `Basic ${Buffer.from(`${shopId}:${secret}`).toString("base64")}`;
    await server.app.inject({
      method: "POST",
      url: "/oauth/revoke",
      headers: { "content-type": "application/x-www-form-urlencoded", authorization: basic },
      payload: `token=${data.access_token}`,
    });
    expect([await check(byTicket), await check(byToken)]).toEqual([200, 400]);
    await revokeSession(deps, contextOf(tenantId), session.id, "signed out");
    expect(await check(byTicket)).toBe(400);
  });

  it("are good after the key was changed, until they end, and new ones have the new key", async () => {
    const { deps, tenantId } = server;
    ticket = await aTicket();
    const ask = async () =>
      (await post(JWT, {}, authorization({ bk_token: ticket }))).json().data.jwt as string;
    const before = await ask();
    await rotateDialectKeys(deps, contextOf(tenantId), "blueking");
    const next = await ask();
    expect(next).not.toBe(before);
    for (const jwt of [before, next]) {
      expect((await post(`${JWT}verify/`, { jwt }, authorization())).statusCode).toBe(200);
    }
  });
});

describe("the token service", () => {
  const BASE = "/api/v1/auth/access-tokens";
  const headers = () => ({ "x-bk-app-code": "shop", "x-bk-app-secret": secret });
  const grant = () => ({
    app_code: "shop",
    app_secret: secret,
    env_name: "prod",
    grant_type: "authorization_code",
    id_provider: "bk_login",
    bk_token: ticket,
  });

  it("gives, renews and verifies an application's access tokens", async () => {
    const first = (await post(BASE, grant(), headers())).json();
    expect(first).toMatchObject({ code: 0, data: { identity: { username: "admin", user_type: "bkuser" } } });
    const { refresh_token } = first.data;
    const body = { app_code: "shop", env_name: "prod", grant_type: "refresh_token", refresh_token };
    const second = (await post(`${BASE}/refresh/`, body, headers())).json();
    expect(second.data.access_token).toMatch(/^ey/);
    expect(second.data.refresh_token).not.toBe(refresh_token);
    const { access_token } = second.data;
    expect((await post(`${BASE}/verify`, { access_token }, headers())).json()).toMatchObject({
      code: 0,
      data: { bk_app_code: "shop", identity: { username: "admin" }, expires_in: expect.any(Number) },
    });
    // Used twice: stolen, so all of it ends.
    expect((await post(`${BASE}/refresh/`, body, headers())).json().code).toBe(1302100);
    expect((await post(`${BASE}/verify`, { access_token }, headers())).json().code).toBe(1302100);
  });

  it("renews nothing once the ticket has ended, or the sign-in is too old for the application", async () => {
    const { deps, tenantId, clock } = server;
    const context = contextOf(tenantId);
    const renewed = async (refresh_token: string) => {
      const answer = await post(`${BASE}/refresh`, { grant_type: "refresh_token", refresh_token }, headers());
      return answer.json() as { code: number; data: { refresh_token: string } };
    };
    const granted = async () => {
      browser = (await signInForTest(server, userId, ["openid"])).cookie;
      ticket = await aTicket();
      return (await post(BASE, grant(), headers())).json().data.refresh_token as string;
    };
    const first = await granted();
    clock.advance(7_000);
    const second = await renewed(first);
    expect(second.code).toBe(0);
    clock.advance(7_201);
    expect((await renewed(second.data.refresh_token)).code).toBe(1302100);

    const third = await granted();
    await updateApplication(deps, context, shopId, { settings: { sessionAbsoluteSeconds: 600 } });
    clock.advance(599);
    const fourth = await renewed(third);
    expect(fourth.code).toBe(0);
    clock.advance(2);
    expect((await renewed(fourth.data.refresh_token)).code).toBe(1302100);
    await updateApplication(deps, context, shopId, { settings: { sessionAbsoluteSeconds: null } });
  });

  it("gives an application nothing for the tokens of another, whichever way it shows them", async () => {
    const { deps, tenantId } = server;
    const context = contextOf(tenantId);
    ticket = await aTicket();
    const { data } = (await post(BASE, grant(), headers())).json();
    const { secret: own } = await createApplication(deps, context, { slug: "thief", name: "Thief" });
    const thief = { "x-bk-app-code": "thief", "x-bk-app-secret": String(own) };
    const { refresh_token, access_token } = data;
    const renew = { grant_type: "refresh_token", refresh_token };
    // The header says who asks: what the body says of another application counts for nothing.
    for (const body of [renew, { ...renew, app_code: "shop", app_secret: secret }]) {
      expect((await post(`${BASE}/refresh`, body, thief)).json()).toMatchObject({
        code: 1302100,
        result: false,
      });
    }
    const jwt = "/prod/api/v2/open/gateways/demo/jwt/";
    const asThief = { bk_app_code: "thief", bk_app_secret: own };
    expect((await post(jwt, {}, authorization({ access_token }, asThief))).statusCode).toBe(400);
    expect((await post(jwt, { access_token }, authorization({}, asThief))).statusCode).toBe(400);
    // A gateway's token is no ticket and no access token, and neither is the other.
    const forShop = (await post(jwt, {}, authorization({ bk_token: ticket }))).json().data.jwt;
    for (const wrong of [forShop, ticket, refresh_token]) {
      expect((await post(`${BASE}/verify`, { access_token: wrong }, headers())).json().code).toBe(1302100);
      expect((await post(jwt, {}, authorization({ access_token: wrong }))).statusCode).toBe(400);
    }
    for (const wrong of [forShop, access_token, refresh_token]) {
      expect((await get(`${IS_LOGIN}?bk_token=${wrong}`)).json().code).toBe(1302100);
    }
    const verifyUrl = `${jwt}verify/`;
    expect((await post(verifyUrl, { jwt: access_token }, authorization())).statusCode).toBe(400);
    expect((await post(verifyUrl, { jwt: forShop }, authorization({}, asThief))).statusCode).toBe(403);
    // Whose token it is, is said: whoever is shown one can see that it was not made for him.
    expect((await post(`${BASE}/verify`, { access_token }, thief)).json().data.bk_app_code).toBe("shop");
    // What the thief has tried has not ended the tokens of the other.
    expect((await post(`${BASE}/verify`, { access_token }, headers())).json().code).toBe(0);
    expect((await post(`${BASE}/refresh`, renew, headers())).json().code).toBe(0);
  });

  it("refuses a wrong secret, a bad ticket, and another way to ask", async () => {
    const wrong = { ...headers(), "x-bk-app-secret": "no" };
    expect((await post(BASE, grant(), wrong)).json().code).toBe(1640101);
    expect((await post(BASE, { ...grant(), bk_token: "x" }, headers())).json().code).toBe(1302100);
    expect((await post(BASE, { ...grant(), grant_type: "password" }, headers())).json().code).toBe(1302100);
    expect((await post(`${BASE}/verify`, { access_token: "x" }, headers())).json().code).toBe(1302100);
    expect((await post(`${BASE}/verify`, { access_token: "x" })).json().code).toBe(1640101);
  });
});
