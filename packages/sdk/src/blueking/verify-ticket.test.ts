import { describe, expect, it, test } from "vitest";
import { createBkAuth } from "./bk-auth.ts";
import { type BkAuthOptions, settle } from "./options.ts";
import { aWorld, down, refusedTicket, reply, SECRET, signedIn, TICKET } from "./testing/fake-login.ts";
import type { BkResponseIn } from "./transport.ts";
import { verifyTicket } from "./verify-ticket.ts";

const GATEWAY = { userInfoGatewayUrl: "https://gw.example.com/prod/login/api/v3/open/bk-tokens/userinfo/" };

async function verified(answer: () => BkResponseIn, more: Partial<BkAuthOptions> = {}) {
  const { login, options } = aWorld();
  login.answer = answer;
  return await verifyTicket(settle({ ...options, ...more }), TICKET, "zh-hans");
}

async function asked(more: Partial<BkAuthOptions>, ticket = TICKET) {
  const { login, options } = aWorld();
  const all = { ...options, ...more };
  if (more.appCode === "") {
    delete all.appCode;
    delete all.appSecret;
  }
  await verifyTicket(settle(all), ticket, "zh-hans");
  const [request] = login.requests;
  return { url: String(request?.url), headers: request?.headers, timeoutMs: request?.timeoutMs };
}

describe("the request is the one of bkpaas_auth 4.4.0, to the byte", () => {
  it("for a bk_token at the login service", async () => {
    expect(await asked({})).toEqual({
      url: `https://login.example.com/login/api/v3/is_login/?bk_token=${TICKET}`,
      headers: {
        "blueking-language": "zh-hans",
        "X-Bkapi-Authorization": `{"bk_token": "${TICKET}", "bk_app_code": "my-app", "bk_app_secret": "${SECRET}"}`,
      },
      timeoutMs: 10_000,
    });
  });

  it("for a bk_token at a gateway", async () => {
    expect(await asked(GATEWAY)).toEqual({
      url: `${GATEWAY.userInfoGatewayUrl}?bk_token=${TICKET}`,
      headers: {
        "blueking-language": "zh-hans",
        "X-Bkapi-Authorization": `{"bk_app_code": "my-app", "bk_app_secret": "${SECRET}"}`,
        "X-Bk-Tenant-Id": "default",
      },
      timeoutMs: 10_000,
    });
  });

  it("for a bk_ticket, which has no headers", async () => {
    const request = await asked({
      backendType: "bk_ticket",
      verifyUrl: "https://login.example.com/user/is_login/",
    });
    expect(request.url).toBe(`https://login.example.com/user/is_login/?bk_ticket=${TICKET}`);
    expect(request.headers).toEqual({});
  });

  it("without an application, as 2.0.3 sends it", async () => {
    expect((await asked({ appCode: "" })).headers).toEqual({});
  });

  it("with what the ticket has of signs, encoded once more, and in ASCII in the header", async () => {
    const { url, headers } = await asked({}, "bkcrypt%24 张+'\"&=");
    expect(url).toContain("?bk_token=bkcrypt%2524+%E5%BC%A0%2B%27%22%26%3D");
    expect(headers?.["X-Bkapi-Authorization"]).toContain(`{"bk_token": "bkcrypt%24 \\u5f20+'\\"&=", `);
  });

  it("by POST, where that is wanted, with no ticket in the address", async () => {
    const { login, options } = aWorld();
    await verifyTicket(settle({ ...options, verifyByPost: true }), TICKET, "en-us");
    expect(login.requests[0]).toMatchObject({ body: `{"bk_token":"${TICKET}"}` });
    expect(String(login.requests[0]?.url)).toBe("https://login.example.com/login/api/v3/is_login/");
  });

  it("keeps a query that is configured", async () => {
    const { url } = await asked({ verifyUrl: "https://login.example.com/is_login/?a=1" });
    expect(url).toBe(`https://login.example.com/is_login/?a=1&bk_token=${TICKET}`);
  });
});

describe("a bk_token", () => {
  test("of somebody is ok", async () => {
    expect(await verified(() => signedIn("admin"))).toEqual({
      outcome: "ok",
      account: { username: "admin", displayName: "admin", timeZone: null, tenantId: null },
    });
  });

  test.each<[string, BkResponseIn, string]>([
    ["an unknown ticket", refusedTicket(), "invalid"],
    ["a refusal on an error status", { ...refusedTicket(), status: 401 }, "invalid"],
    ["no right to the application", refusedTicket(1_302_403), "denied"],
    ["a gateway that does not know the application", refusedTicket(1_640_101), "misconfigured"],
    ["code 0 on an error status", { ...signedIn("admin"), status: 502 }, "unavailable"],
    ["code 0 on a strange status", { ...signedIn("admin"), status: 404 }, "unavailable"],
    [
      "code false, which Python takes for 0",
      reply(200, { code: false, data: { bk_username: "a" } }),
      "unavailable",
    ],
    ["the code of v1", reply(200, { code: "00", data: { username: "a" } }), "unavailable"],
    ["no code", reply(200, { bk_error_code: 0, data: { bk_username: "a" } }), "unavailable"],
    ["an empty name", signedIn(""), "unavailable"],
    ["no name", signedIn(null), "unavailable"],
    ["a name that is a number", signedIn(7), "unavailable"],
    ["a name too long for an id", signedIn("a".repeat(127)), "unavailable"],
    ["no data", reply(200, { code: 0, data: null }), "unavailable"],
    ["a list", reply(200, []), "unavailable"],
    ["a page", reply(200, "<html>"), "unavailable"],
    ["nothing", reply(200, ""), "unavailable"],
    ["a redirect", reply(302, ""), "unavailable"],
    ["too many calls", { ...refusedTicket(), status: 429 }, "unavailable"],
  ])("answered with %s is %s%s", async (_, response, outcome) => {
    expect((await verified(() => response)).outcome).toBe(outcome);
  });

  it("of a service that is down is unavailable, and the reason names no ticket", async () => {
    const verification = await verified(down);
    expect(verification).toEqual({
      outcome: "unavailable",
      message: "the login service cannot be reached (ECONNREFUSED)",
    });
  });
});

describe("a bk_ticket", () => {
  const TICKETS: Partial<BkAuthOptions> = { backendType: "bk_ticket" };
  test.each<[unknown, string]>([
    [{ ret: 0, msg: "", data: { username: "tom" } }, "ok"],
    [{ ret: 1, msg: "no", data: {} }, "invalid"],
    [{ ret: 1_302_403, msg: "no", data: {} }, "invalid"],
    [{ msg: "no" }, "unavailable"],
    [{ ret: 0, data: { bk_username: "tom" } }, "unavailable"],
    ["<html>", "unavailable"],
  ])("answered with %j is %s", async (body, outcome) => {
    expect((await verified(() => reply(200, body), TICKETS)).outcome).toBe(outcome);
  });
});

describe("a bk_token at a gateway", () => {
  const account = {
    bk_username: "u1",
    tenant_id: "system",
    display_name: "Admin",
    time_zone: "Asia/Shanghai",
  };
  const error = (message: string) => ({
    error: { code: "X", message, system: "bk-login", details: [], data: {} },
  });

  it("tells name, zone and tenant", async () => {
    expect(await verified(() => reply(200, { data: account }), GATEWAY)).toEqual({
      outcome: "ok",
      account: { username: "u1", displayName: "Admin", timeZone: "Asia/Shanghai", tenantId: "system" },
    });
  });

  test.each<[string, BkResponseIn, string]>([
    ["a bad ticket", reply(400, error("bad")), "invalid"],
    ["an application it does not know", reply(401, error("app")), "misconfigured"],
    ["a user who may not", reply(403, error("no access")), "denied"],
    [
      "its own words, without an error object",
      reply(403, { code: 1_640_301, message: "no" }),
      "misconfigured",
    ],
    ["a wrong address", reply(404, error("not found")), "misconfigured"],
    ["a success that is none", reply(201, { data: account }), "misconfigured"],
    ["a failure", reply(500, error("oops")), "unavailable"],
    ["no name", reply(200, { data: { ...account, bk_username: "" } }), "unavailable"],
  ])("answered with %s is %s%s", async (_, response, outcome) => {
    expect((await verified(() => response, GATEWAY)).outcome).toBe(outcome);
  });

  it("gives the user the service's word when access is denied", async () => {
    const verification = await verified(() => reply(403, error("ask your boss")), GATEWAY);
    expect(verification).toEqual({ outcome: "denied", message: "ask your boss" });
  });

  it("needs a tenant in tenant mode only", async () => {
    const answer = () => reply(200, { data: { ...account, tenant_id: "" } });
    expect((await verified(answer, { ...GATEWAY, multiTenant: true })).outcome).toBe("misconfigured");
    expect(await verified(answer, GATEWAY)).toMatchObject({ outcome: "ok", account: { tenantId: null } });
  });
});

describe("options that cannot work are refused at once", () => {
  test.each<[string, Partial<BkAuthOptions>]>([
    ["a backend of another name", { backendType: "cookie" as "bk_token" }],
    ["no address at all", { verifyUrl: "" }],
    ["an address that is none", { verifyUrl: "login.example.com" }],
    ["a gateway for bk_ticket", { ...GATEWAY, backendType: "bk_ticket" }],
    ["a POST to a gateway", { ...GATEWAY, verifyByPost: true }],
    ["tenants without a gateway", { multiTenant: true }],
    ["an application without its secret", { appSecret: "" }],
    ["a token without a life", { loginTokenExpiresIn: 0 }],
    ["a grace without an end", { outageGraceSeconds: 1e9 }],
    ["a key that can be guessed", { sessionKey: "short" }],
    ["a mocked user in production", { mockedUsername: "me", production: true }],
  ])("%s", (_, more) => {
    const { options } = aWorld();
    expect(() => createBkAuth({ ...options, ...more })).toThrow(
      expect.objectContaining({ code: "configuration" }),
    );
  });
});
