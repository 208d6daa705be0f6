import * as oidc from "openid-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Browser, type Visit } from "./browser.ts";
import { aClientKey } from "./client-key.ts";
import { aProvider, CALLBACK, type Client, PASSWORD, type Provider } from "./provider.ts";

const PARTING = "https://shop.example/bye";

let provider: Provider;
let client: Client;
let userId: string;

beforeAll(async () => {
  provider = await aProvider();
  userId = (await provider.user()).id;
  client = await provider.client({ consent: "ask", postLogoutRedirectUris: [PARTING] });
});
afterAll(() => provider[Symbol.asyncDispose]());

const discover = (
  who = client,
  auth = oidc.ClientSecretBasic(who.secret),
  issuer = provider.url,
  options: oidc.DiscoveryRequestOptions = {},
) =>
  oidc.discovery(new URL(issuer), who.id, undefined, auth, {
    execute: [oidc.allowInsecureRequests],
    ...options,
  });

/** Signs in on the hosted page and allows what is asked. */
async function signIn(browser: Browser, page: Visit, username = "ann"): Promise<Visit> {
  const next = await browser.submit(page, { identifier: username, password: PASSWORD });
  return next.url.pathname.endsWith("/consent") ? browser.submit(next, { decision: "allow" }) : next;
}

/** The whole code flow, as the library does it, with its checks of state, nonce, iss and PKCE. */
async function flow(config: oidc.Configuration, scope: string, browser = new Browser()) {
  const verifier = oidc.randomPKCECodeVerifier();
  const state = oidc.randomState();
  const nonce = oidc.randomNonce();
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK,
    scope,
    state,
    nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  });
  const first = await browser.visit(url);
  const { left } = first.left ? first : await signIn(browser, first);
  if (!left) throw new Error("the flow did not come back");
  const checks = {
    pkceCodeVerifier: verifier,
    expectedState: state,
    expectedNonce: nonce,
    idTokenExpected: true,
  };
  return { tokens: await oidc.authorizationCodeGrant(config, left, checks), browser, left };
}

describe("openid-client, unmodified", () => {
  it("discovers, signs in on the hosted page, reads userinfo, refreshes, introspects, revokes, signs out", async () => {
    const config = await discover();
    oidc.enableNonRepudiationChecks(config); // the ID token's signature too, although it came over the back channel
    expect(config.serverMetadata().issuer).toBe(provider.url);

    const { tokens, browser } = await flow(config, "openid email offline_access");
    expect(tokens.claims()).toMatchObject({ sub: userId, iss: provider.url, aud: client.id });

    expect(await oidc.fetchUserInfo(config, tokens.access_token, userId)).toMatchObject({
      sub: userId,
      email: "ann@example.com",
    });

    const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? "");
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);
    expect(refreshed.claims()?.sub).toBe(userId);

    const before = await oidc.tokenIntrospection(config, refreshed.access_token);
    expect(before).toMatchObject({ active: true, sub: userId, username: "ann" });

    await oidc.tokenRevocation(config, refreshed.refresh_token ?? "");
    expect((await oidc.tokenIntrospection(config, refreshed.access_token)).active).toBe(false);
    await expect(oidc.refreshTokenGrant(config, refreshed.refresh_token ?? "")).rejects.toMatchObject({
      error: "invalid_grant",
    });

    const out = oidc.buildEndSessionUrl(config, {
      id_token_hint: tokens.id_token ?? "",
      post_logout_redirect_uri: PARTING,
      state: "s",
    });
    expect((await browser.visit(out)).left?.href).toBe(`${PARTING}?state=s`);
  });

  it.each(["ES256", "RS256", "EdDSA"] as const)(
    "verifies ID tokens signed with %s",
    async (idTokenSignedResponseAlg) => {
      const who = await provider.client({ settings: { idTokenSignedResponseAlg } });
      const config = await discover(who);
      oidc.enableNonRepudiationChecks(config);
      const { tokens } = await flow(config, "openid");
      expect(tokens.claims()?.sub).toBe(userId);
    },
  );

  it("authenticates by basic, post, key and not at all", async () => {
    const byPost = await provider.client({ tokenEndpointAuthMethod: "client_secret_post" });
    const key = await aClientKey();
    const keyed = await provider.client({ tokenEndpointAuthMethod: "private_key_jwt", jwks: key.jwks });
    for (const config of [
      await discover(),
      await discover(byPost, oidc.ClientSecretPost(byPost.secret)),
      await discover(keyed, oidc.PrivateKeyJwt({ key: key.privateKey, kid: key.kid })),
    ]) {
      const { access_token } = await oidc.clientCredentialsGrant(config);
      expect((await oidc.tokenIntrospection(config, access_token)).active).toBe(true);
    }
    const spa = await provider.client({
      tokenEndpointAuthMethod: "none",
      grantTypes: ["authorization_code", "refresh_token"],
    });
    const config = await discover(spa, oidc.None());
    const { tokens } = await flow(config, "openid");
    expect((await oidc.refreshTokenGrant(config, tokens.refresh_token ?? "")).access_token).toBeTruthy();
  });

  it("refuses an answer of another issuer: mix-up (RFC 9207 §2.4)", async () => {
    const config = await discover(await provider.client());
    const browser = await provider.signedIn(userId);
    const { left } = await flow(config, "openid", browser);
    left.searchParams.set("iss", "https://attacker.example");
    await expect(
      oidc.authorizationCodeGrant(config, left, { expectedState: left.searchParams.get("state") ?? "" }),
    ).rejects.toThrow();
  });

  it("works with a tenant of its own issuer, by both ways of discovery (RFC 8414 §3.1)", async () => {
    const other = await provider.otherTenant();
    const { createUser } = await import("../../packages/server/src/domain/users/index.ts");
    const { contextOf } = await import("../../packages/server/src/testing/test-deps.ts");
    const bob = await createUser(provider.deps, contextOf(other.id), {
      username: "bob",
      password: { plain: PASSWORD },
    });
    const who = await provider.client({}, other.id);
    const issuer = `${provider.url}/t/other`;
    for (const algorithm of ["oidc", "oauth2"] as const) {
      const config = await discover(who, oidc.ClientSecretBasic(who.secret), issuer, { algorithm });
      oidc.enableNonRepudiationChecks(config);
      const browser = new Browser();
      const verifier = oidc.randomPKCECodeVerifier();
      const url = oidc.buildAuthorizationUrl(config, {
        redirect_uri: CALLBACK,
        scope: "openid",
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
      });
      const page = await browser.visit(url);
      expect(page.url.pathname).toBe("/t/other/sign-in");
      const { left } = await signIn(browser, page, "bob");
      if (!left) throw new Error("the flow did not come back");
      const tokens = await oidc.authorizationCodeGrant(config, left, { pkceCodeVerifier: verifier });
      expect(tokens.claims()).toMatchObject({ iss: issuer, sub: bob.id });
      expect(await oidc.fetchUserInfo(config, tokens.access_token, bob.id)).toEqual({ sub: bob.id });
    }
  });

  it("finds the default tenant at /t/default too, as an issuer of its own", async () => {
    const who = await provider.client();
    const config = await discover(who, oidc.ClientSecretBasic(who.secret), `${provider.url}/t/default`);
    const { tokens } = await flow(config, "openid");
    expect(tokens.claims()?.iss).toBe(`${provider.url}/t/default`);
    expect(await oidc.fetchUserInfo(config, tokens.access_token, userId)).toMatchObject({ sub: userId });
  });
});
