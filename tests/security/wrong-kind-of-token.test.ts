import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createApiKey } from "../../packages/server/src/domain/api-keys/index.ts";
import { createApplication, findApplication } from "../../packages/server/src/domain/applications/index.ts";
import { createPasswordLink, setPassword } from "../../packages/server/src/domain/credentials/index.ts";
import { createInvitation } from "../../packages/server/src/domain/organizations/index.ts";
import { createSession } from "../../packages/server/src/domain/sessions/index.ts";
import { allowImpersonation, proveAccount } from "../../packages/server/src/domain/sign-in/index.ts";
import { findTenantById } from "../../packages/server/src/domain/tenants/index.ts";
import { issueTicket } from "../../packages/server/src/domain/tickets/index.ts";
import { createAuthorizationCode } from "../../packages/server/src/domain/tokens/index.ts";
import { createUser, suspendUser } from "../../packages/server/src/domain/users/index.ts";
import { aServer, type TestServer } from "../../packages/server/src/testing/a-server.ts";
import { contextOf } from "../../packages/server/src/testing/test-deps.ts";

const PASSWORD = "correct horse battery staple";
const CALLBACK = "https://shop.example/callback";
const VERIFIER = "v".repeat(43);
const CHALLENGE = createHash("sha256").update(VERIFIER).digest("base64url");
const TICKETS = { slot: "blueking", seconds: 86_400, idleSeconds: 7_200, atMost: null };

type Body = Record<string, unknown>;

let server: TestServer;
let shop: { id: string; secret: string };
/** Every secret that this server gives out, by what it is; all of one person, an administrator. */
const secrets = new Map<string, string>();

beforeAll(async () => {
  server = await aServer();
  const context = contextOf(server.tenantId);
  const { application, secret } = await createApplication(server.deps, context, {
    slug: "shop",
    name: "Shop",
    redirectUris: [CALLBACK],
    consent: "implicit",
    scopes: ["openid", "profile", "account", "manage", "offline_access"],
    settings: { headlessSignIn: true },
  });
  shop = { id: application.id, secret: secret ?? "" };
  await collect();
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());

let people = 0;

/** Gives somebody new one of each. Returns whose they are. */
async function collect(): Promise<string> {
  const { deps, tenantId } = server;
  const context = contextOf(tenantId);
  const password = { plain: PASSWORD };
  const username = `ann${++people}`;
  const email = `${username}@example.com`;
  const ann = { username, email, emailVerified: true, password, roles: ["administrator"] };
  const { id: userId } = await createUser(deps, context, ann);
  const { id: bob } = await createUser(deps, context, { username: `bob${people}` });
  const { session, cookie } = await createSession(deps, context, { userId, amr: ["pwd"] });
  const own = { ...context, actor: { type: "user", id: userId } as const, sessionId: session.id };
  const tokens = await redeem(await aCode(session));
  const started = await json("/api/v1/sign-in/flows", {
    applicationId: shop.id,
    scopes: ["openid"],
    codeChallenge: CHALLENGE,
  });
  const { ticket } = await issueTicket(deps, context, session, TICKETS);
  const gateway = await json(GATEWAY, {}, gatewayHeaders({ bk_token: ticket }));
  const offered = await createInvitation(deps, context, { roles: ["administrator"] });
  const values: Record<string, unknown> = {
    "access token": tokens["access_token"],
    "refresh token": tokens["refresh_token"],
    "ID token": tokens["id_token"],
    "authorization code": await aCode(session),
    "session cookie": cookie,
    "session cookie in the form of a ticket": cookie.replace(".", "-"),
    "BlueKing ticket": ticket,
    "BlueKing ticket in the form of a cookie": ticket.replace("-", "."),
    "gateway JWT": (gateway["data"] as Body)["jwt"],
    "Zibanu token": (await json("/zibanu/login/", { email, password: PASSWORD }))["token"],
    "API key": (await createApiKey(deps, context, { name: "k", type: "user", userId })).key,
    "headless secret": started["secret"],
    "headless flow": (started["flow"] as Body)["id"],
    "client secret": shop.secret,
    "link proof": (await proveAccount(deps, own)).token,
    "password link": await createPasswordLink(deps, tenantId, userId, 600),
    "impersonation link": new URL(
      (await allowImpersonation(deps, own, bob, { reason: "x" })).url,
    ).searchParams.get("token"),
    invitation: offered.token,
  };
  for (const [name, value] of Object.entries(values)) {
    if (typeof value !== "string" || value === "") throw new Error(`there is no ${name}`);
    secrets.set(name, value);
  }
  return userId;
}

async function aCode(session: Awaited<ReturnType<typeof createSession>>["session"]): Promise<string> {
  const { deps, tenantId } = server;
  const tenant = await findTenantById(deps, tenantId);
  const application = await findApplication(deps, tenantId, shop.id);
  if (!tenant || !application) throw new Error("no tenant or application");
  return createAuthorizationCode(deps, contextOf(tenantId), tenant, {
    application,
    userId: session.userId,
    session,
    offline: true,
    scopes: ["openid", "profile", "account", "manage", "offline_access"],
    details: { amr: ["pwd"] },
    redirectUri: CALLBACK,
    codeChallenge: CHALLENGE,
  });
}

const redeem = (code: string) =>
  form("/oauth/token", {
    grant_type: "authorization_code",
    code,
    redirect_uri: CALLBACK,
    code_verifier: VERIFIER,
  });

/** Whatever a door says about secrets and people: no cache keeps it, and none is a fault of ours. */
function checkAnswer(
  url: string,
  { statusCode, headers }: { statusCode: number; headers: Record<string, unknown> },
) {
  expect(statusCode, url).toBeLessThan(500);
  expect(headers["cache-control"], url).toContain("no-store");
}

async function json(url: string, body: Body, headers: Record<string, string> = {}): Promise<Body> {
  const answer = await server.app.inject({
    method: "POST",
    url,
    headers: { "content-type": "application/json", ...headers },
    payload: JSON.stringify(body),
  });
  checkAnswer(url, answer);
  return { ...(answer.body.startsWith("{") ? (answer.json() as Body) : {}), status: answer.statusCode };
}

async function form(url: string, fields: Record<string, string>): Promise<Body> {
  const authorization = `Basic ${Buffer.from(`${shop.id}:${shop.secret}`).toString("base64")}`;
  const answer = await server.app.inject({
    method: "POST",
    url,
    headers: { "content-type": "application/x-www-form-urlencoded", authorization },
    payload: new URLSearchParams(fields).toString(),
  });
  checkAnswer(url, answer);
  return { ...(answer.json() as Body), status: answer.statusCode };
}

async function get(url: string, headers: Record<string, string> = {}): Promise<Body> {
  const answer = await server.app.inject({ method: "GET", url, headers });
  checkAnswer(url, answer);
  const type = String(answer.headers["content-type"]);
  return { ...(type.includes("json") ? (answer.json() as Body) : {}), status: answer.statusCode };
}

const GATEWAY = "/blueking/prod/api/v2/open/gateways/demo/jwt/";
const SERVICE = "/blueking/api/v1/auth/access-tokens";
const gatewayHeaders = (more: object) => ({
  "x-bkapi-authorization": JSON.stringify({ bk_app_code: "shop", bk_app_secret: shop.secret, ...more }),
});
const serviceHeaders = () => ({ "x-bk-app-code": "shop", "x-bk-app-secret": shop.secret });
const huaceHeaders = () => ({ "x-app-id": shop.id, "x-app-secret": shop.secret });
const isOk = ({ status }: Body) => status === 200;
const isZero = ({ code }: Body) => code === 0;
const dataOf = ({ data }: Body) => (data ?? {}) as Body;

/** Whether a gateway's token that is issued for it names a proven user. */
async function provesUser(given: object): Promise<boolean> {
  const jwt = dataOf(await json(GATEWAY, {}, gatewayHeaders(given)))["jwt"];
  if (typeof jwt !== "string") return false;
  const claims = JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString()) as Body;
  return (claims["user"] as Body)["verified"] === true;
}

/** Each door, what it takes (and nothing else), and whether it has let somebody in. Those that use a thing up are last. */
const DOORS: readonly (readonly [
  door: string,
  takes: readonly string[],
  enter: (secret: string) => Promise<boolean>,
])[] = [
  [
    "API v1",
    ["access token", "API key"],
    async (secret) => {
      const { status, code } = await get("/api/v1/me", { authorization: `Bearer ${secret}` });
      return status === 200 || code === "permission.denied"; // a key is let in, but is nobody's account
    },
  ],
  [
    "userinfo",
    ["access token"],
    async (secret) => isOk(await get("/oauth/userinfo", { authorization: `Bearer ${secret}` })),
  ],
  [
    "introspection",
    ["access token", "refresh token"],
    async (token) => (await form("/oauth/introspect", { token }))["active"] === true,
  ],
  [
    "the account pages",
    ["session cookie"],
    async (secret) => isOk(await get("/account", { cookie: `ostiary_session=${secret}` })),
  ],
  [
    "BlueKing is_login",
    ["BlueKing ticket"],
    async (secret) =>
      (await get(`/blueking/login/api/v3/is_login/?bk_token=${encodeURIComponent(secret)}`))["result"] ===
      true,
  ],
  [
    "BlueKing user information",
    ["BlueKing ticket"],
    async (secret) =>
      isOk(
        await get(
          `/blueking/prod/login/api/v3/open/bk-tokens/userinfo/?bk_token=${encodeURIComponent(secret)}`,
          gatewayHeaders({}),
        ),
      ),
  ],
  [
    "BlueKing's token service, by ticket",
    ["BlueKing ticket"],
    async (secret) =>
      isZero(
        await json(
          SERVICE,
          { grant_type: "authorization_code", id_provider: "bk_login", bk_token: secret },
          serviceHeaders(),
        ),
      ),
  ],
  [
    "BlueKing's token service, verifying",
    ["access token"],
    async (secret) => isZero(await json(`${SERVICE}/verify`, { access_token: secret }, serviceHeaders())),
  ],
  ["a gateway, by ticket", ["BlueKing ticket"], (secret) => provesUser({ bk_token: secret })],
  ["a gateway, by access token", ["access token"], (secret) => provesUser({ access_token: secret })],
  [
    "a gateway, verifying",
    ["gateway JWT"],
    async (jwt) =>
      (dataOf(await json(`${GATEWAY}verify/`, { jwt }, gatewayHeaders({})))["user"] as Body | undefined)?.[
        "verified"
      ] === true,
  ],
  [
    "huace's tokens",
    ["access token"],
    async (token) =>
      dataOf(await json("/huace/sdk/token/verify", { token }, huaceHeaders()))["valid"] === true,
  ],
  [
    "huace's access keys",
    ["API key"],
    async (accessKey) =>
      dataOf(await json("/huace/sdk/access-key/verify", { accessKey }, huaceHeaders()))["valid"] === true,
  ],
  [
    "Zibanu",
    ["Zibanu token"],
    async (secret) =>
      isOk(await json("/zibanu/utils/language/list/", {}, { authorization: `JWT ${secret}` })),
  ],
  [
    "the page of a password link",
    ["password link"],
    async (secret) => isOk(await get(`/zibanu/password/?token=${encodeURIComponent(secret)}`)),
  ],
  [
    "the page of an impersonation",
    ["impersonation link"],
    async (secret) =>
      isOk(
        await get(`/impersonate?token=${encodeURIComponent(secret)}`, {
          cookie: `ostiary_session=${secrets.get("session cookie")}`,
        }),
      ),
  ],
  [
    "the page of an invitation",
    ["invitation"],
    async (secret) => isOk(await get(`/invitation?token=${encodeURIComponent(secret)}`)),
  ],
  [
    "a flow of one's own forms",
    ["headless secret"],
    async (secret) =>
      isOk(await get(`/api/v1/sign-in/flows/${secrets.get("headless flow")}`, { "ostiary-flow": secret })),
  ],
  ["Zibanu's refresh", ["Zibanu token"], async (token) => isOk(await json("/zibanu/refresh/", { token }))],
  [
    "the token endpoint, by refresh token",
    ["refresh token"],
    async (secret) =>
      isOk(await form("/oauth/token", { grant_type: "refresh_token", refresh_token: secret })),
  ],
  ["the token endpoint, by code", ["authorization code"], async (code) => isOk(await redeem(code))],
];

describe("of everything that this server gives out", () => {
  it.each(DOORS)("%s takes %j and nothing else", async (_door, takes, enter) => {
    const taken: string[] = [];
    // What is right comes last, as it may be used up.
    const ordered = [...secrets].sort(
      ([one], [other]) => Number(takes.includes(one)) - Number(takes.includes(other)),
    );
    for (const [name, secret] of ordered) if (await enter(secret)) taken.push(name);
    expect(taken.sort()).toEqual([...takes].sort());
  });

  it.each([
    [
      "the password is changed",
      ["API key", "headless secret", "invitation"],
      (userId: string) =>
        setPassword(server.deps, contextOf(server.tenantId), userId, { plain: "another good password" }),
    ],
    [
      "the person is suspended",
      // The page of the link is shown, but who is suspended gets no password.
      ["headless secret", "invitation", "password link"],
      (userId: string) => suspendUser(server.deps, contextOf(server.tenantId), userId),
    ],
  ])("nothing of the person's is left when %s", async (_what, left, end) => {
    await end(await collect());
    const taken = new Set<string>();
    for (const [, takes, enter] of DOORS) {
      for (const name of takes) if (await enter(secrets.get(name) ?? "")) taken.add(name);
    }
    expect([...taken].sort()).toEqual(left);
  });
});
