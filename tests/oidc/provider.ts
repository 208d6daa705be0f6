import { createHash, randomBytes } from "node:crypto";
import type { CreateApplication } from "@ostiary/contracts";
import { createApplication } from "../../packages/server/src/domain/applications/index.ts";
import { createSession } from "../../packages/server/src/domain/sessions/index.ts";
import { createTenant } from "../../packages/server/src/domain/tenants/index.ts";
import { createUser } from "../../packages/server/src/domain/users/index.ts";
import {
  aServer,
  type TestServer,
  type TestServerOptions,
} from "../../packages/server/src/testing/a-server.ts";
import { contextOf } from "../../packages/server/src/testing/test-deps.ts";
import { Browser } from "./browser.ts";

export const PASSWORD = "correct horse battery staple";
export const CALLBACK = "https://shop.example/callback";

export interface Client {
  id: string;
  secret: string;
}

/** A running server with a user and what tests need to make clients and sign-ins. */
export async function aProvider(options: TestServerOptions = {}) {
  const server = await aServer({ listen: true, ...options });
  const { deps, tenantId } = server;
  const context = contextOf(tenantId);
  return {
    ...parts(server),
    server,
    context,
    /** A user `ann`, whose password is PASSWORD. */
    user: () =>
      createUser(deps, context, {
        username: "ann",
        email: "ann@example.com",
        emailVerified: true,
        name: "Ann Example",
        phone: "+8613800000000",
        password: { plain: PASSWORD },
        profile: { givenName: "Ann", address: { locality: "Shanghai", country: "CN" } },
      }),
    otherTenant: () => createTenant(deps, context, { slug: "other", name: "Other" }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

export type Provider = Awaited<ReturnType<typeof aProvider>>;

function parts(server: TestServer) {
  const { deps, tenantId, url } = server;
  return {
    url,
    deps,
    clock: server.clock,
    /** Confidential, first party, with `client_secret_basic`, unless told otherwise. */
    client: async (overrides: Partial<CreateApplication> = {}, tenant = tenantId): Promise<Client> => {
      const { application, secret } = await createApplication(deps, contextOf(tenant), {
        slug: `shop-${randomBytes(4).toString("hex")}`,
        name: "Shop",
        redirectUris: [CALLBACK],
        consent: "implicit",
        grantTypes: ["authorization_code", "refresh_token", "client_credentials"],
        ...overrides,
      });
      return { id: application.id, secret: secret ?? "" };
    },
    /** A browser in which this user is signed in. */
    signedIn: async (userId: string, tenant = tenantId, name = "ostiary_session"): Promise<Browser> => {
      const { cookie } = await createSession(deps, contextOf(tenant), { userId, amr: ["pwd"] });
      const browser = new Browser();
      browser.setCookie(name, cookie);
      return browser;
    },
  };
}

export interface Pkce {
  verifier: string;
  challenge: string;
}

export function pkce(): Pkce {
  const verifier = randomBytes(32).toString("base64url");
  return { verifier, challenge: createHash("sha256").update(verifier).digest("base64url") };
}

/** An authorization request that nothing is wrong with, and what is changed in it (`undefined` leaves out). */
export function authorizeUrl(
  provider: { url: string },
  client: Client,
  changes: Record<string, string | undefined> = {},
  proof: Pkce = pkce(),
): URL {
  const url = new URL(`${provider.url}/oauth/authorize`);
  const parameters = {
    response_type: "code",
    client_id: client.id,
    redirect_uri: CALLBACK,
    scope: "openid",
    state: "state-1",
    nonce: "nonce-1",
    code_challenge: proof.challenge,
    code_challenge_method: "S256",
    ...changes,
  };
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined) url.searchParams.set(name, value);
  return url;
}

export interface Reply {
  status: number;
  headers: Headers;
  // The answers of OAuth endpoints, which every test reads differently.
  body: Record<string, unknown>;
}

/** A form post, as clients make it. */
export async function post(
  url: string,
  form: Record<string, string>,
  init: { client?: Client; headers?: Record<string, string> } = {},
): Promise<Reply> {
  const headers: Record<string, string> = { ...init.headers };
  if (init.client) headers.authorization = basic(init.client);
  const response = await fetch(url, { method: "POST", headers, body: new URLSearchParams(form) });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? {} : JSON.parse(text) };
}

export function basic({ id, secret }: Client): string {
  const encode = (text: string) => encodeURIComponent(text).replaceAll("%20", "+");
  return `Basic ${Buffer.from(`${encode(id)}:${encode(secret)}`).toString("base64")}`;
}

export interface Grant {
  code: string;
  proof: Pkce;
}

/** Lets a signed-in browser authorize, and takes the code from where it is sent. */
export async function authorize(
  provider: { url: string },
  client: Client,
  browser: Browser,
  changes: Record<string, string | undefined> = {},
): Promise<Grant> {
  const proof = pkce();
  const visit = await browser.visit(authorizeUrl(provider, client, changes, proof));
  const code = visit.left?.searchParams.get("code");
  if (!code) throw new Error(`no code: ${visit.status} ${visit.left ?? visit.html}`);
  return { code, proof };
}

export function redeem(
  provider: { url: string },
  client: Client,
  grant: Grant,
  changes: Record<string, string | undefined> = {},
): Promise<Reply> {
  const form = {
    grant_type: "authorization_code",
    code: grant.code,
    redirect_uri: CALLBACK,
    code_verifier: grant.proof.verifier,
    ...changes,
  };
  return post(`${provider.url}/oauth/token`, defined(form), { client });
}

export function refresh(
  provider: { url: string },
  client: Client,
  token: unknown,
  changes: Record<string, string> = {},
): Promise<Reply> {
  const form = { grant_type: "refresh_token", refresh_token: String(token), ...changes };
  return post(`${provider.url}/oauth/token`, form, { client });
}

/** The part of a token that can be read. */
export function claimsOf(token: unknown): Record<string, unknown> {
  return JSON.parse(Buffer.from(String(token).split(".")[1] ?? "", "base64url").toString("utf8"));
}

function defined(values: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
