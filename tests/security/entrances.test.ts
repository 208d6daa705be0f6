import { createHash } from "node:crypto";
import { glob, readFile } from "node:fs/promises";
import type { TenantSettingsPatch } from "@ostiary/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRole } from "../../packages/server/src/domain/access/index.ts";
import { createApplication } from "../../packages/server/src/domain/applications/index.ts";
import { beginTotp, confirmTotp } from "../../packages/server/src/domain/credentials/index.ts";
import { findTenantById, updateSettings } from "../../packages/server/src/domain/tenants/index.ts";
import { createUser } from "../../packages/server/src/domain/users/index.ts";
import { Visitor } from "../../packages/server/src/pages/testing/visitor.ts";
import { aServer, type TestServer } from "../../packages/server/src/testing/a-server.ts";
import { shownByApp } from "../../packages/server/src/testing/authenticator-app.ts";
import { contextOf } from "../../packages/server/src/testing/test-deps.ts";

const PASSWORD = "correct horse battery staple";
const ORIGIN = "https://shop.example";
const challenge = createHash("sha256").update("v".repeat(43)).digest("base64url");

let server: TestServer;
interface Credentials {
  id: string;
  secret: string;
}
let shop: Credentials;
let phone: string;

beforeAll(async () => {
  server = await aServer();
  shop = await anApplication("shop");
  await createRole(server.deps, contextOf(server.tenantId), { code: "member", name: "Member" });
  phone = (await anApplication("phone", { tokenEndpointAuthMethod: "none", headlessSignIn: true })).id;
});
afterAll(() => server[Symbol.asyncDispose]());

async function anApplication(
  slug: string,
  more: {
    tokenEndpointAuthMethod?: "none";
    headlessSignIn?: boolean;
    secondFactor?: "always" | "enrolled";
  } = {},
): Promise<Credentials> {
  const { tokenEndpointAuthMethod = "client_secret_basic", ...settings } = more;
  const { application, secret } = await createApplication(server.deps, contextOf(server.tenantId), {
    slug,
    name: slug,
    redirectUris: [`${ORIGIN}/callback`],
    allowedReturnOrigins: [ORIGIN],
    tokenEndpointAuthMethod,
    consent: "implicit",
    settings,
  });
  return { id: application.id, secret: secret ?? "" };
}

let people = 0;
async function aPerson(has: { totp?: boolean; administrator?: boolean; role?: string } = {}) {
  const { deps, tenantId } = server;
  const context = contextOf(tenantId);
  const username = `person${++people}`;
  const email = `${username}@example.com`;
  const { id } = await createUser(deps, context, {
    username,
    email,
    emailVerified: true,
    password: { plain: PASSWORD },
    ...(has.administrator ? { roles: ["administrator"] } : {}),
    ...(has.role ? { roles: [has.role] } : {}),
  });
  if (has.totp) {
    const tenant = await theTenant();
    const begun = await beginTotp(deps, context, tenant, id);
    const code = shownByApp(begun.secret, deps.clock.now());
    const given = { id: begun.id, code };
    await deps.database.transaction((tx) => confirmTotp(deps, tx, context, tenant, id, given));
  }
  return { id, username, email };
}
type Person = Awaited<ReturnType<typeof aPerson>>;

async function theTenant() {
  const tenant = await findTenantById(server.deps, server.tenantId);
  if (!tenant) throw new Error("no tenant");
  return tenant;
}

async function policy(signIn: NonNullable<TenantSettingsPatch["signIn"]>): Promise<void> {
  await updateSettings(server.deps, contextOf(server.tenantId), { signIn });
}

const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
  server.app.inject({
    method: "POST",
    url,
    headers: { "content-type": "application/json", ...headers },
    payload: JSON.stringify(body),
  });

/** The hosted page, from wherever a browser comes, with the right password. */
async function throughThePage(from: string, { username }: Person): Promise<Visitor> {
  const visitor = new Visitor(server.app);
  const page = await visitor.open(from);
  const after = await visitor.submit(page, { identifier: username, password: PASSWORD });
  cameBack.set(visitor, (await visitor.follow(after)).location);
  return visitor;
}
const cameBack = new WeakMap<Visitor, string>();

const signInByApi = (application: Credentials, { username }: Pick<Person, "username">) =>
  post("/api/v1/sign-in", {
    applicationId: application.id,
    applicationSecret: application.secret,
    identifier: username,
    password: PASSWORD,
  });

/** A call of huace's client: whether it went well, and with what. */
async function huace(
  caller: Credentials,
  path: string,
  body: object,
): Promise<Record<string, unknown> | null> {
  const headers = { "x-app-id": caller.id, "x-app-secret": caller.secret };
  const { code, data } = (await post(`/huace/sdk${path}`, body, headers)).json();
  return code === 0 ? data : null;
}

const isGoodAtHuace = async (caller: Credentials, token: unknown) =>
  (await huace(caller, "/token/verify", { token }))?.["valid"] === true;

/** Every way in, for somebody who knows the password and nothing else: whether he was let in. */
const ENTRANCES: Record<string, (person: Person) => Promise<boolean>> = {
  "the sign-in call of the API": async (person) => (await signInByApi(shop, person)).statusCode === 201,
  "an application's own forms": async ({ username }) => {
    const started = await post("/api/v1/sign-in/flows", {
      applicationId: phone,
      scopes: ["openid"],
      codeChallenge: challenge,
    });
    const { flow, secret } = started.json();
    const headers = { "ostiary-flow": secret };
    const body = { identifier: username, password: PASSWORD };
    await post(`/api/v1/sign-in/flows/${flow.id}/steps/give-password`, body, headers);
    return (await post(`/api/v1/sign-in/flows/${flow.id}/finish`, {}, headers)).statusCode === 200;
  },
  "the hosted page": async (person) =>
    (await throughThePage("/sign-in", person)).cookies.has("ostiary_session"),
  "OpenID Connect": async (person) => {
    const visitor = await throughThePage(authorize(shop.id), person);
    return cameBack.get(visitor)?.includes("code=") ?? false;
  },
  BlueKing: async (person) => {
    const address = `/blueking/login/?c_url=${encodeURIComponent(`${ORIGIN}/x`)}&app_code=shop`;
    return (await throughThePage(address, person)).cookies.has("bk_token");
  },
  Zibanu: async ({ email }) =>
    (await post("/zibanu/login/", { email, password: PASSWORD }, { origin: ORIGIN })).statusCode === 200,
  // No sign-in of its own: a token that another application got.
  huace: async (person) => isGoodAtHuace(shop, (await signInByApi(shop, person)).json().accessToken ?? "-"),
};

function authorize(clientId: string): string {
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: `${ORIGIN}/callback`,
    response_type: "code",
    scope: "openid",
    code_challenge: challenge,
    code_challenge_method: "S256",
  });
  return `/oauth/authorize?${query}`;
}

/** Without those that were derived from another one. */
async function sessionsOf({ id }: Person): Promise<number> {
  const rows = await server.database.database.query<{ n: number }>(
    "select count(*)::int as n from sessions where user_id = $1 and parent_id is null",
    [id],
  );
  return rows[0]?.n ?? 0;
}

const entrances = Object.entries(ENTRANCES);

describe("who knows the password and nothing else", () => {
  it.each(entrances)("comes in by %s where no more is asked", async (_name, enter) => {
    await policy({ secondFactor: "never", secondFactorRoles: [] });
    const person = await aPerson({ totp: true });
    expect(await enter(person)).toBe(true);
    expect(await sessionsOf(person)).toBe(1);
  });

  it.each(entrances)("does not come in by %s where a second factor is enrolled", async (_name, enter) => {
    await policy({ secondFactor: "enrolled", secondFactorRoles: [] });
    const person = await aPerson({ totp: true });
    expect(await enter(person)).toBe(false);
    expect(await sessionsOf(person)).toBe(0);
  });

  it.each(entrances)("does not come in by %s where everybody needs one", async (_name, enter) => {
    await policy({ secondFactor: "always", secondFactorRoles: [] });
    const person = await aPerson();
    expect(await enter(person)).toBe(false);
    expect(await sessionsOf(person)).toBe(0);
  });

  it.each(entrances)("does not come in by %s with a role that needs one", async (_name, enter) => {
    await policy({ secondFactor: "never", secondFactorRoles: ["administrator"] });
    const person = await aPerson({ administrator: true });
    expect(await enter(person)).toBe(false);
    expect(await sessionsOf(person)).toBe(0);
  });

  it.each(entrances)("does not come in by %s where passwords are not taken", async (_name, enter) => {
    await policy({ secondFactor: "never", secondFactorRoles: [], methods: ["passkey"] });
    const person = await aPerson();
    expect(await enter(person)).toBe(false);
    expect(await sessionsOf(person)).toBe(0);
    await policy({ methods: ["password", "passkey"] });
  });
});

describe("who is vouched for by an application of huace's, as somebody from Feishu", () => {
  const vouch = ({ username }: Person) => huace(shop, "/feishu/identity/users/token", { username });

  it("comes in where no more is asked, also where passwords are not taken: he gives none", async () => {
    await policy({ secondFactor: "enrolled", secondFactorRoles: [], methods: ["passkey"] });
    const issued = await vouch(await aPerson());
    expect(await isGoodAtHuace(shop, issued?.["accessToken"])).toBe(true);
    await policy({ methods: ["password", "passkey"] });
  });

  it.each<[string, Parameters<typeof policy>[0], Parameters<typeof aPerson>[0]]>([
    ["a second factor is enrolled", { secondFactor: "enrolled", secondFactorRoles: [] }, { totp: true }],
    ["everybody needs one", { secondFactor: "always", secondFactorRoles: [] }, {}],
    ["the device is new", { secondFactor: "new_device", secondFactorRoles: [] }, {}],
    ["a role needs one", { secondFactor: "never", secondFactorRoles: ["member"] }, { role: "member" }],
  ])("does not come in where %s", async (_name, signIn, has) => {
    await policy(signIn);
    expect(await vouch(await aPerson(has))).toBeNull();
  });

  it("does not come into an application that always asks for one", async () => {
    await policy({ secondFactor: "never", secondFactorRoles: [] });
    const strict = await anApplication("strict", { secondFactor: "always" });
    const { username } = await aPerson();
    expect(await huace(strict, "/feishu/identity/users/token", { username })).toBeNull();
    const issued = await huace(shop, "/feishu/identity/users/token", { username });
    expect(await isGoodAtHuace(shop, issued?.["accessToken"])).toBe(true);
    expect(await isGoodAtHuace(strict, issued?.["accessToken"])).toBe(false);
  });
});

describe("who is signed in for a mild application", () => {
  it("does not come into a strict one by huace's calls, with the mild one's token", async () => {
    await policy({ secondFactor: "never", secondFactorRoles: [], methods: ["password", "passkey"] });
    const safe = await anApplication("safe", { secondFactor: "always" });
    const asking = await anApplication("asking", { secondFactor: "enrolled" });
    const token = (await signInByApi(shop, await aPerson())).json().accessToken;
    expect(await isGoodAtHuace(shop, token)).toBe(true);
    expect(await isGoodAtHuace(safe, token)).toBe(false);
    expect(await isGoodAtHuace(asking, token)).toBe(false); // it asks more than the one that got the token
    expect(await huace(safe, "/user/info", { token })).toBeNull();
    expect(await huace(safe, "/permission/check", { token, permissionCodes: ["*"] })).toBeNull();
    expect(await huace(safe, "/access-key/create", { token, name: "key" })).toBeNull();
  });

  it("does not come into a strict one", async () => {
    await policy({ secondFactor: "never", secondFactorRoles: [], methods: ["password", "passkey"] });
    const vault = await anApplication("vault", { secondFactor: "always" });
    const { username } = await aPerson();
    const visitor = new Visitor(server.app);
    const page = await visitor.open(authorize(shop.id));
    const mild = await visitor.follow(visitor.submit(page, { identifier: username, password: PASSWORD }));
    expect(mild.location).toContain("code=");
    expect((await visitor.open(authorize(vault.id))).location).not.toContain("code=");
    const address = `/blueking/login/?c_url=${encodeURIComponent(`${ORIGIN}/x`)}&app_code=vault`;
    await visitor.open(address);
    expect([...visitor.cookies.keys()]).not.toContain("bk_token");
    await visitor.open(address.replace("vault", "shop"));
    expect([...visitor.cookies.keys()]).toContain("bk_token");
  });
});

describe("sessions and tokens of people come into being", () => {
  const ROOT = new URL("../../packages/server/src/", import.meta.url);

  /** Who calls a function, without its own file, doors that hand it on, and tests. */
  async function callersOf(name: string): Promise<string[]> {
    const found: string[] = [];
    for await (const file of glob("**/*.ts", { cwd: ROOT })) {
      if (/\.test\.ts$|\/testing\/|^testing\//.test(file)) continue;
      const text = await readFile(new URL(file, ROOT), "utf8");
      const calls = new RegExp(`(?<!function )\\b${name}\\(`).test(text.replace(/^\s*(?:\*|\/\/).*$/gm, ""));
      if (calls) found.push(file);
    }
    return found.sort();
  }

  /** Where each may be called: whoever adds a place adds it here, and to the table of entrances above. */
  const PLACES: Record<string, string[]> = {
    createSession: ["domain/sign-in/finish.ts"],
    createImpersonatedSession: ["domain/sign-in/impersonation.ts"],
    deriveSession: ["domain/tickets/tickets.ts"],
    renewSession: ["domain/sign-in/finish.ts"],
    signInDirectly: ["api/sign-in.routes.ts", "dialects/zibanu/session.routes.ts"],
    createAuthorizationCode: [
      "domain/sign-in/headless.ts",
      "domain/tokens/issue-for-session.ts",
      "protocols/oidc/steps/answer-authorization.ts",
    ],
    issueForSession: ["dialects/blueking/ssm.routes.ts"],
    issueDirectly: ["domain/provisioning/feishu-users.ts"],
  };

  it.each(Object.entries(PLACES))("by %s in these places only", async (name, places) => {
    expect(await callersOf(name)).toEqual(places);
  });
});
