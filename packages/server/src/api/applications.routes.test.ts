import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { aServer, type TestServer } from "../testing/a-server.ts";
import { callApi } from "../testing/api-client.ts";

let server: TestServer;
let number = 0;
beforeAll(async () => {
  server = await aServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const call = (
  ...[method, path, options]: Parameters<typeof callApi> extends [unknown, ...infer R] ? R : never
) => callApi(server, method, path, options);
async function anApplication(values: object = {}) {
  const answer = await call("POST", "/applications", {
    body: { slug: `app-${++number}`, name: "App", ...values },
  });
  expect(answer.statusCode, answer.body).toBe(201);
  return answer.json();
}

describe("an application's secret", () => {
  it("is shown when it is made and never again, not even to a search", async () => {
    const { id, secret } = await anApplication();
    expect(secret).toMatch(/^[\w-]{43}$/);
    for (const path of [`/applications/${id}`, "/applications", `/applications/${id}/secrets`]) {
      expect((await call("GET", path)).body, path).not.toContain(secret);
    }
    const audit = await vi.waitFor(async () => {
      const answer = await call("GET", `/audit?targetId=${id}`);
      expect(answer.json().items).toHaveLength(1);
      return answer;
    });
    expect(audit.body).not.toContain(secret);
  });

  it("is the same when the creation is repeated with its Idempotency-Key", async () => {
    const request = {
      body: { slug: `app-${++number}`, name: "App" },
      headers: { "idempotency-key": `key-${number}` },
    };
    const first = await call("POST", "/applications", request);
    const again = await call("POST", "/applications", request);
    expect([again.statusCode, again.headers["idempotent-replayed"]]).toEqual([201, "true"]);
    expect(again.json()).toEqual(first.json());
    const rows = await server.database.database.query("select * from idempotency_keys");
    expect(JSON.stringify(rows)).not.toContain(first.json().secret);
  });

  it("rotates: the old one is given an end", async () => {
    const { id } = await anApplication();
    const expireOthersAt = new Date(Date.now() + 3_600_000).toISOString();
    const added = await call("POST", `/applications/${id}/secrets`, { body: { expireOthersAt } });
    expect(added.statusCode, added.body).toBe(201);
    const { items } = (await call("GET", `/applications/${id}/secrets`)).json();
    expect(items).toMatchObject([{ expiresAt: expireOthersAt }, { expiresAt: null, id: added.json().id }]);
    const first = items[0].id;
    expect((await call("DELETE", `/applications/${id}/secrets/${first}`)).statusCode).toBe(204);
    const gone = await call("DELETE", `/applications/${id}/secrets/${first}`);
    expect([gone.statusCode, gone.json().code]).toEqual([404, "application.secret_not_found"]);
  });
});

describe("bad applications", () => {
  it.each([
    [
      "a redirect URI with a fragment",
      { redirectUris: ["https://a.example/#x"] },
      "application.redirect_uri_invalid",
    ],
    [
      "a return address that is no origin",
      { allowedReturnOrigins: ["https://a.example/x"] },
      "application.return_origin_invalid",
    ],
    [
      "a public client with client_credentials",
      { tokenEndpointAuthMethod: "none", grantTypes: ["client_credentials"] },
      "application.authentication_invalid",
    ],
    [
      "keys that are none",
      { jwks: { keys: [{ kty: "oct", k: "x" }] } },
      "application.authentication_invalid",
    ],
    ["a grant type we do not have", { grantTypes: ["password"] }, "request.invalid"],
    [
      "the same redirect URI twice",
      { redirectUris: ["https://a.example/", "https://a.example/"] },
      "request.invalid",
    ],
    ["a script as its homepage", { homepage: "javascript:alert(1)" }, "request.invalid"],
    ["an SVG as its logo", { logo: "data:image/svg+xml;base64,AAAA" }, "request.invalid"],
    ["an unknown setting", { settings: { directory: true } }, "request.invalid"],
    ["a lifetime below any use", { settings: { accessTokenSeconds: 0 } }, "request.invalid"],
    ["a scope we do not have", { scopes: ["root"] }, "request.invalid"],
  ])("are refused: %s", async (_what, values, code) => {
    const slug = `app-${++number}`;
    const answer = await call("POST", "/applications", { body: { slug, name: "App", ...values } });
    expect([answer.statusCode, answer.json().code]).toEqual([400, code]);
    expect(answer.json().errors.length).toBeGreaterThan(0);
    expect((await call("GET", `/applications?search=${slug}`)).json().items).toEqual([]);
  });

  it("are named by their operation in a bulk request, and nothing of it is done", async () => {
    const slug = `app-${++number}`;
    const operations = [
      { op: "create", value: { slug, name: "Good" } },
      { op: "create", value: { slug: `${slug}-b`, name: "Bad", redirectUris: ["http://a.example/"] } },
    ];
    const answer = await call("POST", "/applications/bulk", { body: { operations } });
    expect([answer.statusCode, answer.json().errors[0].path]).toEqual([
      400,
      "/operations/1/value/redirectUris/0",
    ]);
    expect((await call("GET", `/applications?search=${slug}`)).json().items).toEqual([]);
    const good = await call("POST", "/applications/bulk", { body: { operations: operations.slice(0, 1) } });
    expect(good.json().results[0].secret).toMatch(/^[\w-]{43}$/);
  });
});

it("assigns users, again and again, and takes them away", async () => {
  const { id } = await anApplication({ access: "assigned" });
  const user = (await call("POST", "/users", { body: { username: `ann${number}` } })).json().id;
  for (const method of ["PUT", "PUT"] as const) {
    expect((await call(method, `/applications/${id}/users/${user}`)).statusCode).toBe(204);
  }
  expect((await call("GET", `/applications/${id}/users`)).json()).toMatchObject({
    items: [{ userId: user }],
    next: null,
  });
  const unknown = await call("PUT", `/applications/${id}/users/${"0".repeat(24)}`);
  expect([unknown.statusCode, unknown.json().code]).toEqual([404, "user.not_found"]);
  expect((await call("DELETE", `/applications/${id}/users/${user}`)).statusCode).toBe(204);
  expect((await call("GET", `/applications/${id}/users`)).json().items).toEqual([]);
});
