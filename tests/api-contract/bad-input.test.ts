import { generateKeyPairSync, sign } from "node:crypto";
import type { InjectOptions } from "fastify";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { signJwt } from "../../packages/server/src/domain/tokens/index.ts";
import { aServer, type TestServer } from "../../packages/server/src/testing/a-server.ts";

const JSON_TYPE = { "content-type": "application/json" };
const FORM_TYPE = { "content-type": "application/x-www-form-urlencoded" };
const MEBIBYTE = 1024 * 1024;

let server: TestServer;
let other: { tenantId: string; ids: Record<string, string> };
let shop: { id: string; secret: string };

beforeAll(async () => {
  server = await aServer();
  await api("POST", "/tenants", { slug: "other", name: "Other" });
  const there = { "ostiary-tenant": "other" };
  const user = await api(
    "POST",
    "/users",
    { username: "li", password: { plain: "correct horse battery" } },
    there,
  );
  const application = await api("POST", "/applications", { slug: "there", name: "There" }, there);
  const role = await api("POST", "/roles", { code: "editor", name: "Editor", permissions: [] }, there);
  const key = await api("POST", "/api-keys", { name: "k", type: "user", userId: user.id }, there);
  const field = await api("POST", "/custom-fields", { key: "badge", type: "string" }, there);
  other = {
    tenantId: String((await api("GET", "/tenants")).items.find(({ slug }) => slug === "other")?.id),
    ids: {
      users: user.id,
      applications: application.id,
      roles: role.id,
      "api-keys": key.id,
      "custom-fields": field.id,
    },
  };
  shop = (await api("POST", "/applications", {
    slug: "shop",
    name: "Shop",
    redirectUris: ["http://127.0.0.1:9001/callback"],
    grantTypes: ["authorization_code", "client_credentials"],
  })) as unknown as typeof shop;
});
afterAll(() => server?.[Symbol.asyncDispose]());

/** Rows of every table that says what is; not counters, and not what the jobs of the server write meanwhile. */
async function countRows(): Promise<Record<string, string>> {
  const { database } = server.database;
  const tables = await database.query<{ name: string }>(
    `select table_name as name from information_schema.tables
      where table_schema = 'public' and table_type = 'BASE TABLE'
        and table_name not in ('rate_limits', 'job_turns', 'event_cursors', 'events', 'audit_entries', 'audit_heads',
                               'signing_keys')
      order by 1`,
  );
  const counts: Record<string, string> = {};
  for (const { name } of tables) {
    // The newest version too, so that a change of a row shows.
    const [row] = await database.query<{ state: string }>(
      `select count(*) || ' ' || coalesce(md5(string_agg(t::text, ',' order by t::text)), '') as state from ${name} t`,
    );
    counts[name] = row?.state ?? "";
  }
  return counts;
}

let before: Record<string, string>;
beforeEach(async () => {
  before = await countRows();
});
afterEach(async () => {
  expect(await countRows(), "a refused request has written something").toEqual(before);
});

interface ApiAnswer {
  [field: string]: unknown;
  id: string;
  items: { slug: string; id: string }[];
}

/** A good call of our own API, to set the scene. */
async function api(method: "GET" | "POST", path: string, body?: object, headers = {}): Promise<ApiAnswer> {
  const answer = await server.app.inject({
    method,
    url: `/api/v1${path}`,
    headers: { authorization: server.operator, ...headers },
    ...(body === undefined ? {} : { payload: body }),
  });
  if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${answer.body}`);
  return answer.json() as ApiAnswer;
}

async function send(options: InjectOptions) {
  const { statusCode, headers, body } = await server.app.inject({ method: "POST", ...options });
  return {
    status: statusCode,
    headers,
    body: (body === "" ? {} : JSON.parse(body)) as Record<string, unknown>,
  };
}

/** Bodies that no parser accepts, for every address that takes JSON: [what, body, status, code]. */
const BAD_JSON: [string, string | Buffer, number, string][] = [
  ["half a body", '{"username":', 400, "request.malformed_json"],
  ["no JSON", "username=zs", 400, "request.malformed_json"],
  ["NaN", '{"username":NaN}', 400, "request.malformed_json"],
  ["a raw null byte", '{"username":"a\0b"}', 400, "request.malformed_json"],
  ["an escaped null character", '{"username":"a\\u0000b"}', 400, "request.invalid_text"],
  ["a null character in a key", '{"a\\u0000":1}', 400, "request.invalid_text"],
  ["a lone surrogate", '{"username":"\\ud800"}', 400, "request.invalid_text"],
  ["invalid UTF-8", Buffer.from('{"username":"\xff\xfe"}', "latin1"), 400, "request.invalid_text"],
  ["overlong UTF-8", Buffer.from('{"username":"\xc0\x80"}', "latin1"), 400, "request.invalid_text"],
  ["UTF-16", Buffer.from('{"username":"zs"}', "utf16le"), 400, "request.malformed_json"],
  ["a key twice", '{"username":"a","username":"b"}', 400, "request.duplicate_key"],
  ["a key twice, once escaped", '{"username":"a","user\\u006eame":"b"}', 400, "request.duplicate_key"],
  ["a key twice deep inside", '{"profile":{"locale":"en","locale":"zh"}}', 400, "request.duplicate_key"],
  ["the key __proto__", '{"__proto__":{"status":"active"}}', 400, "request.invalid"],
  ["deep lists", `{"custom":{"x":${"[".repeat(100)}${"]".repeat(100)}}}`, 400, "request.too_deep"],
  ["very deep objects", `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`, 400, "request.too_deep"],
  ["more than a mebibyte", JSON.stringify({ username: "x".repeat(MEBIBYTE) }), 413, "request.too_large"],
];

/** Bodies that are JSON and no user. */
const BAD_USERS: [string, string][] = [
  ["an unknown field", '{"username":"zs","isAdmin":true}'],
  ["an unknown field deep inside", '{"username":"zs","profile":{"address":{"planet":"Mars"}}}'],
  ["fields that only the server sets", '{"username":"zs","id":"5f0b00000000000000000001"}'],
  ["a number for a text", '{"username":7}'],
  ["a text for a boolean", '{"username":"zs","emailVerified":"true"}'],
  ["a text for a list", '{"username":"zs","roles":"editor"}'],
  ["a list for an object", '{"username":"zs","profile":[]}'],
  ["null for a status", '{"username":"zs","status":null}'],
  ["an unknown status", '{"username":"zs","status":"god"}'],
  ["a name with white space", '{"username":"z s"}'],
  ["a name with a control character", '{"username":"zs\\u0007"}'],
  ["a name that is too long", JSON.stringify({ username: "x".repeat(129) })],
  ["an empty name", '{"username":""}'],
  ["an address without @", '{"email":"zs"}'],
  ["two kinds of password", '{"username":"zs","password":{"plain":"correct horse","hash":"$2b$10$x"}}'],
  ["a list", "[]"],
  ["null", "null"],
  ["a text", '"zs"'],
  ["a number", "1e400"],
  ["nothing", ""],
];

describe("API v1, given a bad request, refuses it with a registered code and writes nothing", () => {
  const authorized = () => ({ authorization: server.operator });

  async function expectProblem(options: InjectOptions, status: number, code: string) {
    const answer = await send({ ...options, headers: { ...authorized(), ...options.headers } });
    expect({ status: answer.status, code: answer.body.code }).toEqual({ status, code });
    expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
    return answer;
  }

  it.each(BAD_JSON)("%s", async (_what, payload, status, code) => {
    await expectProblem({ url: "/api/v1/users", headers: JSON_TYPE, payload }, status, code);
    await expectProblem({ url: "/api/v1/roles", headers: JSON_TYPE, payload }, status, code);
  });

  it.each(BAD_USERS)("%s", async (_what, payload) => {
    await expectProblem({ url: "/api/v1/users", headers: JSON_TYPE, payload }, 400, "request.invalid");
  });

  it.each([
    ["a role that does not exist", { username: "zs", roles: ["nobody"] }, 404, "role.not_found"],
    [
      "a custom field that does not exist",
      { username: "zs", custom: { nothing: 1 } },
      400,
      "custom_field.invalid_value",
    ],
    ["a password that is too short", { username: "zs", password: { plain: "x" } }, 400, "password.too_short"],
    ["an unknown hash", { username: "zs", password: { hash: "plain" } }, 400, "credential.unsupported_hash"],
    ["no identifier", { nickname: "zs" }, 400, "user.identifier_required"],
  ])("a new user with %s", async (_what, payload, status, code) => {
    await expectProblem({ url: "/api/v1/users", payload }, status, code);
  });

  it("many operations of which the last is bad", async () => {
    const operations = [
      { op: "create", value: { username: "first" } },
      { op: "create", value: { username: "second", password: { plain: "correct horse battery" } } },
      { op: "create", value: { username: "FIRST" } },
    ];
    const { body } = await expectProblem(
      { url: "/api/v1/users/bulk", payload: { operations } },
      409,
      "user.username_taken",
    );
    expect(body.errors).toMatchObject([{ path: "/operations/2" }]);
  });

  it("more than a thousand operations", async () => {
    const operations = Array.from({ length: 1_001 }, (_, i) => ({
      op: "create",
      value: { username: `u${i}` },
    }));
    await expectProblem({ url: "/api/v1/users/bulk", payload: { operations } }, 400, "request.invalid");
  });

  it.each([
    [
      "a null character in the path",
      { method: "GET", url: "/api/v1/users/%00" },
      400,
      "request.invalid_text",
    ],
    [
      "a null character in the query",
      { method: "GET", url: "/api/v1/users?search=%00" },
      400,
      "request.invalid_text",
    ],
    [
      "broken percent encoding in the path",
      { method: "GET", url: "/api/v1/users/%zz" },
      400,
      "request.invalid_text",
    ],
    ["invalid UTF-8 in the path", { method: "GET", url: "/api/v1/users/%ff" }, 400, "request.invalid_text"],
    ["a page size of nought", { method: "GET", url: "/api/v1/users?limit=0" }, 400, "request.invalid"],
    [
      "a page size that is no number",
      { method: "GET", url: "/api/v1/users?limit=many" },
      400,
      "request.invalid",
    ],
    ["an unknown filter", { method: "GET", url: "/api/v1/users?passwords=true" }, 400, "request.invalid"],
    ["a filter twice", { method: "GET", url: "/api/v1/users?limit=1&limit=2" }, 400, "request.invalid"],
    ["a cursor that is none", { method: "GET", url: "/api/v1/users?after=x" }, 400, "request.invalid"],
    ["an id that is none", { method: "GET", url: "/api/v1/users/1' or '1'='1" }, 400, "request.invalid"],
    [
      "an id that nobody has",
      { method: "GET", url: `/api/v1/users/${"f".repeat(24)}` },
      404,
      "user.not_found",
    ],
    [
      "an address that is too long",
      { method: "GET", url: `/api/v1/users?search=${"x".repeat(17_000)}` },
      414,
      "request.too_long",
    ],
    ["an unknown address", { method: "GET", url: "/api/v1/nothing" }, 404, "route.not_found"],
    [
      "a tag that is none",
      { method: "DELETE", url: `/api/v1/users/${"f".repeat(24)}`, headers: { "if-match": "x" } },
      412,
      "precondition.failed",
    ],
    [
      "an unknown tenant",
      { method: "GET", url: "/api/v1/users", headers: { "ostiary-tenant": "nobody" } },
      404,
      "tenant.not_found",
    ],
    [
      "a form for a body",
      { url: "/api/v1/users", headers: FORM_TYPE, payload: "username=zs" },
      415,
      "request.unsupported_media_type",
    ],
    [
      "another content type",
      { url: "/api/v1/users", headers: { "content-type": "text/xml" }, payload: "<a/>" },
      415,
      "request.unsupported_media_type",
    ],
    [
      "no content type",
      { url: "/api/v1/users", headers: { "content-type": "" }, payload: "{}" },
      415,
      "request.unsupported_media_type",
    ],
  ] as [string, InjectOptions, number, string][])("%s", async (_what, options, status, code) => {
    await expectProblem(options, status, code);
  });

  it.each(["PUT", "POST"] as const)("the method %s where it means nothing", async (method) => {
    const { headers } = await expectProblem(
      { method, url: `/api/v1/users/${"f".repeat(24)}`, payload: {} },
      405,
      "request.method_not_allowed",
    );
    expect(String(headers.allow).split(", ").sort()).toEqual(["DELETE", "GET", "HEAD", "PATCH"]);
  });

  it.each(["users", "applications", "roles", "api-keys", "custom-fields"])(
    "the id of another tenant's object among %s",
    async (noun) => {
      const url = `/api/v1/${noun}/${other.ids[noun]}`;
      const code = `${{ users: "user", applications: "application", roles: "role", "api-keys": "api_key" }[noun] ?? "custom_field"}.not_found`;
      const change =
        noun === "users" ? { nickname: "x" } : noun === "custom-fields" ? { label: "x" } : { name: "x" };
      await expectProblem({ method: "GET", url }, 404, code);
      await expectProblem({ method: "PATCH", url, payload: change }, 404, code);
      await expectProblem({ method: "DELETE", url }, 404, code);
    },
  );

  it("another tenant's user as the owner of an API key", async () => {
    const payload = { name: "k", type: "user", userId: other.ids.users };
    await expectProblem({ url: "/api/v1/api-keys", payload }, 404, "user.not_found");
  });
});

/** Access tokens that are no good, and what API v1 says. */
async function badTokens(): Promise<[string, string, string][]> {
  const { deps, tenantId } = server;
  const now = Math.floor(server.clock.now().getTime() / 1000);
  const issuer = deps.publicUrl;
  const good = {
    iss: issuer,
    aud: issuer,
    sub: shop.id,
    client_id: shop.id,
    iat: now,
    exp: now + 600,
    jti: `${"a".repeat(24)}.x`,
    scope: "manage",
  };
  const jwt = (change: object, typ: "at+jwt" | "JWT" = "at+jwt", tenant = tenantId) =>
    signJwt(deps, tenant, typ, { ...good, ...change }, "ES256");
  const token = await jwt({});
  const [head = "", body = "", signature = ""] = token.split(".");
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const { kid } = JSON.parse(Buffer.from(head, "base64url").toString()) as { kid: string };
  const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const forged = sign("sha256", Buffer.from(`${head}.${body}`), { key: stranger, dsaEncoding: "ieee-p1363" });
  return [
    ["expired", await jwt({ iat: now - 700, exp: now - 100 }), "token.expired"],
    ["expired this second", await jwt({ exp: now }), "token.expired"],
    ["garbled", `${head}.${body.slice(0, 20)}%${body.slice(21)}.${signature}`, "token.invalid"],
    ["cut", token.slice(0, -10), "token.invalid"],
    ["unsigned", `${part({ alg: "none", typ: "at+jwt" })}.${body}.`, "token.invalid"],
    ["unsigned under a key's name", `${part({ alg: "none", typ: "at+jwt", kid })}.${body}.`, "token.invalid"],
    [
      "said to be HS256",
      `${part({ alg: "HS256", typ: "at+jwt", kid })}.${body}.${signature}`,
      "token.invalid",
    ],
    ["signed by a stranger", `${head}.${body}.${forged.toString("base64url")}`, "token.invalid"],
    [
      "of an unknown key",
      `${part({ alg: "ES256", typ: "at+jwt", kid: "x" })}.${body}.${signature}`,
      "token.invalid",
    ],
    [
      "with a critical extension",
      `${part({ alg: "ES256", typ: "at+jwt", kid, crit: ["b64"] })}.${body}.${signature}`,
      "token.invalid",
    ],
    ["for another audience", await jwt({ aud: "https://elsewhere.example" }), "token.wrong_audience"],
    ["of another issuer", await jwt({ iss: "https://elsewhere.example" }), "token.invalid"],
    ["that is an ID token", await jwt({ aud: shop.id }, "JWT"), "token.invalid"],
    ["without a scope claim", await jwt({ scope: undefined }), "token.invalid"],
    ["with an expiry that is a text", await jwt({ exp: "tomorrow" }), "token.invalid"],
    ["of another tenant", await jwt({}, "at+jwt", other.tenantId), "token.invalid"],
    ["of nobody", await jwt({ sub: "f".repeat(24) }), "user.not_found"],
    [
      "of an unknown application",
      await jwt({ sub: "f".repeat(24), client_id: "f".repeat(24) }),
      "token.invalid",
    ],
    ["that is a list of one", "[]", "token.invalid"],
    ["that is very long", `${head}.${"A".repeat(12_000)}.${signature}`, "token.invalid"],
  ];
}

describe("an access token that is no good", () => {
  it("is refused by API v1, by userinfo, by introspection and by the huace dialect", async () => {
    const basic = `Basic ${Buffer.from(`${shop.id}:${shop.secret}`).toString("base64")}`;
    for (const [what, token, code] of await badTokens()) {
      const bearer = { authorization: `Bearer ${token}` };
      const own = await send({ method: "GET", url: "/api/v1/users", headers: bearer });
      expect({ what, code: own.body.code }).toEqual({ what, code });
      expect([401, 404]).toContain(own.status);
      const userinfo = await send({ method: "GET", url: "/oauth/userinfo", headers: bearer });
      expect({ what, status: userinfo.status }).toEqual({ what, status: 401 });
      expect(userinfo.headers["www-authenticate"]).toMatch(/^Bearer/);
      const introspection = await send({
        url: "/oauth/introspect",
        headers: { ...FORM_TYPE, authorization: basic },
        payload: new URLSearchParams({ token }).toString(),
      });
      expect({ what, status: introspection.status, body: introspection.body }).toEqual({
        what,
        status: 200,
        body: { active: false },
      });
      const huace = await send({
        url: "/huace/sdk/token/verify",
        headers: { "x-app-id": shop.id, "x-app-secret": shop.secret },
        payload: { token },
      });
      expect({ what, body: huace.body }).toEqual({
        what,
        body: { code: 0, message: "ok", data: { valid: false } },
      });
    }
  });

  it.each([
    undefined,
    "",
    "Bearer",
    "Bearer ",
    "Basic eDp5",
    "Operator x",
    "Bearer ak_x",
    `Bearer ak_${"0".repeat(32)}`,
  ])("nor is Authorization: %s", async (authorization) => {
    const headers = authorization === undefined ? {} : { authorization };
    const { status, body, headers: answered } = await send({ method: "GET", url: "/api/v1/users", headers });
    expect(status).toBe(401);
    expect(["authentication.required", "token.invalid", "api_key.invalid"]).toContain(body.code);
    expect(answered["www-authenticate"]).toMatch(/^Bearer/);
  });
});

describe("OAuth, given a bad request, refuses it in the words of RFC 6749 and writes nothing", () => {
  const basic = () => ({
    authorization: `Basic ${Buffer.from(`${shop.id}:${shop.secret}`).toString("base64")}`,
  });

  it.each([
    ["no grant type", "scope=openid", 400, "invalid_request"],
    ["an unknown grant type", "grant_type=magic", 400, "unsupported_grant_type"],
    ["a grant type twice", "grant_type=client_credentials&grant_type=refresh_token", 400, "invalid_request"],
    ["a null character", "grant_type=authorization_code&code=%00", 400, "invalid_request"],
    ["invalid UTF-8", "grant_type=authorization_code&code=%ff", 400, "invalid_request"],
    [
      "a code that nobody gave out",
      `grant_type=authorization_code&code=x&code_verifier=${"v".repeat(43)}`,
      400,
      "invalid_grant",
    ],
    ["a scope that is too much", "grant_type=client_credentials&scope=manage", 400, "invalid_scope"],
    [
      "more than a mebibyte",
      `grant_type=client_credentials&x=${"x".repeat(MEBIBYTE)}`,
      413,
      "invalid_request",
    ],
    ["nothing", "", 400, "invalid_request"],
  ])("at the token endpoint: %s", async (_what, payload, status, error) => {
    const answer = await send({ url: "/oauth/token", headers: { ...FORM_TYPE, ...basic() }, payload });
    expect({ status: answer.status, error: answer.body.error }).toEqual({ status, error });
    expect(answer.headers["cache-control"]).toBe("no-store");
  });

  it.each([
    ["JSON", "application/json", '{"grant_type":"client_credentials"}'],
    ["another content type", "text/plain", "grant_type=client_credentials"],
    ["no content type", "", "grant_type=client_credentials"],
  ])("at the token endpoint: %s", async (_what, type, payload) => {
    const answer = await send({
      url: "/oauth/token",
      headers: { "content-type": type, ...basic() },
      payload,
    });
    expect([400, 415]).toContain(answer.status);
    expect(answer.body.error).toBe("invalid_request");
  });

  it.each([
    ["a wrong secret", () => `${shop.id}:wrong`],
    ["an unknown client", () => `${"f".repeat(24)}:${shop.secret}`],
    ["another tenant's client", () => `${other.ids.applications}:${shop.secret}`],
    ["no colon", () => shop.id],
    ["a null character", () => `${shop.id}:%00`],
  ])("from a client with %s", async (_what, credentials) => {
    const authorization = `Basic ${Buffer.from(credentials()).toString("base64")}`;
    const answer = await send({
      url: "/oauth/token",
      headers: { ...FORM_TYPE, authorization },
      payload: "grant_type=client_credentials",
    });
    expect({ status: answer.status, error: answer.body.error }).toEqual({
      status: 401,
      error: "invalid_client",
    });
    expect(answer.headers["www-authenticate"]).toMatch(/^Basic/);
  });

  it("from a tenant that does not exist", async () => {
    const answer = await send({ url: "/t/nobody/oauth/token", headers: FORM_TYPE, payload: "grant_type=x" });
    expect(answer.status).toBe(404);
  });

  it("with a wrong method", async () => {
    const answer = await server.app.inject({ method: "GET", url: "/oauth/token" });
    expect({ status: answer.statusCode, allow: answer.headers.allow }).toMatchObject({ status: 405 });
    expect(answer.headers.allow).toContain("POST");
  });

  it.each([
    ["no client", "response_type=code"],
    ["an unknown client", "response_type=code&client_id=x&redirect_uri=https://evil.example"],
    ["a null character", "response_type=code&client_id=%00"],
    ["a parameter twice", "response_type=code&client_id=a&client_id=b"],
    ["invalid UTF-8", "response_type=code&client_id=%ff"],
    ["an unregistered redirect URI", "SHOP&redirect_uri=https://evil.example"],
  ])("at the authorization endpoint: %s, without sending the browser anywhere", async (_what, query) => {
    const parameters = query.replace("SHOP", `response_type=code&client_id=${shop.id}`);
    const answer = await server.app.inject({ method: "GET", url: `/oauth/authorize?${parameters}` });
    expect(answer.statusCode).toBe(400);
    expect(answer.headers.location).toBeUndefined();
  });
});
