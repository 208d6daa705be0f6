import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type BkAuthOptions,
  createBkAuth,
  encodeUserId,
  gatewayJwt,
  ProviderType,
} from "../../packages/sdk/src/blueking/index.ts";
import { Scene, SECRET } from "../dialects/blueking/scene.ts";

let scene: Scene;
let ticket: string;

beforeAll(async () => {
  scene = await Scene.open();
  ({ ticket } = await scene.signIn("admin"));
});
afterAll(() => scene?.[Symbol.asyncDispose]());

function anApplication(appCode: string, more: BkAuthOptions = {}) {
  const base = `${scene.server.url}/blueking`;
  return createBkAuth({
    verifyUrl: `${base}/login/api/v3/is_login/`,
    userInfoEndpoint: `${base}/api/c/compapi/v2/bk_login/get_user/`,
    appCode,
    appSecret: SECRET,
    logger: { warn: () => undefined, error: () => undefined },
    ...more,
  });
}

describe("an application whose login service is Ostiary", () => {
  it("knows who signed in on the page, until they sign out", async () => {
    const leaving = await scene.signIn("张三");
    const auth = anApplication("shop", { sessionTimeout: 0 });
    const visit = () => auth.authenticate({ cookies: { bk_token: leaving.ticket } });
    expect(await visit()).toMatchObject({
      outcome: "ok",
      user: { username: "张三", providerType: ProviderType.BK },
    });
    await fetch(`${scene.server.url}/blueking/login/logout/`, {
      headers: { cookie: `bk_token=${leaving.ticket}` },
      redirect: "manual",
    });
    expect((await visit()).outcome).toBe("invalid");
  });

  it("may keep the ticket out of the logs on the way", async () => {
    const outcomeOf = async (bk_token: string) =>
      (await anApplication("shop", { verifyByPost: true }).authenticate({ cookies: { bk_token } })).outcome;
    expect([await outcomeOf(ticket), await outcomeOf("unknown")]).toEqual(["ok", "invalid"]);
  });

  it("is told name, address and telephone of a user", async () => {
    const user = await anApplication("shop").getUserByUserId(encodeUserId(ProviderType.BK, "admin"), false);
    expect(user).toMatchObject({ chineseName: "Boss", email: "admin@example.com", phone: "13800000000" });
    const unknown = encodeUserId(ProviderType.BK, "nobody");
    await expect(anApplication("shop").getUserByUserId(unknown, false)).rejects.toMatchObject({
      code: "user.not_found",
    });
  });

  it("is told who may not use it, in the user's language", async () => {
    const visit = (language: string) =>
      anApplication("closed").authenticate({ cookies: { bk_token: ticket }, language });
    const [english, chinese] = [await visit("en-us"), await visit("zh-hans")];
    expect([english.outcome, chinese.outcome]).toEqual(["denied", "denied"]);
    expect(english).not.toEqual(chinese);
  });

  it("is told that its own secret is wrong, which is not the user's fault", async () => {
    const auth = anApplication("shop", { appSecret: "wrong" });
    expect((await auth.authenticate({ cookies: { bk_token: ticket } })).outcome).toBe("misconfigured");
  });

  it("knows tenant, name to show and time zone by the gateway's call", async () => {
    const userInfoGatewayUrl = `${scene.server.url}/blueking/prod/login/api/v3/open/bk-tokens/userinfo/`;
    const auth = anApplication("shop", { userInfoGatewayUrl, multiTenant: true });
    expect(await auth.authenticate({ cookies: { bk_token: ticket } })).toMatchObject({
      outcome: "ok",
      user: { username: "admin", timeZone: "Europe/Berlin", tenantId: "default" },
    });
  });

  it("takes the gateway's token, by the key that the gateway publishes", async () => {
    const source = {
      url: `${scene.server.url}/blueking/prod/api/v2/sync/gateways/{gateway}/public_key/`,
      appCode: "shop",
      appSecret: SECRET,
    };
    const clock = () => scene.server.clock.now().getTime();
    const auth = anApplication("shop", { gateway: gatewayJwt({ gateways: ["demo"], source, clock }), clock });
    const visit = async (authorization: object) =>
      auth.authenticate({ cookies: {}, jwt: await scene.gatewayToken(authorization) });
    expect(await visit({ bk_token: ticket })).toMatchObject({
      outcome: "ok",
      via: "gateway",
      user: { username: "admin" },
      gateway: { app: { appCode: "shop", verified: true }, user: { verified: true } },
    });
    expect(await visit({ bk_username: "admin" })).toMatchObject({
      outcome: "none",
      user: { username: "admin", isAuthenticated: false },
    });
  });
});
