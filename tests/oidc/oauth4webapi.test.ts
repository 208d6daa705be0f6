import * as oauth from "oauth4webapi";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aProvider, CALLBACK, type Client, type Provider } from "./provider.ts";

const insecure = { [oauth.allowInsecureRequests]: true };

let provider: Provider;
let who: Client;
let as: oauth.AuthorizationServer;
let client: oauth.Client;
let auth: oauth.ClientAuth;
let userId: string;

beforeAll(async () => {
  provider = await aProvider();
  userId = (await provider.user()).id;
  who = await provider.client();
  client = { client_id: who.id };
  auth = oauth.ClientSecretBasic(who.secret);
  const issuer = new URL(provider.url);
  as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
});
afterAll(() => provider[Symbol.asyncDispose]());

async function codeFlow(changes: Record<string, string> = {}) {
  const verifier = oauth.generateRandomCodeVerifier();
  const nonce = oauth.generateRandomNonce();
  const state = oauth.generateRandomState();
  const url = new URL(as.authorization_endpoint ?? "");
  url.search = new URLSearchParams({
    client_id: who.id,
    redirect_uri: CALLBACK,
    response_type: "code",
    scope: "openid email",
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    nonce,
    state,
    ...changes,
  }).toString();
  const browser = await provider.signedIn(userId);
  const { left } = await browser.visit(url);
  if (!left) throw new Error("the flow did not come back");
  const params = oauth.validateAuthResponse(as, client, left, state);
  const response = await oauth.authorizationCodeGrantRequest(
    as,
    client,
    auth,
    params,
    CALLBACK,
    verifier,
    insecure,
  );
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, {
    expectedNonce: nonce,
    requireIdToken: true,
    ...(changes.max_age === undefined ? {} : { maxAge: Number(changes.max_age) }),
  });
  await oauth.validateApplicationLevelSignature(as, response, insecure);
  return tokens;
}

describe("oauth4webapi, unmodified", () => {
  it("accepts the code flow with all its checks, the ID token's signature and auth_time included", async () => {
    const tokens = await codeFlow({ max_age: "3600" });
    expect(oauth.getValidatedIdTokenClaims(tokens)).toMatchObject({
      sub: userId,
      auth_time: expect.any(Number),
    });
  });

  it("reads userinfo", async () => {
    const tokens = await codeFlow();
    const response = await oauth.userInfoRequest(as, client, tokens.access_token, insecure);
    expect(await oauth.processUserInfoResponse(as, client, userId, response)).toMatchObject({
      email: "ann@example.com",
    });
  });

  it("refreshes", async () => {
    const tokens = await codeFlow();
    const response = await oauth.refreshTokenGrantRequest(
      as,
      client,
      auth,
      tokens.refresh_token ?? "",
      insecure,
    );
    const refreshed = await oauth.processRefreshTokenResponse(as, client, response);
    expect(oauth.getValidatedIdTokenClaims(refreshed)?.sub).toBe(userId);
  });

  it("accepts the access token as a resource server (RFC 9068 §4)", async () => {
    const tokens = await codeFlow();
    const request = new Request("https://api.example/", {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    const claims = await oauth.validateJwtAccessToken(as, request, provider.url, insecure);
    expect(claims).toMatchObject({ sub: userId, client_id: who.id, scope: "openid email" });
  });

  it("gets client credentials, introspects and revokes them", async () => {
    const response = await oauth.clientCredentialsGrantRequest(as, client, auth, {}, insecure);
    const { access_token } = await oauth.processClientCredentialsResponse(as, client, response);
    const introspect = async () =>
      oauth.processIntrospectionResponse(
        as,
        client,
        await oauth.introspectionRequest(as, client, auth, access_token, insecure),
      );
    expect(await introspect()).toMatchObject({ active: true, client_id: who.id });
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(as, client, auth, access_token, insecure),
    );
    expect((await introspect()).active).toBe(false);
  });

  it("finds metadata at the place of RFC 8414 §3.1", async () => {
    const issuer = new URL(provider.url);
    const response = await oauth.discoveryRequest(issuer, { ...insecure, algorithm: "oauth2" });
    expect(await oauth.processDiscoveryResponse(issuer, response)).toEqual(as);
  });
});
