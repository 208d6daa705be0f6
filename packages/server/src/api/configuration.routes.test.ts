import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { aServer, type TestServer } from "../testing/a-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await aServer();
});
afterAll(() => server[Symbol.asyncDispose]());

interface Answer {
  status: number;
  type: string;
  body: string;
  json<T = Record<string, unknown>>(): T;
}

async function send(
  method: "GET" | "POST",
  path: string,
  payload?: string | Buffer,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const answer = await server.app.inject({
    method,
    url: `/api/v1/configuration${path}`,
    headers: { authorization: server.operator, "content-type": "application/yaml", ...headers },
    ...(payload === undefined ? {} : { payload }),
  });
  const { statusCode: status, body } = answer;
  return { status, type: String(answer.headers["content-type"]), body, json: () => JSON.parse(body) };
}

const tenant = (rest: string) => `version: ostiary/v1\ntenants:\n  - slug: default\n${rest}`;

describe("the file over the API", () => {
  it("is planned, applied and exported, in YAML and in JSON", async () => {
    const yaml = tenant("    users: [{ username: zs, password: { plain: correct horse battery } }]");
    const json = JSON.stringify(parse(yaml));
    const planned = await send("POST", "/plan", yaml);
    expect(planned.json()).toMatchObject({ changes: [{ kind: "user", name: "zs", action: "create" }] });
    expect((await send("POST", "/apply", yaml)).json()).toMatchObject({ changes: [{ name: "zs" }] });
    const again = await send("POST", "/apply", json, { "content-type": "application/json" });
    expect(again.json()).toMatchObject({ changes: [], unchanged: 2 });

    const exported = await send("GET", "/export");
    expect(exported.type).toBe("application/yaml; charset=utf-8");
    const asJson = await send("GET", "/export", undefined, { accept: "application/json" });
    expect(asJson.json()).toEqual(parse(exported.body));
    expect((await send("POST", "/apply", exported.body)).json()).toMatchObject({ changes: [] });
    expect((await send("GET", "/export?format=json&credentials=false")).body).not.toContain("$argon2id$");
  });

  it("is applied once for one Idempotency-Key", async () => {
    const yaml = tenant("    applications: [{ key: once }]");
    const headers = { "idempotency-key": "once" };
    const first = await send("POST", "/apply", yaml, headers);
    expect(first.json()).toMatchObject({ generated: [{ name: "once" }] });
    expect((await send("POST", "/apply", yaml, headers)).body).toBe(first.body);
  });

  it("has a published JSON Schema", async () => {
    const answer = await server.app.inject({ method: "GET", url: "/api/v1/configuration/schema" });
    expect(answer.json()).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      required: ["version", "tenants"],
      additionalProperties: false,
    });
  });
});

describe("bad input", () => {
  const many = `${"x".repeat(64)}\n`.repeat(10_000);
  it.each<[what: string, body: string | Buffer, status: number, code: string, path?: string]>([
    ["wrong syntax", "version: [", 400, "configuration.invalid"],
    ["a duplicate key", "version: ostiary/v1\nversion: ostiary/v1", 400, "configuration.invalid"],
    ["nothing", "", 400, "request.invalid"],
    [
      "another version",
      "version: ostiary/v2\ntenants: [{ slug: default }]",
      400,
      "request.invalid",
      "/version",
    ],
    [
      "an unknown field",
      tenant("    users: [{ usrname: x }]"),
      400,
      "request.invalid",
      "/tenants/0/users/0/usrname",
    ],
    ["a wrong type", tenant("    users: [{ username: x, phone: 138 }]"), 400, "request.invalid"],
    [
      "a part that comes later",
      tenant("    applications: [{ key: a, groups: [] }]"),
      400,
      "configuration.invalid",
      "/tenants/0/applications/0/groups",
    ],
    [
      "a variable",
      tenant(`    name: $${"{HOME}"}`),
      400,
      "configuration.variable_missing",
      "/tenants/0/name",
    ],
    [
      "a user without a name",
      tenant("    users: [{ nickname: x }]"),
      400,
      "configuration.invalid",
      "/tenants/0/users/0",
    ],
    [
      "an unknown owner",
      tenant("    apiKeys: [{ name: x, type: user, user: nobody }]"),
      404,
      "user.not_found",
      "/tenants/0/apiKeys/0/user",
    ],
    [
      "no owner",
      tenant("    apiKeys: [{ name: x, type: application }]"),
      400,
      "api_key.owner_invalid",
      "/tenants/0/apiKeys/0/application",
    ],
    [
      "a refused address",
      tenant('    applications: [{ key: x, redirectUris: ["http://a.example/"] }]'),
      400,
      "application.redirect_uri_invalid",
      "/tenants/0/applications/0/redirectUris/0",
    ],
    [
      "a secret of a public client",
      tenant("    applications: [{ key: x, tokenEndpointAuthMethod: none, secret: 12345678a }]"),
      409,
      "application.public_client",
      "/tenants/0/applications/0",
    ],
    ["invalid UTF-8", Buffer.from([0x61, 0x3a, 0x20, 0xff]), 400, "request.invalid_text"],
    ["a null character", 'version: "\\0"', 400, "request.invalid_text"],
    ["too much YAML", many, 413, "request.too_large"],
    ["deep YAML", "[".repeat(5_000), 400, "configuration.invalid"],
    ["deep JSON", `{"a":${"[".repeat(100)}${"]".repeat(100)}}`, 400, "request.too_deep"],
  ])("%s is refused, and nothing of the file is done", async (_what, body, status, code, path) => {
    for (const route of ["/plan", "/apply"]) {
      const answer = await send("POST", route, body);
      const problem = answer.json<{ code: string; errors?: { path: string }[] }>();
      expect({ status: answer.status, code: problem.code }).toEqual({ status, code });
      if (path !== undefined) expect(problem.errors?.[0]?.path).toBe(path);
    }
  });

  it("takes only YAML and JSON, and only from those who may", async () => {
    expect((await send("POST", "/apply", "a=b", { "content-type": "text/plain" })).status).toBe(415);
    expect((await send("GET", "/export", undefined, { authorization: "" })).status).toBe(401);
    expect((await send("GET", "/export?tenant=nobody")).status).toBe(404);
    expect((await send("GET", "/export?format=xml")).status).toBe(400);
  });
});
