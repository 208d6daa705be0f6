import { generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { signJwt } from "../../../packages/server/src/domain/tokens/index.ts";
import { FORM_TYPE, useScene } from "./scene.ts";

const scene = useScene();

/** Access tokens that are no good, and what API v1 says. */
async function badTokens(): Promise<[string, string, string][]> {
  const { deps, tenantId } = scene.server;
  const now = Math.floor(scene.server.clock.now().getTime() / 1000);
  const issuer = deps.publicUrl;
  const good = {
    iss: issuer,
    aud: issuer,
    sub: scene.shop.id,
    client_id: scene.shop.id,
    iat: now,
    exp: now + 600,
    jti: `${"a".repeat(24)}.x`,
    scope: "manage",
  };
  const jwt = (change: object, typ: "at+jwt" | "JWT" = "at+jwt", tenant = tenantId) =>
    signJwt(deps, tenant, typ, { ...good, ...change }, "ES256");
  const token = await jwt({});
  const [head = "", body = "", signature = ""] = token.split(".");
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const { kid } = JSON.parse(Buffer.from(head, "base64url").toString()) as { kid: string };
  const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const forged = sign("sha256", Buffer.from(`${head}.${body}`), { key: stranger, dsaEncoding: "ieee-p1363" });
  return [
    ["expired", await jwt({ iat: now - 700, exp: now - 100 }), "token.expired"],
    ["expired this second", await jwt({ exp: now }), "token.expired"],
    ["garbled", `${head}.${body.slice(0, 20)}%${body.slice(21)}.${signature}`, "token.invalid"],
    ["cut", token.slice(0, -10), "token.invalid"],
    ["unsigned", `${part({ alg: "none", typ: "at+jwt" })}.${body}.`, "token.invalid"],
    ["unsigned under a key's name", `${part({ alg: "none", typ: "at+jwt", kid })}.${body}.`, "token.invalid"],
    [
      "said to be HS256",
      `${part({ alg: "HS256", typ: "at+jwt", kid })}.${body}.${signature}`,
      "token.invalid",
    ],
    ["signed by a stranger", `${head}.${body}.${forged.toString("base64url")}`, "token.invalid"],
    [
      "of an unknown key",
      `${part({ alg: "ES256", typ: "at+jwt", kid: "x" })}.${body}.${signature}`,
      "token.invalid",
    ],
    [
      "with a critical extension",
      `${part({ alg: "ES256", typ: "at+jwt", kid, crit: ["b64"] })}.${body}.${signature}`,
      "token.invalid",
    ],
    ["for another audience", await jwt({ aud: "https://elsewhere.example" }), "token.wrong_audience"],
    ["of another issuer", await jwt({ iss: "https://elsewhere.example" }), "token.invalid"],
    ["that is an ID token", await jwt({ aud: scene.shop.id }, "JWT"), "token.invalid"],
    ["without a scope claim", await jwt({ scope: undefined }), "token.invalid"],
    ["with an expiry that is a text", await jwt({ exp: "tomorrow" }), "token.invalid"],
    ["of another tenant", await jwt({}, "at+jwt", scene.other.tenantId), "token.invalid"],
    ["of nobody", await jwt({ sub: "f".repeat(24) }), "user.not_found"],
    [
      "of an unknown application",
      await jwt({ sub: "f".repeat(24), client_id: "f".repeat(24) }),
      "token.invalid",
    ],
    ["that is a list of one", "[]", "token.invalid"],
    ["that is very long", `${head}.${"A".repeat(12_000)}.${signature}`, "token.invalid"],
  ];
}

describe("an access token that is no good", () => {
  it("is refused by API v1, by userinfo, by introspection and by the huace dialect", async () => {
    const basic = `Basic ${Buffer.from(`${scene.shop.id}:${scene.shop.secret}`).toString("base64")}`;
    for (const [what, token, code] of await badTokens()) {
      const bearer = { authorization: `Bearer ${token}` };
      const own = await scene.send({ method: "GET", url: "/api/v1/users", headers: bearer });
      expect({ what, code: own.body.code }).toEqual({ what, code });
      expect([401, 404]).toContain(own.status);
      const userinfo = await scene.send({ method: "GET", url: "/oauth/userinfo", headers: bearer });
      expect({ what, status: userinfo.status }).toEqual({ what, status: 401 });
      expect(userinfo.headers["www-authenticate"]).toMatch(/^Bearer/);
      const introspection = await scene.send({
        url: "/oauth/introspect",
        headers: { ...FORM_TYPE, authorization: basic },
        payload: new URLSearchParams({ token }).toString(),
      });
      expect({ what, status: introspection.status, body: introspection.body }).toEqual({
        what,
        status: 200,
        body: { active: false },
      });
      const huace = await scene.send({
        url: "/huace/sdk/token/verify",
        headers: { "x-app-id": scene.shop.id, "x-app-secret": scene.shop.secret },
        payload: { token },
      });
      expect({ what, body: huace.body }).toEqual({
        what,
        body: { code: 0, message: "ok", data: { valid: false } },
      });
    }
  });

  it.each([
    undefined,
    "",
    "Bearer",
    "Bearer ",
    "Basic eDp5",
    "Operator x",
    "Bearer ak_x",
    `Bearer ak_${"0".repeat(32)}`,
  ])("nor is Authorization: %s", async (authorization) => {
    const headers = authorization === undefined ? {} : { authorization };
    const {
      status,
      body,
      headers: answered,
    } = await scene.send({ method: "GET", url: "/api/v1/users", headers });
    expect(status).toBe(401);
    expect(["authentication.required", "token.invalid", "api_key.invalid"]).toContain(body.code);
    expect(answered["www-authenticate"]).toMatch(/^Bearer/);
  });
});
