import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { updateApplication } from "../../packages/server/src/domain/applications/index.ts";
import { updateSettings } from "../../packages/server/src/domain/tenants/index.ts";
import { createUser, updateUser } from "../../packages/server/src/domain/users/index.ts";
import type { Browser } from "./browser.ts";
import { aClientKey, type ClientKey } from "./client-key.ts";
import {
  aProvider,
  authorize,
  basic,
  type Client,
  claimsOf,
  type Provider,
  pkce,
  post,
  redeem,
  refresh,
} from "./provider.ts";

let provider: Provider;
let client: Client;
let userId: string;
let ann: Browser;
let token: string;

beforeAll(async () => {
  provider = await aProvider();
  userId = (await provider.user()).id;
  client = await provider.client();
  ann = await provider.signedIn(userId);
  token = `${provider.url}/oauth/token`;
});
afterAll(() => provider[Symbol.asyncDispose]());

const grant = (changes: Record<string, string | undefined> = {}) => authorize(provider, client, ann, changes);

describe("the code grant", () => {
  it("gives an RFC 9068 access token, a refresh token and an ID token (OIDC Core §3.1.3.3)", async () => {
    const reply = await redeem(provider, client, await grant({ scope: "openid email" }));

    expect(reply.status).toBe(200);
    expect(reply.headers.get("cache-control")).toBe("no-store");
    expect(reply.body).toMatchObject({
      token_type: "Bearer",
      scope: "openid email",
      expires_in: expect.any(Number),
    });
    expect(claimsOf(reply.body.access_token)).toMatchObject({
      iss: provider.url,
      sub: userId,
      aud: provider.url,
      client_id: client.id,
      sid: expect.any(String),
    });
    expect(claimsOf(reply.body.id_token)).toMatchObject({
      iss: provider.url,
      sub: userId,
      aud: client.id,
      nonce: "nonce-1",
      amr: ["pwd"],
      auth_time: expect.any(Number),
      at_hash: expect.any(String),
      sid: expect.any(String),
    });
    expect(claimsOf(reply.body.id_token)).not.toHaveProperty("email"); // it is at userinfo
  });

  it("gives no ID token without openid, and no refresh token to who may not use it", async () => {
    const plain = await provider.client({ grantTypes: ["authorization_code"] });
    const reply = await redeem(provider, plain, await authorize(provider, plain, ann, { scope: "email" }));
    expect(reply.body).not.toHaveProperty("id_token");
    expect(reply.body).not.toHaveProperty("refresh_token");
  });

  it("puts claims into the ID token that the claims parameter asks for (OIDC Core §5.5)", async () => {
    const claims = JSON.stringify({
      id_token: { email: { essential: true }, unknown: null },
      userinfo: { name: null },
    });
    const reply = await redeem(provider, client, await grant({ claims }));
    expect(claimsOf(reply.body.id_token)).toMatchObject({ email: "ann@example.com" });
    const userinfo = await fetch(`${provider.url}/oauth/userinfo`, {
      headers: { authorization: `Bearer ${reply.body.access_token}` },
    });
    expect(await userinfo.json()).toEqual({ sub: userId, name: "Ann Example" });
  });

  it("a code works once; the second use ends what the first gave (RFC 6749 §4.1.2, RFC 9700 §4.5)", async () => {
    const one = await grant();
    const first = await redeem(provider, client, one);
    const second = await redeem(provider, client, one);
    expect(second).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    expect((await refresh(provider, client, first.body.refresh_token)).body.error).toBe("invalid_grant");
  });

  it("of eight parallel redemptions one wins at most (RFC 9700 §4.5)", async () => {
    const one = await grant();
    const replies = await Promise.all(Array.from({ length: 8 }, () => redeem(provider, client, one)));
    expect(replies.filter((reply) => reply.status === 200)).toHaveLength(1);
    for (const reply of replies) expect([200, 400]).toContain(reply.status);
  });

  it("an expired code is refused (RFC 6749 §4.1.2)", async () => {
    const one = await grant();
    provider.clock.advance(601);
    expect((await redeem(provider, client, one)).body.error).toBe("invalid_grant");
  });

  it("a wrong, missing or malformed verifier is refused (RFC 7636 §4.6)", async () => {
    for (const code_verifier of [pkce().verifier, undefined, "short", "x".repeat(129)]) {
      expect((await redeem(provider, client, await grant(), { code_verifier })).body.error).toBe(
        "invalid_grant",
      );
    }
  });

  it("a verifier for a code without challenge is refused: PKCE downgrade (RFC 9700 §4.8.2)", async () => {
    const one = await grant({ code_challenge: undefined, code_challenge_method: undefined });
    expect((await redeem(provider, client, one)).body.error).toBe("invalid_grant");
    expect((await redeem(provider, client, one, { code_verifier: undefined })).status).toBe(200);
  });

  it("another redirect URI, or none, is refused (RFC 6749 §4.1.3)", async () => {
    for (const redirect_uri of ["https://shop.example/other", undefined]) {
      expect((await redeem(provider, client, await grant(), { redirect_uri })).body.error).toBe(
        "invalid_grant",
      );
    }
  });

  it("another client's code is refused (RFC 6749 §4.1.3), another tenant's too", async () => {
    const thief = await provider.client();
    const one = await grant();
    expect((await redeem(provider, thief, one)).body.error).toBe("invalid_grant");
    const other = await provider.otherTenant();
    const foreign = await provider.client({}, other.id);
    const there = { url: `${provider.url}/t/other` };
    expect((await redeem(there, foreign, one)).body.error).toBe("invalid_grant");
    expect((await redeem(there, client, one)).body.error).toBe("invalid_client");
    expect((await redeem(provider, client, one)).status).toBe(200);
  });

  it("ends with the user's suspension and with the session", async () => {
    const bob = await createUser(provider.deps, provider.context, { username: "bob" });
    const browser = await provider.signedIn(bob.id);
    const one = await authorize(provider, client, browser);
    const two = await redeem(provider, client, await authorize(provider, client, browser));
    await updateUser(provider.deps, provider.context, bob.id, { status: "suspended" });
    expect((await redeem(provider, client, one)).body.error).toBe("invalid_grant");
    expect((await refresh(provider, client, two.body.refresh_token)).body.error).toBe("invalid_grant");
  });
});

describe("the refresh grant", () => {
  const first = async (changes: Record<string, string | undefined> = {}) =>
    (await redeem(provider, client, await grant(changes))).body.refresh_token;

  it("rotates: each token works once (RFC 9700 §4.14.2)", async () => {
    const one = await first();
    const two = await refresh(provider, client, one);
    expect(two.status).toBe(200);
    expect(two.body.refresh_token).not.toBe(one);
    expect(claimsOf(two.body.id_token)).toMatchObject({ sub: userId, aud: client.id });
    expect((await refresh(provider, client, two.body.refresh_token)).status).toBe(200);
  });

  it("reuse of an old token ends the family, access tokens too (RFC 9700 §4.14.2)", async () => {
    const one = await first();
    const two = await refresh(provider, client, one);
    expect((await refresh(provider, client, one)).body.error).toBe("invalid_grant");
    expect((await refresh(provider, client, two.body.refresh_token)).body.error).toBe("invalid_grant");
    const form = { token: String(two.body.access_token) };
    expect((await post(`${provider.url}/oauth/introspect`, form, { client })).body).toEqual({
      active: false,
    });
  });

  it("of eight parallel rotations one wins at most", async () => {
    const one = await first();
    const replies = await Promise.all(Array.from({ length: 8 }, () => refresh(provider, client, one)));
    expect(replies.filter((reply) => reply.status === 200)).toHaveLength(1);
  });

  it("is bound to its client (RFC 6749 §10.4)", async () => {
    const one = await first();
    const thief = await provider.client();
    expect((await refresh(provider, thief, one)).body.error).toBe("invalid_grant");
    expect((await refresh(provider, client, one)).status).toBe(200);
  });

  it("may narrow the scope for one access token, never widen it (RFC 6749 §6)", async () => {
    const one = await first({ scope: "openid email" });
    const two = await refresh(provider, client, one, { scope: "email" });
    expect(two.body.scope).toBe("email");
    const wider = await refresh(provider, client, two.body.refresh_token, { scope: "openid phone" });
    expect(wider.body.error).toBe("invalid_scope");
    const three = await refresh(provider, client, two.body.refresh_token);
    expect(three.body.scope).toBe("openid email");
  });

  it("outlives the session only with offline_access (OIDC Core §11)", async () => {
    const browser = await provider.signedIn(userId);
    const online = await redeem(provider, client, await authorize(provider, client, browser));
    const scope = "openid offline_access";
    const offline = await redeem(provider, client, await authorize(provider, client, browser, { scope }));
    expect(claimsOf(offline.body.access_token)).not.toHaveProperty("sid");

    const hint = String(online.body.id_token);
    await browser.visit(`${provider.url}/oauth/end-session?id_token_hint=${hint}`);

    expect((await refresh(provider, client, online.body.refresh_token)).body.error).toBe("invalid_grant");
    expect((await refresh(provider, client, offline.body.refresh_token)).status).toBe(200);
  });

  it.each(["", "x", "A".repeat(64), "…".repeat(20)])("refuses the garbage %j", async (garbage) => {
    const { status, body } = await refresh(provider, client, garbage);
    expect(status).toBe(400);
    expect(["invalid_grant", "invalid_request"]).toContain(body.error);
  });
});

describe("client credentials (RFC 6749 §4.4)", () => {
  const form = { grant_type: "client_credentials" };

  it("give a token about the client itself, and no refresh token", async () => {
    const { body } = await post(token, form, { client });
    expect(claimsOf(body.access_token)).toMatchObject({ sub: client.id, client_id: client.id });
    expect(claimsOf(body.access_token)).not.toHaveProperty("auth_time");
    expect(body).not.toHaveProperty("refresh_token");
  });

  it("give none of a person's scopes", async () => {
    expect((await post(token, { ...form, scope: "openid" }, { client })).body.error).toBe("invalid_scope");
    const manager = await provider.client({ scopes: ["openid", "manage"], administers: "tenant" });
    expect((await post(token, { ...form, scope: "openid manage" }, { client: manager })).body.scope).toBe(
      "manage",
    );
  });

  it("are nothing for public clients or who is not registered for them", async () => {
    const spa = await provider.client({
      tokenEndpointAuthMethod: "none",
      grantTypes: ["authorization_code"],
    });
    expect((await post(token, { ...form, client_id: spa.id })).body.error).toBe("invalid_client");
    const other = await provider.client({ grantTypes: ["authorization_code"] });
    expect((await post(token, form, { client: other })).body.error).toBe("unauthorized_client");
  });

  it.each(["ES256", "RS256", "EdDSA"] as const)(
    "are signed with the tenant's algorithm %s",
    async (signingAlgorithm) => {
      await updateSettings(provider.deps, provider.context, { tokens: { signingAlgorithm } });
      const { body } = await post(token, form, { client });
      const header = Buffer.from(String(body.access_token).split(".")[0] ?? "", "base64url");
      expect(JSON.parse(header.toString()).alg).toBe(signingAlgorithm);
      await updateSettings(provider.deps, provider.context, { tokens: { signingAlgorithm: "ES256" } });
    },
  );
});

describe("client authentication (RFC 6749 §2.3)", () => {
  const form = { grant_type: "client_credentials" };

  it("basic, with form-encoded halves; 401 with a challenge when wrong (RFC 6749 §5.2)", async () => {
    const wrong = await post(token, form, { client: { ...client, secret: "wrong" } });
    expect(wrong).toMatchObject({ status: 401, body: { error: "invalid_client" } });
    expect(wrong.headers.get("www-authenticate")).toMatch(/^Basic /);
    const strange = "a b+c%ä:§";
    const { createApplication } = await import("../../packages/server/src/domain/applications/index.ts");
    const { application } = await createApplication(
      provider.deps,
      provider.context,
      { slug: "strange", name: "Strange", grantTypes: ["client_credentials"] },
      { secret: strange },
    );
    expect((await post(token, form, { client: { id: application.id, secret: strange } })).status).toBe(200);
  });

  it("only the registered method, and exactly one (RFC 6749 §2.3)", async () => {
    const secrets = { client_id: client.id, client_secret: client.secret };
    expect((await post(token, { ...form, ...secrets })).body.error).toBe("invalid_client");
    expect((await post(token, { ...form, ...secrets }, { client })).body.error).toBe("invalid_request");
    expect((await post(token, { ...form, client_id: client.id })).body.error).toBe("invalid_client");
    const byPost = await provider.client({ tokenEndpointAuthMethod: "client_secret_post" });
    const good = { ...form, client_id: byPost.id, client_secret: byPost.secret };
    expect((await post(token, good)).status).toBe(200);
    expect((await post(token, form, { client: byPost })).body.error).toBe("invalid_client");
  });

  it("never by the address (RFC 6749 §2.3.1)", async () => {
    const byPost = await provider.client({ tokenEndpointAuthMethod: "client_secret_post" });
    const query = new URLSearchParams({ ...form, client_id: byPost.id, client_secret: byPost.secret });
    expect((await post(`${token}?${query}`, form)).body.error).toBe("invalid_client");
  });

  it.each([
    "Basic",
    "Basic !!!",
    "Basic Og==",
    `Basic ${Buffer.from("%:x").toString("base64")}`,
    "Bearer abc",
    "Negotiate x",
  ])("refuses the header %j", async (authorization) => {
    const reply = await post(token, form, { headers: { authorization } });
    expect(reply).toMatchObject({ status: 401, body: { error: "invalid_client" } });
  });

  it("a disabled client is refused", async () => {
    const other = await provider.client();
    expect((await post(token, form, { client: other })).status).toBe(200);
    await updateApplication(provider.deps, provider.context, other.id, { status: "disabled" });
    expect((await post(token, form, { client: other })).body.error).toBe("invalid_client");
  });
});

describe("private_key_jwt (RFC 7523 §3, OIDC Core §9)", () => {
  let keyed: Client;
  let key: ClientKey;

  beforeAll(async () => {
    key = await aClientKey();
    keyed = await provider.client({ tokenEndpointAuthMethod: "private_key_jwt", jwks: key.jwks });
  });

  async function assertion(changes: Record<string, unknown> = {}, signer = key): Promise<string> {
    const now = Math.floor(provider.clock.now().getTime() / 1000);
    const claims = {
      iss: keyed.id,
      sub: keyed.id,
      aud: provider.url,
      exp: now + 60,
      iat: now,
      jti: crypto.randomUUID(),
      ...changes,
    };
    return signer.sign(claims);
  }

  const send = (client_assertion: string, changes: Record<string, string> = {}) =>
    post(token, {
      grant_type: "client_credentials",
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion,
      ...changes,
    });

  it("is accepted for the issuer or the token endpoint as audience", async () => {
    expect((await send(await assertion())).status).toBe(200);
    expect((await send(await assertion({ aud: token }))).status).toBe(200);
  });

  it("is accepted once, of eight at a time too (RFC 7523 §3 rule 7)", async () => {
    const one = await assertion();
    const replies = await Promise.all(Array.from({ length: 8 }, () => send(one)));
    expect(replies.filter((reply) => reply.status === 200)).toHaveLength(1);
    expect((await send(one)).body.error).toBe("invalid_client");
  });

  it("is refused when anything in it is wrong", async () => {
    const stranger = await aClientKey();
    const now = Math.floor(provider.clock.now().getTime() / 1000);
    const wrong = {
      "another key": await assertion({}, stranger),
      "another issuer": await assertion({ iss: client.id }),
      "another client": await assertion({ sub: client.id, iss: client.id }),
      "another audience": await assertion({ aud: "https://other.example" }),
      "several audiences": await assertion({ aud: [provider.url, "https://other.example"] }),
      expired: await assertion({ exp: now - 60 }),
      "no expiry": await assertion({ exp: undefined }),
      "a day long": await assertion({ exp: now + 86_400 }),
      "not yet valid": await assertion({ nbf: now + 600 }),
      "no jti": await assertion({ jti: undefined }),
      "alg none": `${Buffer.from('{"alg":"none"}').toString("base64url")}.${(await assertion()).split(".")[1]}.`,
      garbage: "a.b.c",
    };
    for (const [name, text] of Object.entries(wrong)) {
      const reply = await send(text);
      expect([reply.status, reply.body.error], name).toEqual([401, "invalid_client"]);
    }
    expect((await send(await assertion(), { client_assertion_type: "x" })).body.error).toBe(
      "invalid_request",
    );
    expect((await send(await assertion(), { client_id: client.id })).body.error).toBe("invalid_client");
    expect((await send(await assertion(), { client_secret: "x" })).body.error).toBe("invalid_request");
  });
});

describe("bad input", () => {
  it.each([
    ["no grant type", "", "application/x-www-form-urlencoded", 400, "invalid_request"],
    [
      "an unknown grant type",
      "grant_type=password",
      "application/x-www-form-urlencoded",
      400,
      "unsupported_grant_type",
    ],
    [
      "a repeated parameter (RFC 6749 §3.2)",
      "grant_type=a&grant_type=b",
      "application/x-www-form-urlencoded",
      400,
      "invalid_request",
    ],
    ["JSON", '{"grant_type":"client_credentials"}', "application/json", 415, "invalid_request"],
    ["malformed JSON", "{", "application/json", 400, "invalid_request"],
    ["another type", "<a/>", "text/xml", 415, "invalid_request"],
    ["invalid UTF-8", "grant_type=%ff", "application/x-www-form-urlencoded", 400, "invalid_request"],
    ["a null character", "grant_type=%00", "application/x-www-form-urlencoded", 400, "invalid_request"],
    [
      "a huge body",
      `a=${"x".repeat(2_000_000)}`,
      "application/x-www-form-urlencoded",
      413,
      "invalid_request",
    ],
  ])("%s is refused in OAuth's words", async (_name, body, type, status, error) => {
    const response = await fetch(token, {
      method: "POST",
      headers: { "content-type": type, authorization: basic(client) },
      body,
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error });
  });

  it("GET is no way to get a token (RFC 6749 §3.2)", async () => {
    const response = await fetch(token);
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toContain("POST");
  });

  it("an unknown tenant is not found", async () => {
    for (const path of ["/t/nobody/.well-known/openid-configuration", "/t/nobody/oauth/authorize"]) {
      expect((await fetch(provider.url + path)).status).toBe(404);
    }
  });
});
