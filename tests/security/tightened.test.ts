import { createHash } from "node:crypto";
import type { TenantSettingsPatch } from "@ostiary/contracts";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createRole } from "../../packages/server/src/domain/access/index.ts";
import {
  createApplication,
  findApplication,
  updateApplication,
} from "../../packages/server/src/domain/applications/index.ts";
import { createSession } from "../../packages/server/src/domain/sessions/index.ts";
import { findTenantById, updateSettings } from "../../packages/server/src/domain/tenants/index.ts";
import { createUser } from "../../packages/server/src/domain/users/index.ts";
import { Visitor } from "../../packages/server/src/pages/testing/visitor.ts";
import { aServer, type TestServer } from "../../packages/server/src/testing/a-server.ts";
import { contextOf } from "../../packages/server/src/testing/test-deps.ts";

const PASSWORD = "correct horse battery staple";
const ORIGIN = "https://shop.example";
const VERIFIER = "v".repeat(43);

let server: TestServer;
let shop: { id: string; secret: string };
let people = 0;

beforeAll(async () => {
  server = await aServer();
  const { application, secret } = await createApplication(server.deps, contextOf(server.tenantId), {
    slug: "shop",
    name: "Shop",
    redirectUris: [`${ORIGIN}/callback`],
    allowedReturnOrigins: [ORIGIN],
    scopes: ["openid", "offline_access"],
    consent: "implicit",
  });
  shop = { id: application.id, secret: secret ?? "" };
  await createRole(server.deps, contextOf(server.tenantId), { code: "boss", name: "Boss", permissions: [] });
});
afterAll(() => server[Symbol.asyncDispose]());

const MILD = {
  secondFactor: "never",
  secondFactorRoles: [],
  methods: ["password", "passkey"],
} satisfies NonNullable<TenantSettingsPatch["signIn"]>;

async function policy(signIn: NonNullable<TenantSettingsPatch["signIn"]>): Promise<void> {
  const { deps, tenantId } = server;
  await updateSettings(deps, contextOf(tenantId), { signIn });
  await vi.waitFor(async () =>
    expect((await findTenantById(deps, tenantId))?.settings.signIn).toMatchObject(signIn),
  );
}

async function shopAsks(secondFactor: "always" | null): Promise<void> {
  const { deps, tenantId } = server;
  await updateApplication(deps, contextOf(tenantId), shop.id, { settings: { secondFactor } });
  await vi.waitFor(async () =>
    expect((await findApplication(deps, tenantId, shop.id))?.settings.secondFactor).toBe(secondFactor),
  );
}

beforeEach(async () => {
  await policy(MILD);
  await shopAsks(null);
});

interface Person {
  id: string;
  email: string;
}

async function aPerson(): Promise<Person> {
  const email = `person${++people}@example.com`;
  const { id } = await createUser(server.deps, contextOf(server.tenantId), {
    email,
    emailVerified: true,
    password: { plain: PASSWORD },
    roles: ["boss"],
  });
  return { id, email };
}

const basic = () => `Basic ${Buffer.from(`${shop.id}:${shop.secret}`).toString("base64")}`;
const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
  server.app.inject({
    method: "POST",
    url,
    headers: { "content-type": "application/json", ...headers },
    payload: JSON.stringify(body),
  });
const token = (form: Record<string, string>) =>
  server.app.inject({
    method: "POST",
    url: "/oauth/token",
    headers: { "content-type": "application/x-www-form-urlencoded", authorization: basic() },
    payload: new URLSearchParams(form).toString(),
  });
const authorize = (more: Record<string, string> = {}) =>
  `/oauth/authorize?${new URLSearchParams({
    client_id: shop.id,
    redirect_uri: `${ORIGIN}/callback`,
    response_type: "code",
    scope: "openid",
    code_challenge: createHash("sha256").update(VERIFIER).digest("base64url"),
    code_challenge_method: "S256",
    ...more,
  })}`;

async function signIn(visitor: Visitor, from: string, { email }: Person): Promise<string> {
  const page = await visitor.open(from);
  return (await visitor.follow(visitor.submit(page, { identifier: email, password: PASSWORD }))).location;
}

async function refreshTokenFor(person: Person, scope: string): Promise<string> {
  const visitor = new Visitor(server.app);
  const location = await signIn(visitor, authorize({ scope }), person);
  const code = new URL(location).searchParams.get("code") ?? "";
  const answer = await token({
    grant_type: "authorization_code",
    code,
    code_verifier: VERIFIER,
    redirect_uri: `${ORIGIN}/callback`,
  });
  return answer.json().refresh_token;
}

const refresh = (refreshToken: string) => token({ grant_type: "refresh_token", refresh_token: refreshToken });

async function ticketOf(person: Person): Promise<string> {
  const visitor = new Visitor(server.app);
  await signIn(visitor, `/blueking/login/?c_url=${encodeURIComponent(`${ORIGIN}/x`)}&app_code=shop`, person);
  return visitor.cookies.get("bk_token") ?? "";
}

const SSM = "/blueking/api/v1/auth/access-tokens";
const asShop = () => ({ "x-bk-app-code": "shop", "x-bk-app-secret": shop.secret });
const isLogin = async (ticket: string) =>
  (
    await server.app.inject({
      method: "GET",
      url: `/blueking/login/accounts/is_login/?bk_token=${ticket}&app_code=shop`,
    })
  ).json().result === true;
const loginAtZibanu = async ({ email }: Person) =>
  (await post("/zibanu/login/", { email, password: PASSWORD }, { origin: ORIGIN })).json().token;

/** How somebody who is in goes on: what he gets at first, and whether it is still good. */
const WAYS: Record<string, (person: Person) => Promise<() => Promise<boolean>>> = {
  "a refresh token": async (person) => {
    const refreshToken = await refreshTokenFor(person, "openid");
    return async () => (await refresh(refreshToken)).statusCode === 200;
  },
  "a refresh token for longer than the session": async (person) => {
    const refreshToken = await refreshTokenFor(person, "openid offline_access");
    return async () => (await refresh(refreshToken)).statusCode === 200;
  },
  "an authorization that shows no page": async (person) => {
    const visitor = new Visitor(server.app);
    await signIn(visitor, authorize(), person);
    return async () => (await visitor.open(authorize({ prompt: "none" }))).location.includes("code=");
  },
  "a BlueKing ticket": async (person) => {
    const ticket = await ticketOf(person);
    return () => isLogin(ticket);
  },
  "a refresh token of BlueKing's token service": async (person) => {
    const body = {
      grant_type: "authorization_code",
      id_provider: "bk_login",
      bk_token: await ticketOf(person),
    };
    const { refresh_token } = (await post(SSM, body, asShop())).json().data;
    return async () =>
      (await post(`${SSM}/refresh`, { grant_type: "refresh_token", refresh_token }, asShop())).json().code ===
      0;
  },
  "a token of an application, shown by huace's client": async ({ email }) => {
    const { id: applicationId, secret: applicationSecret } = shop;
    const body = { applicationId, applicationSecret, identifier: email, password: PASSWORD };
    const { accessToken } = (await post("/api/v1/sign-in", body)).json();
    const caller = { "x-app-id": shop.id, "x-app-secret": shop.secret };
    return async () =>
      (await post("/huace/sdk/token/verify", { token: accessToken }, caller)).json().data?.valid === true;
  },
  "a sliding token of Zibanu": async (person) => {
    const sliding = await loginAtZibanu(person);
    return async () =>
      (
        await server.app.inject({
          method: "POST",
          url: "/zibanu/user/profile/",
          headers: { authorization: `JWT ${sliding}`, origin: ORIGIN },
        })
      ).statusCode === 200;
  },
  "refreshing a sliding token of Zibanu": async (person) => {
    const sliding = await loginAtZibanu(person);
    return async () =>
      (await post("/zibanu/refresh/", { token: sliding }, { origin: ORIGIN })).statusCode === 200;
  },
};
const ways = Object.entries(WAYS);

describe("who was let in with a password goes on", () => {
  it.each(ways)("by %s while the policy is the same", async (_name, begin) => {
    const goesOn = await begin(await aPerson());
    await policy({ ...MILD, secondFactorRoles: ["auditor"] });
    expect(await goesOn()).toBe(true);
  });

  it.each(ways)("by %s no more where everybody needs a second factor", async (_name, begin) => {
    const goesOn = await begin(await aPerson());
    await policy({ ...MILD, secondFactor: "always" });
    expect(await goesOn()).toBe(false);
  });

  it.each(ways)("by %s no more where his role needs one", async (_name, begin) => {
    const goesOn = await begin(await aPerson());
    await policy({ ...MILD, secondFactorRoles: ["boss"] });
    expect(await goesOn()).toBe(false);
  });

  it.each(ways)("by %s no more where passwords are not taken", async (_name, begin) => {
    const goesOn = await begin(await aPerson());
    await policy({ ...MILD, methods: ["passkey"] });
    expect(await goesOn()).toBe(false);
  });

  it.each(ways.filter(([name]) => !name.includes("Zibanu")))(
    "by %s no more where the application asks for one",
    async (_name, begin) => {
      const goesOn = await begin(await aPerson());
      await shopAsks("always");
      expect(await goesOn()).toBe(false);
    },
  );
});

const audited = async (type: string) => {
  const rows = await server.database.database.query<{ reason: string; targetId: string }>(
    'select reason, target_id as "targetId" from events where type = $1 order by id desc limit 1',
    [type],
  );
  return rows[0];
};

describe("a stricter policy", () => {
  it("is told to the client, and ends the grant once, with an entry in the audit log", async () => {
    const refreshToken = await refreshTokenFor(await aPerson(), "openid");
    await policy({ ...MILD, secondFactor: "always" });
    const refused = await refresh(refreshToken);
    expect([refused.statusCode, refused.json()]).toEqual([
      400,
      { error: "invalid_grant", error_description: expect.stringContaining("policy") },
    ]);
    expect(await audited("token.revoked")).toMatchObject({ reason: "a second factor is demanded" });
    await policy(MILD);
    expect((await refresh(refreshToken)).json()).toMatchObject({ error: "invalid_grant" });
  });

  it("does not end what a session has proven since", async () => {
    const person = await aPerson();
    const refreshToken = await refreshTokenFor(person, "openid");
    const { database } = server.database;
    const [session] = await database.query<{ id: string }>(
      "update sessions set amr = '{pwd,otp,mfa}' where user_id = $1 returning id",
      [person.id],
    );
    server.deps.feed.publish([`session:${session?.id ?? ""}`]);
    await policy({ ...MILD, secondFactor: "always" });
    expect((await refresh(refreshToken)).statusCode).toBe(200);
  });

  it("is in the audit log once where a ticket is shown again and again, and undone with the policy", async () => {
    const person = await aPerson();
    const ticket = await ticketOf(person);
    await policy({ ...MILD, secondFactor: "always" });
    for (let i = 0; i < 5; i++) expect(await isLogin(ticket)).toBe(false);
    const entries = () =>
      server.database.database.query("select reason from events where type = $1 and target_id = $2", [
        "session.refused",
        person.id,
      ]);
    await vi.waitFor(async () =>
      expect(await entries()).toEqual([{ reason: "a second factor is demanded" }]),
    );
    await policy(MILD);
    expect(await isLogin(ticket)).toBe(true);
  });

  it("gives a new ticket to who has proven more in the same session", async () => {
    const { deps, tenantId } = server;
    const person = await aPerson();
    const { session, cookie } = await createSession(deps, contextOf(tenantId), {
      userId: person.id,
      amr: ["pwd"],
    });
    const visitor = new Visitor(server.app);
    visitor.cookies.set("ostiary_session", cookie);
    const login = `/blueking/login/?c_url=${encodeURIComponent(`${ORIGIN}/x`)}&app_code=shop`;
    await visitor.open(login);
    const weak = visitor.cookies.get("bk_token") ?? "";
    await server.database.database.query("update sessions set amr = '{pwd,otp,mfa}' where id = $1", [
      session.id,
    ]);
    deps.feed.publish([`session:${session.id}`]);
    await policy({ ...MILD, secondFactor: "always" });
    expect(await isLogin(weak)).toBe(false);
    await visitor.open(login);
    const strong = visitor.cookies.get("bk_token") ?? "";
    expect(strong).not.toBe(weak);
    expect(await isLogin(strong)).toBe(true);
  });
});
