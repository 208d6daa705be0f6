import type { Tenant } from "@ostiary/contracts";
import type { FastifyInstance, InjectOptions } from "fastify";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createApplication, findApplication } from "../../domain/applications/index.ts";
import type { Deps } from "../../domain/deps.ts";
import { createImpersonatedSession, createSession } from "../../domain/sessions/index.ts";
import { ensureDefaultTenant, findTenantBySlug } from "../../domain/tenants/index.ts";
import { issueAccessToken } from "../../domain/tokens/index.ts";
import { createUser } from "../../domain/users/index.ts";
import { newId } from "../../kernel/identifiers.ts";
import { createApp } from "../../platform/http/create-app.ts";
import { aDatabase, type TestDatabase } from "../../testing/a-database.ts";
import { contextOf, testDeps } from "../../testing/test-deps.ts";
import { huacePlugin } from "./routes.ts";

const SERIAL = 1001;
let database: TestDatabase;
let deps: Deps;
let app: FastifyInstance;
let tenant: Tenant;
let credentials: Record<string, string>;
let token: string;

beforeAll(async () => {
  database = await aDatabase();
  deps = testDeps(database.database);
  tenant = await ensureDefaultTenant(deps);
  const context = contextOf(tenant.id);
  const input = { slug: "shop", name: "Shop" };
  const { application: created, secret } = await createApplication(deps, context, input, { serial: SERIAL });
  const user = await createUser(deps, context, { username: "zs" });
  const application = await findApplication(deps, tenant.id, created.id);
  if (!application) throw new Error("no application");
  const facts = {
    tenant,
    application,
    familyId: newId(deps.clock.now()),
    subject: user.id,
    scopes: ["openid"],
  };
  token = (await issueAccessToken(deps, facts)).token;
  credentials = { "x-app-id": created.id, "x-app-secret": String(secret) };
  app = await createApp({
    log: pino({ level: "silent" }),
    resolveTenant: (slug) => findTenantBySlug(deps, slug),
    trustedProxies: [],
  });
  await app.register(huacePlugin(deps), { prefix: "/huace" });
  await app.register(huacePlugin(deps), { prefix: "/t/:tenant/huace" });
  await app.ready();
});
afterAll(async () => {
  await app?.close();
  await database?.[Symbol.asyncDispose]();
});

async function send(options: InjectOptions) {
  const { statusCode, headers, body } = await app.inject({ method: "POST", ...options });
  return { statusCode, headers, body: JSON.parse(body) as { code: number; message: string; data: unknown } };
}

function call(path: string, payload: object, headers: Record<string, string> = credentials) {
  return send({ url: path, headers: { "content-type": "application/json", ...headers }, payload });
}

describe("an answer in the dialect", () => {
  it.each([
    "/huace/sdk/token/verify",
    "/huace//sdk/token/verify",
    "/huace/sdk/sdk/token/verify",
    "/huace/sdk//sdk/token/verify",
    "/t/default/huace/sdk/token/verify",
  ])("comes at %s", async (path) => {
    const { statusCode, headers, body } = await call(path, { token });
    expect({ statusCode, type: headers["content-type"] }).toEqual({
      statusCode: 200,
      type: "application/json; charset=utf-8",
    });
    expect(body).toMatchObject({ code: 0, message: "ok", data: { valid: true, username: "zs" } });
  });

  it("takes the application's id or its serial", async () => {
    const { body } = await call(
      "/huace/sdk/user/info",
      { token },
      { ...credentials, "x-app-id": String(SERIAL) },
    );
    expect(body).toMatchObject({
      code: 0,
      data: { username: "zs", is_admin: false, isAdmin: false, groups: [] },
    });
  });

  it("does not mind fields that it does not know", async () => {
    const { body } = await call("/huace/sdk/token/verify", { token, trace: { id: 1 } });
    expect(body.data).toMatchObject({ valid: true });
  });

  it("says for whatever is no token that it is not valid", async () => {
    for (const bad of [{}, { token: null }, { token: "" }, { token: "junk" }, { token: `${token}x` }]) {
      expect((await call("/huace/sdk/token/verify", bad)).body).toEqual({
        code: 0,
        message: "ok",
        data: { valid: false },
      });
      expect((await call("/huace/sdk/user/info", bad)).body).toMatchObject({
        code: 401,
        data: { code: "token.invalid" },
      });
    }
  });

  it("needs no promise once everything is known", async () => {
    await call("/huace/sdk/token/verify", { token });
    const queries = deps.database.query;
    deps.database.query = () => Promise.reject(new Error("the database was asked"));
    try {
      expect((await call("/huace/sdk/token/verify", { token })).body.data).toMatchObject({ valid: true });
      expect((await call("/huace/sdk/user/info", { token })).body.code).toBe(0);
    } finally {
      deps.database.query = queries;
    }
  });
});

describe("a bad call in the dialect", () => {
  const json = { "content-type": "application/json" };
  const deep = `{"token":${"[".repeat(40)}${"]".repeat(40)}}`;
  const cases: [string, InjectOptions, number, string][] = [
    ["a token that is a number", { payload: '{"token":1}' }, 400, "request.invalid"],
    ["a list for a body", { payload: "[]" }, 400, "request.invalid"],
    ["no body", { payload: "" }, 400, "request.invalid"],
    ["half a body", { payload: '{"token":' }, 400, "request.malformed_json"],
    ["a key twice", { payload: '{"token":"a","token":"b"}' }, 400, "request.duplicate_key"],
    ["deep nesting", { payload: deep }, 400, "request.too_deep"],
    ["a null character", { payload: '{"token":"a\\u0000"}' }, 400, "request.invalid_text"],
    ["invalid UTF-8", { payload: Buffer.from('{"token":"\xff"}', "latin1") }, 400, "request.invalid_text"],
    [
      "a body that is too large",
      { payload: JSON.stringify({ token: "x".repeat(70_000) }) },
      413,
      "request.too_large",
    ],
    [
      "another content type",
      { headers: { "content-type": "text/plain" }, payload: "x" },
      415,
      "request.unsupported_media_type",
    ],
    [
      "a form for a body",
      { headers: { "content-type": "application/x-www-form-urlencoded" }, payload: "token=x" },
      415,
      "request.unsupported_media_type",
    ],
    ["a null character in the address", { url: "/huace/sdk/%00" }, 400, "request.invalid_text"],
    ["an unknown address", { url: "/huace/sdk/nothing/here", payload: "{}" }, 404, "route.not_found"],
    [
      "an unknown tenant",
      { url: "/t/nobody/huace/sdk/token/verify", payload: "{}" },
      404,
      "tenant.not_found",
    ],
  ];

  it.each(cases)("with %s has HTTP status 200 and a number", async (_what, options, code, registered) => {
    const headers = { ...json, ...credentials, ...options.headers };
    const answer = await send({ url: "/huace/sdk/token/verify", ...options, headers });
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toEqual({
      code,
      message: expect.stringMatching(/./),
      data: { code: registered, traceId: expect.stringMatching(/^[0-9a-f]{32}$/) },
    });
  });

  it("without credentials is refused before its token is looked at", async () => {
    expect((await call("/huace/sdk/token/verify", { token }, {})).body).toMatchObject({
      code: 401,
      data: { code: "client.rejected" },
    });
  });

  it("with a wrong method says which one is right", async () => {
    const { statusCode, headers, body } = await send({ method: "GET", url: "/huace/sdk/token/verify" });
    expect({ statusCode, allow: headers.allow, code: body.code }).toEqual({
      statusCode: 200,
      allow: "POST",
      code: 405,
    });
  });

  it("is told so when the database does not answer, and not that the token is bad", async () => {
    const query = deps.database.query;
    deps.database.query = () => Promise.reject(Object.assign(new Error("down"), { code: "ECONNREFUSED" }));
    try {
      const unknown = { ...credentials, "x-app-id": newId(deps.clock.now()) };
      expect((await call("/huace/sdk/token/verify", { token }, unknown)).body).toMatchObject({
        code: 503,
        data: { code: "server.unavailable" },
      });
    } finally {
      deps.database.query = query;
    }
  });
});

describe("a token for which somebody else answers", () => {
  const dataOf = async (path: string, body: object, headers = credentials) =>
    (await call(path, body, headers)).body as { code: number; data: Record<string, unknown> };

  it("of an administrator who acts as the person makes no key that lasts, and lets in nowhere else", async () => {
    const context = contextOf(tenant.id);
    const application = await findApplication(deps, tenant.id, credentials["x-app-id"] ?? "");
    const helper = await createUser(deps, context, { username: "helper", roles: ["administrator"] });
    const { id: subject } = await createUser(deps, context, { username: "acted" });
    if (!application) throw new Error("no application");
    const own = await createSession(deps, context, { userId: helper.id, amr: ["pwd"] });
    const input = { userId: subject, reason: "x", seconds: 600 };
    const { session } = await createImpersonatedSession(deps, context, own.session, input);
    const facts = {
      tenant,
      application,
      familyId: newId(deps.clock.now()),
      subject,
      scopes: ["openid"],
      sessionId: session.id,
      authenticatedAt: session.authenticatedAt,
      impersonatorId: helper.id,
    };
    const acting = (await issueAccessToken(deps, facts)).token;
    expect(await dataOf("/huace/sdk/token/verify", { token: acting })).toMatchObject({
      data: { valid: true },
    });
    const refused = { code: 403, data: { code: "impersonation.not_allowed" } };
    expect(await dataOf("/huace/sdk/access-key/create", { token: acting })).toMatchObject(refused);
    const source = { sourceAppId: SERIAL, sourceToken: acting };
    expect(await dataOf("/huace/sdk/users/authorize-by-token", source)).toMatchObject(refused);
  });

  it("of an application that vouches for the person says nothing to another application", async () => {
    const context = contextOf(tenant.id);
    const made = await createApplication(deps, context, { slug: "other", name: "Other" });
    const other = { "x-app-id": made.application.id, "x-app-secret": String(made.secret) };
    const { data } = await dataOf("/huace/sdk/feishu/identity/users/token", { username: "zs" });
    const vouched = String(data["accessToken"]);
    expect(await dataOf("/huace/sdk/token/verify", { token: vouched })).toMatchObject({
      data: { valid: true },
    });
    expect(await dataOf("/huace/sdk/token/verify", { token: vouched }, other)).toMatchObject({
      data: { valid: false },
    });
    for (const path of ["/huace/sdk/user/info", "/huace/sdk/access-key/create"]) {
      expect(await dataOf(path, { token: vouched }, other), path).toMatchObject({ code: 401 });
    }
  });
});
