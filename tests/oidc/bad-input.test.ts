import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { STEPS_OF } from "../../packages/server/src/protocols/oidc/table.ts";
import type { Browser } from "./browser.ts";
import { aProvider, authorizeUrl, basic, CALLBACK, type Client, type Provider } from "./provider.ts";

let provider: Provider;
let client: Client;
let ann: Browser;

beforeAll(async () => {
  provider = await aProvider();
  client = await provider.client();
  ann = await provider.signedIn((await provider.user()).id);
});
afterAll(() => provider[Symbol.asyncDispose]());

const NAMES = [
  "response_type",
  "response_mode",
  "client_id",
  "redirect_uri",
  "scope",
  "state",
  "nonce",
  "code_challenge",
  "code_challenge_method",
  "prompt",
  "max_age",
  "claims",
  "id_token_hint",
  "ui_locales",
  "login_hint",
  "grant_type",
  "code",
  "code_verifier",
  "refresh_token",
  "token",
  "client_secret",
  "client_assertion",
  "client_assertion_type",
  "post_logout_redirect_uri",
  "__proto__",
  "constructor",
];

/** Half a right value, half anything. */
const parameters = () =>
  fc.dictionary(
    fc.constantFrom(...NAMES),
    fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: "binary" }),
      fc.constantFrom(
        "code",
        "openid",
        "none",
        "S256",
        "authorization_code",
        "refresh_token",
        "{}",
        "[",
        "a.b.c",
      ),
      fc.constantFrom(
        "\u0000",
        "\uD800",
        "'",
        '"',
        "%",
        "\r\nx: y",
        "9".repeat(400),
        "null",
        "-1",
        "A".repeat(64),
      ),
      fc.constantFrom(CALLBACK, "client_credentials", '{"userinfo":{"email":null}}', "true"),
    ),
    { maxKeys: 12 },
  );

describe("whatever is sent", () => {
  it("the authorization endpoint answers a page, a redirect or a refusal, never an error of ours", async () => {
    await fc.assert(
      fc.asyncProperty(parameters(), fc.boolean(), fc.boolean(), async (values, good, post) => {
        const url = new URL(`${provider.url}/oauth/authorize`);
        if (good) url.search = authorizeUrl(provider, client).search;
        for (const [name, value] of Object.entries(values)) {
          if (!good || (name !== "client_id" && name !== "redirect_uri")) url.searchParams.set(name, value);
        }
        const response = post
          ? await ann.request(`${provider.url}/oauth/authorize`, { method: "POST", body: url.searchParams })
          : await ann.request(url);
        expect(response.status, url.href).toBeLessThan(500);
        const location = response.headers.get("location");
        if (location && !location.startsWith("/")) expect(location.startsWith(CALLBACK)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it.each(["token", "introspect", "revoke", "userinfo"])(
    "%s answers in OAuth's words, below 500",
    async (name) => {
      await fc.assert(
        fc.asyncProperty(parameters(), fc.boolean(), async (values, authenticated) => {
          const response = await fetch(`${provider.url}/oauth/${name}`, {
            method: "POST",
            headers: authenticated && name !== "userinfo" ? { authorization: basic(client) } : {},
            body: new URLSearchParams(values),
          });
          expect(response.status).toBeLessThan(500);
          if (response.status >= 400)
            expect(await response.json()).toMatchObject({ error: expect.any(String) });
        }),
        { numRuns: 100 },
      );
    },
  );

  it("end-session leads nowhere unknown", async () => {
    await fc.assert(
      fc.asyncProperty(parameters(), async (values) => {
        const response = await fetch(`${provider.url}/oauth/end-session?${new URLSearchParams(values)}`, {
          redirect: "manual",
        });
        expect(response.status).toBeLessThan(500);
        expect(response.headers.get("location") ?? "/").toMatch(/^\//);
      }),
      { numRuns: 100 },
    );
  });

  it("HEAD uses nothing up and issues nothing", async () => {
    const response = await ann.request(authorizeUrl(provider, client), { method: "HEAD" });
    expect([404, 405]).toContain(response.status);
  });

  it("an unknown tenant, or a form that cannot be read, is answered with our page", async () => {
    const unknown = await fetch(`${provider.url}/t/nobody/oauth/authorize`);
    expect(unknown.status).toBe(404);
    expect(unknown.headers.get("content-type")).toContain("text/html");
    const large = await fetch(`${provider.url}/oauth/authorize`, {
      method: "POST",
      body: new URLSearchParams({ state: "x".repeat(100_000) }),
    });
    expect(large.status).toBe(413);
    expect(large.headers.get("content-type")).toContain("text/html");
  });
});

describe("the table", () => {
  it("has steps for every endpoint, and each step once", () => {
    for (const steps of Object.values(STEPS_OF)) {
      expect(steps.length).toBeGreaterThan(1);
      expect(new Set(steps).size).toBe(steps.length);
    }
  });
});
