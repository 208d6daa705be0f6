import { describe, expect, it, test } from "vitest";
import { createBkAuth } from "./bk-auth.ts";
import type { BkAuthOptions } from "./options.ts";
import { ProviderType } from "./providers.ts";
import { aWorld, down, reply, SECRET } from "./testing/fake-login.ts";
import type { BkResponseIn } from "./transport.ts";
import { encodeUserId } from "./user-id.ts";

const BK = encodeUserId(ProviderType.BK, "admin");
const RTX = encodeUserId(ProviderType.RTX, "tom");
const BK_BODY = {
  result: true,
  code: 0,
  message: "",
  data: { bk_username: "admin", chname: "管理员", email: "a@example.com", phone: null, extra: 1 },
};
const RTX_BODY = { result: true, data: { LoginName: "tom", ChineseName: "汤姆", MobilePhoneNumber: "123" } };

function anApplication(answer: () => BkResponseIn, more: Partial<BkAuthOptions> = {}) {
  const world = aWorld();
  world.login.answer = answer;
  const userInfoEndpoint = "https://esb.example.com/api/c/compapi/v2/bk_login/get_user/";
  return { ...world, auth: createBkAuth({ ...world.options, userInfoEndpoint, ...more }) };
}

describe("a user by id", () => {
  it("is only a name unless details are wanted, asks nobody, and is not signed in", async () => {
    const { auth, login } = anApplication(down);
    const user = await auth.getUserByUserId(BK);
    expect(user).toMatchObject({ username: "admin", providerType: 3, email: null, isAuthenticated: false });
    expect(login.requests).toEqual([]);
  });

  it("of the platform has its details, asked for as bkpaas_auth 4.4.0 does", async () => {
    const { auth, login } = anApplication(() => reply(200, BK_BODY));
    const user = await auth.getUserByUserId(BK, false);
    expect(user).toMatchObject({
      nickname: "管理员",
      chineseName: "管理员",
      email: "a@example.com",
      phone: null,
    });
    expect(user.isAuthenticated).toBe(false);
    expect(login.requests.map((request) => ({ ...request, url: String(request.url) }))).toEqual([
      {
        url: "https://esb.example.com/api/c/compapi/v2/bk_login/get_user/?bk_username=admin",
        headers: {
          "X-Bkapi-Authorization": `{"bk_username": "admin", "bk_app_code": "my-app", "bk_app_secret": "${SECRET}"}`,
        },
        timeoutMs: 30_000,
      },
    ]);
  });

  it("that many want at once is asked for once, and anew after a failure", async () => {
    let answer: () => BkResponseIn = down;
    const { auth, login } = anApplication(() => answer());
    const ask = () => Promise.allSettled(Array.from({ length: 20 }, () => auth.getUserByUserId(BK, false)));
    expect(new Set((await ask()).map(({ status }) => status))).toEqual(new Set(["rejected"]));
    expect(login.requests).toHaveLength(1);
    answer = () => reply(200, BK_BODY);
    expect(new Set((await ask()).map(({ status }) => status))).toEqual(new Set(["fulfilled"]));
    expect(login.requests).toHaveLength(2);
  });

  it("of RTX has an address by rule", async () => {
    const { auth, login } = anApplication(() => reply(200, RTX_BODY));
    expect(await auth.getUserByUserId(RTX, false)).toMatchObject({
      nickname: "汤姆",
      email: "tom@tencent.com",
      phone: "123",
    });
    expect(login.requests[0]?.url.search).toBe("?login_name=tom");
  });

  it("is cached for a day, under the key of bkpaas_auth, and forgotten when told", async () => {
    const stored: [string, unknown, number][] = [];
    const cache = new Map<string, unknown>();
    const { auth, login } = anApplication(() => reply(200, BK_BODY), {
      detailsCache: {
        get: (key) => cache.get(key),
        set: (key, value, ttl) => {
          cache.set(key, value);
          stored.push([key, value, ttl]);
        },
        delete: (key) => void cache.delete(key),
      },
    });
    await auth.getUserByUserId(BK, false);
    await auth.getUserByUserId(BK, false);
    expect(stored).toEqual([["bkauth::rests::get_bk_user_info::admin", BK_BODY, 86_400]]);
    await auth.forgetUserDetails(BK);
    await auth.getUserByUserId(BK, false);
    expect(login.requests).toHaveLength(2);
  });

  it("is asked for again when the memory of the process is a day old", async () => {
    const { auth, login, clock } = anApplication(() => reply(200, BK_BODY));
    await auth.getUserByUserId(BK, false);
    clock.advance(86_399);
    await auth.getUserByUserId(BK, false);
    expect(login.requests).toHaveLength(1);
    clock.advance(1);
    await auth.getUserByUserId(BK, false);
    expect(login.requests).toHaveLength(2);
  });

  it("is found although the cache fails, with a warning", async () => {
    const fail = () => {
      throw new Error("no cache");
    };
    const { auth, logger } = anApplication(() => reply(200, BK_BODY), {
      detailsCache: { get: fail, set: fail },
    });
    expect((await auth.getUserByUserId(BK, false)).nickname).toBe("管理员");
    expect(logger.lines.map((line) => line.split(" ")[0])).toEqual(["warn", "warn"]);
  });

  test.each<[string, string, () => BkResponseIn, string]>([
    ["an unknown one", BK, () => reply(200, { result: false, code: 1_302_100, data: {} }), "user.not_found"],
    ["a body without a code", BK, () => reply(200, {}), "user.not_found"],
    [
      "somebody else",
      BK,
      () => reply(200, { ...BK_BODY, data: { ...BK_BODY.data, bk_username: "root" } }),
      "user.not_found",
    ],
    [
      "a field that is no text",
      BK,
      () => reply(200, { ...BK_BODY, data: { ...BK_BODY.data, email: 1 } }),
      "user.not_found",
    ],
    ["an RTX one refused", RTX, () => reply(200, { ...RTX_BODY, result: false }), "user.not_found"],
    ["a service that is down", BK, down, "service.unavailable"],
    ["a failing service", BK, () => reply(500, BK_BODY), "service.unavailable"],
    ["a page", BK, () => reply(200, "<html>"), "service.unavailable"],
    ["a provider without details", encodeUserId(ProviderType.UIN, "1"), down, "user.details_unsupported"],
    ["an id of nobody", "03", down, "user_id.invalid"],
    ["no id", "x", down, "user_id.invalid"],
  ])("that is %s fails, and is not cached", async (_, id, answer, code) => {
    const { auth } = anApplication(answer);
    for (let i = 0; i < 2; i++) await expect(auth.getUserByUserId(id, false)).rejects.toMatchObject({ code });
  });

  it("has no details in tenant mode, nor without an endpoint", async () => {
    const userInfoGatewayUrl = "https://gw.example.com/userinfo/";
    const tenants = anApplication(down, { multiTenant: true, userInfoGatewayUrl });
    await expect(tenants.auth.getUserByUserId(BK, false)).rejects.toMatchObject({
      code: "user.details_unsupported",
    });
    const without = anApplication(down, { userInfoEndpoint: "" });
    await expect(without.auth.getUserByUserId(BK, false)).rejects.toMatchObject({ code: "configuration" });
  });
});
