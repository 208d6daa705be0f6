import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assignUser, unassignUser } from "../../packages/server/src/domain/applications/index.ts";
import { createUser, updateUser } from "../../packages/server/src/domain/users/index.ts";
import type { Browser } from "./browser.ts";
import {
  aProvider,
  authorize,
  type Client,
  claimsOf,
  type Provider,
  post,
  type Reply,
  redeem,
  refresh,
} from "./provider.ts";

const PARTING = "https://shop.example/bye";

let provider: Provider;
let client: Client;
let userId: string;
let ann: Browser;

beforeAll(async () => {
  provider = await aProvider();
  userId = (await provider.user()).id;
  client = await provider.client({ postLogoutRedirectUris: [PARTING] });
  ann = await provider.signedIn(userId);
});
afterAll(() => provider[Symbol.asyncDispose]());

async function tokens(scope = "openid", browser = ann, whose = client): Promise<Record<string, string>> {
  const reply = await redeem(provider, whose, await authorize(provider, whose, browser, { scope }));
  return reply.body as Record<string, string>;
}

const userinfo = (token: string | undefined, init: RequestInit = {}) =>
  fetch(`${provider.url}/oauth/userinfo`, {
    ...init,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(init.headers as object),
    },
  });

const introspect = (token: string, whose: Client = client): Promise<Reply> =>
  post(`${provider.url}/oauth/introspect`, { token }, { client: whose });

const revoke = (token: string, whose: Client = client): Promise<Reply> =>
  post(`${provider.url}/oauth/revoke`, { token }, { client: whose });

describe("userinfo (OIDC Core §5.3)", () => {
  it("says what the scopes stand for (§5.4)", async () => {
    const { access_token } = await tokens("openid profile email phone address");
    const response = await userinfo(access_token);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toEqual({
      sub: userId,
      name: "Ann Example",
      given_name: "Ann",
      preferred_username: "ann",
      updated_at: expect.any(Number),
      email: "ann@example.com",
      email_verified: true,
      phone_number: "+8613800000000",
      phone_number_verified: false,
      address: { locality: "Shanghai", country: "CN" },
    });
    expect(await (await userinfo((await tokens("openid email")).access_token)).json()).toEqual({
      sub: userId,
      email: "ann@example.com",
      email_verified: true,
    });
  });

  it("takes the token in the header or the body of a POST (RFC 6750 §2.1, §2.2)", async () => {
    const { access_token = "" } = await tokens();
    expect((await userinfo(access_token, { method: "POST" })).status).toBe(200);
    const inBody = { method: "POST", body: new URLSearchParams({ access_token }) };
    expect((await userinfo(undefined, inBody)).status).toBe(200);
    expect((await userinfo(access_token, inBody)).status).toBe(400);
  });

  it("never takes it in the address (RFC 9700 §4.3.2)", async () => {
    const { access_token } = await tokens();
    const response = await fetch(`${provider.url}/oauth/userinfo?access_token=${access_token}`);
    expect(response.status).toBe(401);
  });

  it("challenges as RFC 6750 §3 says", async () => {
    const none = await userinfo(undefined);
    expect(none.status).toBe(401);
    expect(none.headers.get("www-authenticate")).toBe('Bearer realm="ostiary"');
    const bad = await userinfo("garbage");
    expect(bad.status).toBe(401);
    expect(bad.headers.get("www-authenticate")).toContain('error="invalid_token"');
    const machine = await post(
      `${provider.url}/oauth/token`,
      { grant_type: "client_credentials" },
      { client },
    );
    const scope = await userinfo(String(machine.body.access_token));
    expect(scope.status).toBe(403);
    expect(scope.headers.get("www-authenticate")).toContain('error="insufficient_scope"');
    expect((await userinfo((await tokens("email")).access_token)).status).toBe(403);
    expect((await userinfo((await tokens()).id_token)).status).toBe(401); // an ID token is no access token
  });

  it("refuses an expired token, and another tenant's (RFC 9068 §4)", async () => {
    const { access_token, expires_in } = await tokens();
    await provider.otherTenant();
    const there = await fetch(`${provider.url}/t/other/oauth/userinfo`, {
      headers: { authorization: `Bearer ${access_token}` },
    });
    expect(there.status).toBe(401);
    expect((await userinfo(access_token)).status).toBe(200);
    provider.clock.advance(Number(expires_in));
    expect((await userinfo(access_token)).status).toBe(401);
  });
});

describe("a token in use", () => {
  it("is invalid as soon as its user is suspended, or may not use the application any more (RFC 6750 §3.1)", async () => {
    const eve = await createUser(provider.deps, provider.context, { username: "eve" });
    const browser = await provider.signedIn(eve.id);
    const members = await provider.client({ access: "assigned" });
    await assignUser(provider.deps, provider.context, members.id, eve.id);
    const one = (await tokens("openid", browser)).access_token;
    const two = (await tokens("openid", browser, members)).access_token;
    expect([(await userinfo(one)).status, (await userinfo(two)).status]).toEqual([200, 200]);

    await unassignUser(provider.deps, provider.context, members.id, eve.id);
    expect((await userinfo(two)).status).toBe(401);
    expect((await userinfo(one)).status).toBe(200);

    await updateUser(provider.deps, provider.context, eve.id, { status: "suspended" });
    expect((await userinfo(one)).status).toBe(401);
    expect((await userinfo(one)).headers.get("www-authenticate")).toContain('error="invalid_token"');
  });
});

describe("introspection (RFC 7662)", () => {
  it("says what a good token says, and nothing about a bad one", async () => {
    const { access_token = "", refresh_token = "", id_token = "" } = await tokens();
    expect((await introspect(access_token)).body).toMatchObject({
      active: true,
      sub: userId,
      client_id: client.id,
      scope: "openid",
      iss: provider.url,
      token_type: "Bearer",
    });
    expect((await introspect(refresh_token)).body).toMatchObject({
      active: true,
      token_type: "refresh_token",
    });
    for (const bad of [id_token, "x", `${access_token}x`, refresh_token.replace(/^./, "-")]) {
      expect((await introspect(bad)).body).toEqual({ active: false });
    }
  });

  it("is for who proves to be a client (§2.1)", async () => {
    const { access_token = "" } = await tokens();
    const url = `${provider.url}/oauth/introspect`;
    expect((await post(url, { token: access_token })).status).toBe(401);
    const spa = await provider.client({
      tokenEndpointAuthMethod: "none",
      grantTypes: ["authorization_code"],
    });
    expect((await post(url, { token: access_token, client_id: spa.id })).status).toBe(401);
    expect((await post(url, {}, { client })).body.error).toBe("invalid_request");
  });

  it("says of another client's refresh token, and of another tenant's token, that it is not active (§4)", async () => {
    const { refresh_token = "", access_token = "" } = await tokens();
    const stranger = await provider.client();
    expect((await introspect(refresh_token, stranger)).body).toEqual({ active: false });
    expect((await introspect(access_token, stranger)).body.active).toBe(true);
    const { createTenant } = await import("../../packages/server/src/domain/tenants/index.ts");
    const tenant = await createTenant(provider.deps, provider.context, { slug: "third", name: "Third" });
    const foreign = await provider.client({}, tenant.id);
    const there = await post(
      `${provider.url}/t/third/oauth/introspect`,
      { token: access_token },
      { client: foreign },
    );
    expect(there.body).toEqual({ active: false });
  });
});

describe("revocation (RFC 7009)", () => {
  it.each(["access_token", "refresh_token"] as const)(
    "of the %s ends all of the authorization",
    async (which) => {
      const all = await tokens();
      expect((await revoke(all[which] ?? "")).status).toBe(200);
      expect((await introspect(all.access_token ?? "")).body).toEqual({ active: false });
      expect((await refresh(provider, client, all.refresh_token)).body.error).toBe("invalid_grant");
    },
  );

  it("of a client credentials token works too", async () => {
    const reply = await post(`${provider.url}/oauth/token`, { grant_type: "client_credentials" }, { client });
    const token = String(reply.body.access_token);
    expect((await introspect(token)).body.active).toBe(true);
    await revoke(token);
    expect((await introspect(token)).body).toEqual({ active: false });
  });

  it("of nonsense is no error (§2.2); of another client's token it is (§2.1)", async () => {
    expect((await revoke("nonsense")).status).toBe(200);
    const { access_token = "" } = await tokens();
    const thief = await provider.client();
    expect((await revoke(access_token, thief)).body.error).toBe("invalid_grant");
    expect((await introspect(access_token)).body.active).toBe(true);
  });
});

describe("RP-initiated logout", () => {
  const endSession = (parameters: Record<string, string>) =>
    `${provider.url}/oauth/end-session?${new URLSearchParams(parameters)}`;

  it("with the session's ID token signs out at once and goes back with state (§2, §3)", async () => {
    const browser = await provider.signedIn(userId);
    const all = await tokens("openid", browser);
    const visit = await browser.visit(
      endSession({ id_token_hint: all.id_token ?? "", post_logout_redirect_uri: PARTING, state: "x y" }),
    );
    expect(visit.left?.href).toBe(`${PARTING}?state=x+y`);
    expect(browser.cookieNames()).not.toContain("ostiary_session");
    expect((await userinfo(all.access_token)).status).toBe(401);
  });

  it("without it asks first: a link from anywhere must not sign anybody out (§6)", async () => {
    const browser = await provider.signedIn(userId);
    const url = endSession({ client_id: client.id, post_logout_redirect_uri: PARTING, state: "s" });
    const page = await browser.visit(url);
    expect(page.url.pathname).toBe("/sign-out");
    const visit = await browser.submit(page, {});
    expect(visit.left?.href).toBe(`${PARTING}?state=s`);
  });

  it("with somebody else's ID token asks too", async () => {
    const bob = await createUser(provider.deps, provider.context, { username: "bob" });
    const all = await tokens("openid", await provider.signedIn(bob.id));
    const browser = await provider.signedIn(userId);
    const page = await browser.visit(endSession({ id_token_hint: all.id_token ?? "" }));
    expect(page.url.pathname).toBe("/sign-out");
  });

  it("goes nowhere but to registered addresses (§3)", async () => {
    const { id_token = "" } = await tokens();
    for (const parameters of [
      { post_logout_redirect_uri: PARTING },
      { id_token_hint: id_token, post_logout_redirect_uri: `${PARTING}/` },
      { id_token_hint: id_token, post_logout_redirect_uri: "https://evil.example/" },
      { id_token_hint: id_token, client_id: "f".repeat(24) },
    ]) {
      const visit = await ann.visit(endSession(parameters as Record<string, string>));
      expect(visit).toMatchObject({ status: 400, left: undefined });
    }
    expect((await userinfo((await tokens()).access_token)).status).toBe(200);
  });

  it("works for who is signed out already, and by POST", async () => {
    const browser = await provider.signedIn(userId);
    const { id_token = "" } = await tokens("openid", browser);
    const body = new URLSearchParams({ id_token_hint: id_token, post_logout_redirect_uri: PARTING });
    for (let time = 0; time < 2; time++) {
      const visit = await browser.visit(`${provider.url}/oauth/end-session`, { method: "POST", body });
      expect(visit.left?.href).toBe(PARTING);
    }
  });
});

describe("browsers of public clients (CORS)", () => {
  const preflight = (origin: string) =>
    fetch(`${provider.url}/oauth/token`, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
      },
    });

  it("may read discovery and keys from everywhere", async () => {
    for (const path of ["/.well-known/openid-configuration", "/oauth/jwks"]) {
      const response = await fetch(provider.url + path, { headers: { origin: "https://any.example" } });
      expect(response.headers.get("access-control-allow-origin")).toBe("*");
    }
  });

  it("may read answers from the origins of their own redirect URIs only", async () => {
    const spa = await provider.client({
      tokenEndpointAuthMethod: "none",
      grantTypes: ["authorization_code", "refresh_token"],
    });
    const { code, proof } = await authorize(provider, spa, ann);
    const form = {
      grant_type: "authorization_code",
      client_id: spa.id,
      code,
      redirect_uri: "https://shop.example/callback",
      code_verifier: proof.verifier,
    };
    expect((await preflight("https://shop.example")).status).toBe(204);
    const url = `${provider.url}/oauth/token`;
    const foreign = await post(url, { ...form, code: "x" }, { headers: { origin: "https://evil.example" } });
    expect(foreign.headers.get("access-control-allow-origin")).toBeNull();
    const own = await post(url, form, { headers: { origin: "https://shop.example" } });
    expect(own.headers.get("access-control-allow-origin")).toBe("https://shop.example");
    expect(own.headers.get("access-control-allow-credentials")).toBeNull();
    const info = await userinfo(String(own.body.access_token), {
      headers: { origin: "https://shop.example" },
    });
    expect(info.headers.get("access-control-allow-origin")).toBe("https://shop.example");
    expect(claimsOf(own.body.id_token).aud).toBe(spa.id);
  });
});
