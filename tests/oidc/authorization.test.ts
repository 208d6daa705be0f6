import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { updateApplication } from "../../packages/server/src/domain/applications/index.ts";
import { createUser, updateUser } from "../../packages/server/src/domain/users/index.ts";
import { Browser, type Visit } from "./browser.ts";
import {
  aProvider,
  authorize,
  authorizeUrl,
  CALLBACK,
  type Client,
  claimsOf,
  PASSWORD,
  type Provider,
  redeem,
} from "./provider.ts";

let provider: Provider;
let client: Client;
let userId: string;
let ann: Browser;

beforeAll(async () => {
  provider = await aProvider();
  userId = (await provider.user()).id;
  client = await provider.client();
  ann = await provider.signedIn(userId);
});
afterAll(() => provider[Symbol.asyncDispose]());

/** What the client hears. */
async function answer(changes: Record<string, string | undefined>, browser = ann): Promise<URLSearchParams> {
  const visit = await browser.visit(authorizeUrl(provider, client, changes));
  if (!visit.left) throw new Error(`stayed at ${visit.url} with ${visit.status}\n${visit.html}`);
  return visit.left.searchParams;
}

async function signInAndGoOn(browser: Browser, page: Visit): Promise<Visit> {
  expect(page.url.pathname).toBe("/sign-in");
  return browser.submit(page, { identifier: "ann", password: PASSWORD });
}

describe("what may never be sent to the address in the request (RFC 6749 §4.1.2.1)", () => {
  const disguises = [
    `${CALLBACK}/`,
    `${CALLBACK}?a=b`,
    `${CALLBACK}#x`,
    `${CALLBACK}/..`,
    "https://shop.example/callback%2F",
    "https://shop.example/CALLBACK",
    "https://shop.example:443/callback",
    "https://shop.example@evil.example/callback",
    "https://shop.example.evil.example/callback",
    "http://shop.example/callback",
    "https://shop.example\\@evil.example/callback",
    "//shop.example/callback",
    "javascript:alert(1)",
    "https://SHOP.example/callback",
    " https://shop.example/callback",
  ];
  it.each(disguises)("redirect URI %s is not the registered one (RFC 9700 §4.1.3)", async (redirect_uri) => {
    const visit = await ann.visit(authorizeUrl(provider, client, { redirect_uri }));
    expect(visit).toMatchObject({ status: 400, left: undefined });
    expect(visit.html).toContain("<html");
  });

  it("an unknown, disabled, missing or another tenant's client", async () => {
    const disabled = await provider.client();
    await updateApplication(provider.deps, provider.context, disabled.id, { status: "disabled" });
    const foreign = await provider.client({}, (await provider.otherTenant()).id);
    for (const client_id of [undefined, "f".repeat(24), "x", disabled.id, foreign.id]) {
      const visit = await ann.visit(authorizeUrl(provider, client, { client_id }));
      expect(visit).toMatchObject({ status: 400, left: undefined });
    }
  });

  it("a repeated parameter (RFC 6749 §3.1)", async () => {
    const url = authorizeUrl(provider, client);
    url.searchParams.append("redirect_uri", "https://evil.example/");
    expect(await ann.visit(url)).toMatchObject({ status: 400, left: undefined });
  });

  it("a missing redirect URI of an OpenID Connect request (OIDC Core §3.1.2.1)", async () => {
    const visit = await ann.visit(authorizeUrl(provider, client, { redirect_uri: undefined }));
    expect(visit).toMatchObject({ status: 400, left: undefined });
  });
});

describe("what the client is told", () => {
  const refusals: [string, Record<string, string | undefined>, string][] = [
    ["no response type (RFC 6749 §4.1.2.1)", { response_type: undefined }, "invalid_request"],
    ["the implicit grant (RFC 9700 §2.1.2)", { response_type: "token" }, "unsupported_response_type"],
    ["a hybrid flow", { response_type: "code id_token" }, "unsupported_response_type"],
    ["an unknown response mode", { response_mode: "jwt" }, "invalid_request"],
    ["a request object (OIDC Core §6.1)", { request: "e30.e30." }, "request_not_supported"],
    [
      "a request object by reference (OIDC Core §6.2)",
      { request_uri: "https://a.example/r" },
      "request_uri_not_supported",
    ],
    ["registration in the request (OIDC Core §7.2.1)", { registration: "{}" }, "registration_not_supported"],
    ["PKCE with plain (RFC 9700 §2.1.1)", { code_challenge_method: "plain" }, "invalid_request"],
    [
      "PKCE with the default method, which is plain (RFC 7636 §4.3)",
      { code_challenge_method: undefined },
      "invalid_request",
    ],
    ["a malformed challenge (RFC 7636 §4.2)", { code_challenge: "short" }, "invalid_request"],
    ["a method without a challenge", { code_challenge: undefined }, "invalid_request"],
    ["prompt=none with another (OIDC Core §3.1.2.1)", { prompt: "none login" }, "invalid_request"],
    ["an unknown prompt", { prompt: "dance" }, "invalid_request"],
    ["a max_age that is no number", { max_age: "-1" }, "invalid_request"],
    ["claims that are no JSON object (OIDC Core §5.5)", { claims: "[]" }, "invalid_request"],
    ["an id_token_hint of somebody else", { id_token_hint: "e30.e30.e30" }, "invalid_request"],
    ["a malformed scope (RFC 6749 §3.3)", { scope: 'openid "x"' }, "invalid_scope"],
    ["only scopes it may not have", { scope: "manage" }, "invalid_scope"],
  ];
  it.each(refusals)("%s", async (_name, changes, error) => {
    const params = await answer(changes);
    expect(Object.fromEntries(params)).toMatchObject({ error, state: "state-1", iss: provider.url });
    expect(params.get("code")).toBeNull();
  });

  it("who may not use the code grant is told so (RFC 6749 §4.1.2.1)", async () => {
    const machine = await provider.client({ grantTypes: ["client_credentials"] });
    const visit = await ann.visit(authorizeUrl(provider, machine));
    expect(visit.left?.searchParams.get("error")).toBe("unauthorized_client");
  });
});

describe("PKCE (RFC 9700 §2.1.1)", () => {
  const without = { code_challenge: undefined, code_challenge_method: undefined };

  it("is required of public clients, nonce or not", async () => {
    const spa = await provider.client({
      tokenEndpointAuthMethod: "none",
      grantTypes: ["authorization_code"],
    });
    const visit = await ann.visit(authorizeUrl(provider, spa, without));
    expect(visit.left?.searchParams.get("error")).toBe("invalid_request");
  });

  it("may be left out by a confidential client with a nonce, and by no other", async () => {
    expect((await answer(without)).get("code")).toBeTruthy();
    expect((await answer({ ...without, nonce: undefined })).get("error")).toBe("invalid_request");
    expect((await answer({ ...without, scope: "email" })).get("error")).toBe("invalid_request");
  });
});

describe("the answer", () => {
  it("carries code, state and iss in the query (RFC 9207 §2)", async () => {
    const params = await answer({ state: "ä&=#+ " });
    expect([...params.keys()].sort()).toEqual(["code", "iss", "state"]);
    expect(params.get("state")).toBe("ä&=#+ ");
    expect(params.get("iss")).toBe(provider.url);
  });

  it("comes in the fragment when asked (response_mode=fragment)", async () => {
    const { left } = await ann.visit(authorizeUrl(provider, client, { response_mode: "fragment" }));
    expect(left?.search).toBe("");
    expect(new URLSearchParams(left?.hash.slice(1)).get("code")).toBeTruthy();
  });

  it("comes as a form that sends itself when asked (Form Post Response Mode §2)", async () => {
    const visit = await ann.visit(
      authorizeUrl(provider, client, { response_mode: "form_post", state: '"><b>' }),
    );
    expect(visit.status).toBe(200);
    expect(visit.html).toContain(`action="${CALLBACK}"`);
    expect(visit.html).toMatch(/name="code" value="[^"]+"/);
    expect(visit.html).not.toContain('"><b>');
  });

  it("keeps the query of a registered redirect URI (RFC 6749 §3.1.2)", async () => {
    const redirect_uri = "https://shop.example/cb?tenant=1";
    const other = await provider.client({ redirectUris: [redirect_uri] });
    const { left } = await ann.visit(authorizeUrl(provider, other, { redirect_uri }));
    expect(left?.searchParams.get("tenant")).toBe("1");
    expect(left?.searchParams.get("code")).toBeTruthy();
  });

  it("may go to any port of the loopback interface for a public client (RFC 8252 §7.3)", async () => {
    const native = await provider.client({
      tokenEndpointAuthMethod: "none",
      grantTypes: ["authorization_code"],
      redirectUris: ["http://127.0.0.1/done"],
    });
    const { left } = await ann.visit(
      authorizeUrl(provider, native, { redirect_uri: "http://127.0.0.1:51004/done" }),
    );
    expect(left?.port).toBe("51004");
    for (const redirect_uri of [
      "http://127.0.0.1:51004/other",
      "http://127.0.0.2:5/done",
      "https://127.0.0.1:5/done",
    ]) {
      const visit = await ann.visit(authorizeUrl(provider, native, { redirect_uri }));
      expect(visit).toMatchObject({ status: 400, left: undefined });
    }
  });

  it("is sent with 303 and kept by nobody (RFC 9700 §4.12)", async () => {
    const response = await ann.request(authorizeUrl(provider, client));
    expect(response.status).toBe(303);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
  });

  it("is the same for a POST (OIDC Core §3.1.2.1)", async () => {
    const url = authorizeUrl(provider, client);
    const visit = await ann.visit(`${provider.url}/oauth/authorize`, {
      method: "POST",
      body: url.searchParams,
    });
    expect(visit.left?.searchParams.get("code")).toBeTruthy();
  });
});

describe("who is signed in", () => {
  it("nobody: the hosted page asks, and the authorization goes on afterwards", async () => {
    const browser = new Browser();
    const page = await browser.visit(authorizeUrl(provider, client, { login_hint: "ann" }));
    expect(page.html).toContain('value="ann"');
    const visit = await signInAndGoOn(browser, page);
    expect(visit.left?.searchParams.get("code")).toBeTruthy();
    expect(visit.left?.searchParams.get("state")).toBe("state-1");
  });

  it("the same page in another browser leads nowhere: flows cannot be passed on (RFC 9700 §4.7)", async () => {
    const browser = new Browser();
    const page = await browser.visit(authorizeUrl(provider, client));
    const flow = page.url.searchParams.get("flow");
    for (const path of [`/sign-in?flow=${flow}`, `/oauth/authorize/resume?flow=${flow}`]) {
      const visit = await new Browser().visit(`${provider.url}${path}`);
      expect(visit.left).toBeUndefined();
      expect(visit.status).toBe(404);
    }
  });

  it("a flow gives one code: going back does not give another", async () => {
    const browser = new Browser();
    const page = await browser.visit(authorizeUrl(provider, client));
    await signInAndGoOn(browser, page);
    const again = await browser.visit(
      `${provider.url}/oauth/authorize/resume?flow=${page.url.searchParams.get("flow")}`,
    );
    expect(again).toMatchObject({ status: 404, left: undefined });
  });

  it("an unfinished flow gives nothing", async () => {
    const browser = new Browser();
    const page = await browser.visit(authorizeUrl(provider, client));
    const early = await browser.visit(
      `${provider.url}/oauth/authorize/resume?flow=${page.url.searchParams.get("flow")}`,
    );
    expect(early.left).toBeUndefined();
    expect(early.status).toBe(400);
  });

  it("prompt=none and nobody: login_required (OIDC Core §3.1.2.6)", async () => {
    expect((await answer({ prompt: "none" }, new Browser())).get("error")).toBe("login_required");
  });

  it("prompt=none and somebody: a code without a page", async () => {
    expect((await answer({ prompt: "none" })).get("code")).toBeTruthy();
  });

  it.each(["login", "select_account"])(
    "prompt=%s asks although somebody is signed in (OIDC Core §3.1.2.3)",
    async (prompt) => {
      const browser = await provider.signedIn(userId);
      provider.clock.advance(5);
      const page = await browser.visit(authorizeUrl(provider, client, { prompt }));
      const visit = await signInAndGoOn(browser, page);
      expect(visit.left?.searchParams.get("code")).toBeTruthy();
    },
  );

  it("max_age: asks when the sign-in is older, and auth_time says when it was (OIDC Core §2)", async () => {
    const browser = await provider.signedIn(userId);
    const first = await redeem(
      provider,
      client,
      await authorize(provider, client, browser, { max_age: "100" }),
    );
    provider.clock.advance(101);
    expect((await answer({ max_age: "100", prompt: "none" }, browser)).get("error")).toBe("login_required");
    const url = authorizeUrl(provider, client, {
      max_age: "100",
      code_challenge: undefined,
      code_challenge_method: undefined,
    });
    const visit = await signInAndGoOn(browser, await browser.visit(url));
    const code = visit.left?.searchParams.get("code") ?? "";
    const second = await redeem(
      provider,
      client,
      { code, proof: { verifier: "", challenge: "" } },
      { code_verifier: undefined },
    );
    const before = Number(claimsOf(first.body.id_token).auth_time);
    expect(Number(claimsOf(second.body.id_token).auth_time)).toBeGreaterThanOrEqual(before + 101);
  });

  it("max_age=0 always asks", async () => {
    const browser = await provider.signedIn(userId);
    provider.clock.advance(1);
    expect((await browser.visit(authorizeUrl(provider, client, { max_age: "0" }))).url.pathname).toBe(
      "/sign-in",
    );
  });

  it("another one than id_token_hint says: not answered for her (OIDC Core §3.1.2.1)", async () => {
    const tokens = await redeem(provider, client, await authorize(provider, client, ann));
    const hint = String(tokens.body.id_token);
    expect((await answer({ prompt: "none", id_token_hint: hint })).get("code")).toBeTruthy();
    const bob = await createUser(provider.deps, provider.context, {
      username: "bob",
      password: { plain: PASSWORD },
    });
    const browser = await provider.signedIn(bob.id);
    expect((await answer({ prompt: "none", id_token_hint: hint }, browser)).get("error")).toBe(
      "login_required",
    );
    const page = await browser.visit(authorizeUrl(provider, client, { id_token_hint: hint }));
    const asBob = await browser.submit(page, { identifier: "bob", password: PASSWORD });
    expect(asBob.left?.searchParams.get("error")).toBe("login_required");
  });

  it("another one than claims.id_token.sub demands (OIDC Core §5.5.1)", async () => {
    const claims = (value: string) => JSON.stringify({ id_token: { sub: { value } } });
    expect((await answer({ prompt: "none", claims: claims("f".repeat(24)) })).get("error")).toBe(
      "login_required",
    );
    expect((await answer({ prompt: "none", claims: claims(userId) })).get("code")).toBeTruthy();
  });

  it("a suspended user, or one without access: access_denied (RFC 6749 §4.1.2.1)", async () => {
    const eve = await createUser(provider.deps, provider.context, { username: "eve" });
    const browser = await provider.signedIn(eve.id);
    const closed = await provider.client({ access: "assigned" });
    const visit = await browser.visit(authorizeUrl(provider, closed));
    expect(visit.left?.searchParams.get("error")).toBe("access_denied");
    await updateUser(provider.deps, provider.context, eve.id, { status: "suspended" });
    expect((await answer({ prompt: "none" }, browser)).get("error")).toMatch(/access_denied|login_required/);
  });
});

describe("consent (OIDC Core §3.1.2.4)", () => {
  it("is asked once, remembered, and asked again for more and for prompt=consent", async () => {
    const third = await provider.client({ consent: "ask" });
    const browser = await provider.signedIn(userId);
    const url = (changes: Record<string, string>) => authorizeUrl(provider, third, changes);

    expect((await browser.visit(url({ prompt: "none" }))).left?.searchParams.get("error")).toBe(
      "consent_required",
    );
    const page = await browser.visit(url({}));
    expect(page.url.pathname).toBe("/consent");
    const allowed = await browser.submit(page, { decision: "allow" });
    expect(allowed.left?.searchParams.get("code")).toBeTruthy();

    expect((await browser.visit(url({ prompt: "none" }))).left?.searchParams.get("code")).toBeTruthy();
    expect((await browser.visit(url({ scope: "openid email" }))).url.pathname).toBe("/consent");
    provider.clock.advance(1);
    const again = await browser.visit(url({ prompt: "consent" }));
    expect(again.url.pathname).toBe("/consent");
    const reload = await browser.visit(
      `${provider.url}/oauth/authorize/resume?flow=${again.url.searchParams.get("flow")}`,
    );
    expect(reload.url.pathname).toBe("/consent"); // the old consent does not answer the new question
    const allowedAgain = await browser.submit(again, { decision: "allow" });
    expect(allowedAgain.left?.searchParams.get("code")).toBeTruthy();
  });

  it("that is refused is access_denied, and may be asked again", async () => {
    const third = await provider.client({ consent: "ask" });
    const browser = await provider.signedIn(userId);
    const page = await browser.visit(authorizeUrl(provider, third));
    const denied = await browser.submit(page, { decision: "deny" });
    expect(Object.fromEntries(denied.left?.searchParams ?? [])).toMatchObject({
      error: "access_denied",
      state: "state-1",
      iss: provider.url,
    });
    expect((await browser.visit(authorizeUrl(provider, third))).url.pathname).toBe("/consent");
  });

  it("comes after the sign-in in one flow", async () => {
    const third = await provider.client({ consent: "ask" });
    const browser = new Browser();
    const consent = await signInAndGoOn(browser, await browser.visit(authorizeUrl(provider, third)));
    expect(consent.url.pathname).toBe("/consent");
    const visit = await browser.submit(consent, { decision: "allow" });
    expect(visit.left?.searchParams.get("code")).toBeTruthy();
  });
});
