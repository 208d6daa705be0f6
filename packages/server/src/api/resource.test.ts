import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { anApi, type TestApi } from "../testing/an-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await anApi();
});
afterAll(() => api[Symbol.asyncDispose]());

let count = 0;
const unique = (prefix: string) => `${prefix}${++count}`;

/** Every kind of object, with what its creation and change may look like. */
const RESOURCES = [
  {
    path: "/tenants",
    create: () => ({ slug: unique("slug-"), name: "T" }),
    change: { name: "Changed" },
    missing: "tenant.not_found",
  },
  {
    path: "/users",
    create: () => ({ username: unique("user") }),
    change: { nickname: "Changed" },
    missing: "user.not_found",
  },
  {
    path: "/roles",
    create: () => ({ code: unique("role"), permissions: ["a:b"] }),
    change: { name: "Changed" },
    missing: "role.not_found",
  },
  {
    path: "/custom-fields",
    create: () => ({ key: unique("field"), type: "string" }),
    change: { label: "Changed" },
    missing: "custom_field.not_found",
  },
  {
    path: "/applications",
    create: () => ({ slug: unique("app-"), name: "A" }),
    change: { name: "Changed" },
    missing: "application.not_found",
    shownOnce: "secret",
  },
  {
    path: "/api-keys",
    create: () => ({ name: unique("key "), type: "global" }),
    change: { name: "Changed" },
    missing: "api_key.not_found",
    shownOnce: "key",
  },
] as const;

describe.each(RESOURCES)("$path", ({ path, create, change, missing, ...rest }) => {
  const made = async () => (await api.call("POST", path, create())).json<{ id: string; version: number }>();

  it("creates, reads, lists, changes and deletes", async () => {
    const created = await api.call("POST", path, create());
    expect(created.statusCode, created.body).toBe(201);
    const item = created.json();
    if ("shownOnce" in rest) {
      expect(item[rest.shownOnce]).toMatch(/^[\w-]{35,}$/);
      delete item[rest.shownOnce];
    }
    expect(created.headers.location).toBe(`/api/v1${path}/${item.id}`);
    expect(created.headers.etag).toBe('"1"');
    const read = await api.call("GET", `${path}/${item.id}`);
    expect(read.json()).toEqual(item);
    expect(read.headers.etag).toBe('"1"');
    expect((await api.call("GET", path)).json().items).toContainEqual(item);
    const changed = await api.call("PATCH", `${path}/${item.id}`, change);
    expect(changed.json()).toMatchObject({ ...change, version: 2 });
    expect(changed.headers.etag).toBe('"2"');
    const deleted = await api.call("DELETE", `${path}/${item.id}`);
    expect([deleted.statusCode, deleted.body]).toEqual([204, ""]);
    expect((await api.call("GET", `${path}/${item.id}`)).json()).toMatchObject({
      code: missing,
      status: 404,
    });
  });

  it("pages with `limit` and `after`", async () => {
    await made();
    await made();
    const first = (await api.call("GET", `${path}?limit=1`)).json();
    const second = (await api.call("GET", `${path}?limit=1&after=${first.next}`)).json();
    expect(first.items).toHaveLength(1);
    expect(second.items[0].id < first.items[0].id).toBe(true);
  });

  it("refuses a change or deletion of another version", async () => {
    const { id } = await made();
    for (const tag of ['"9"', 'W/"1"', "1", '"1", "2"', '""']) {
      const refused = await api.call("PATCH", `${path}/${id}`, change, { "if-match": tag });
      expect([refused.statusCode, refused.json().code]).toEqual([412, "precondition.failed"]);
      expect((await api.call("DELETE", `${path}/${id}`, undefined, { "if-match": tag })).statusCode).toBe(
        412,
      );
    }
    expect((await api.call("PATCH", `${path}/${id}`, change, { "if-match": '"1"' })).statusCode).toBe(200);
    expect((await api.call("DELETE", `${path}/${id}`, undefined, { "if-match": "*" })).statusCode).toBe(204);
  });

  it("does all operations of a bulk request or none, and says which was wrong", async () => {
    const old = await made();
    const total = async () => (await api.call("GET", `${path}?limit=200`)).json().items.length;
    const before = await total();
    const good = { op: "create", value: create() };
    const refused = await api.call("POST", `${path}/bulk`, {
      operations: [good, { op: "update", id: "0".repeat(24), value: change }],
    });
    expect([refused.statusCode, refused.json().code]).toEqual([404, missing]);
    expect(refused.json().errors[0].path).toMatch(/^\/operations\/1/);
    expect(await total()).toBe(before);
    const done = await api.call("POST", `${path}/bulk`, {
      operations: [good, { op: "update", id: old.id, value: change }, { op: "delete", id: old.id }],
    });
    expect(done.statusCode, done.body).toBe(200);
    expect(done.json().results).toMatchObject([{ version: 1 }, { ...change, version: 2 }, null]);
    expect(await total()).toBe(before);
  });

  it("takes from 1 to 1,000 operations", async () => {
    const operations = Array.from({ length: 1_001 }, () => ({ op: "delete", id: "0".repeat(24) }));
    expect((await api.call("POST", `${path}/bulk`, { operations })).statusCode).toBe(400);
    expect((await api.call("POST", `${path}/bulk`, { operations: [] })).statusCode).toBe(400);
  });

  it("does a repeated request once, and gives the same answer", async () => {
    const body = create();
    const headers = { "idempotency-key": unique("key-") };
    const first = await api.call("POST", path, body, headers);
    const again = await api.call("POST", path, body, headers);
    expect(first.statusCode).toBe(201);
    expect([again.statusCode, again.json(), again.headers.etag, again.headers.location]).toEqual([
      201,
      first.json(),
      first.headers.etag,
      first.headers.location,
    ]);
    expect(first.headers["idempotent-replayed"]).toBeUndefined();
    expect(again.headers["idempotent-replayed"]).toBe("true");
    const other = await api.call("POST", path, create(), headers);
    expect([other.statusCode, other.json().code]).toEqual([422, "idempotency.key_reused"]);
    const removal = { "idempotency-key": unique("key-") };
    const target = `${path}/${first.json().id}`;
    expect((await api.call("DELETE", target, undefined, removal)).statusCode).toBe(204);
    expect((await api.call("DELETE", target, undefined, removal)).statusCode).toBe(204);
    expect((await api.call("DELETE", target)).statusCode).toBe(404);
  });

  it("does it once when ten send it at the same moment", async () => {
    const body = create();
    const headers = { "idempotency-key": unique("key-") };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => api.call("POST", path, body, headers)),
    );
    const codes = new Set(answers.map(({ statusCode }) => statusCode));
    expect([...codes].every((status) => status === 201 || status === 409)).toBe(true);
    const ids = answers.filter(({ statusCode }) => statusCode === 201).map((answer) => answer.json().id);
    expect(new Set(ids).size).toBe(1);
  });

  it("does not keep a refusal: the request may be repeated", async () => {
    const headers = { "idempotency-key": unique("key-") };
    const { id } = await made();
    const wrong = { ...headers, "if-match": '"7"' };
    expect((await api.call("PATCH", `${path}/${id}`, change, wrong)).statusCode).toBe(412);
    expect((await api.call("PATCH", `${path}/${id}`, change, headers)).statusCode).toBe(200);
  });

  it.each([
    ["an unknown field", (body: object) => ({ ...body, extra: 1 })],
    ["a wrong type", (body: object) => Object.fromEntries(Object.keys(body).map((key) => [key, { x: 1 }]))],
    ["null for everything", (body: object) => Object.fromEntries(Object.keys(body).map((key) => [key, 7]))],
    ["a list", () => []],
    ["null", () => null],
    ["text", () => '"text"'],
    ["no JSON", () => "{"],
    ["a key twice", () => '{"name":"a","name":"b"}'],
    ["a null character", (body: object) => JSON.stringify(body).replace(/:"/, ':"\\u0000')],
    ["a lone surrogate", (body: object) => JSON.stringify(body).replace(/:"/, ':"\\ud800')],
    ["control characters", (body: object) => JSON.stringify(body).replace(/:"/, ':"\\u0007')],
    ["much too long text", (body: object) => JSON.stringify(body).replace(/:"/, `:"${"x".repeat(100_000)}`)],
    ["great depth", () => `${"[".repeat(5_000)}${"]".repeat(5_000)}`],
    [
      "ids that are not for callers to choose",
      (body: object) => ({ ...body, id: "0".repeat(24), serial: 1 }),
    ],
  ])("answers 400 to %s and writes nothing", async (_, spoil) => {
    const before = (await api.call("GET", path)).body;
    const refused = await api.call("POST", path, spoil(create()));
    expect(refused.statusCode, refused.body).toBe(400);
    expect(refused.headers["content-type"]).toContain("application/problem+json");
    expect((await api.call("GET", path)).body).toBe(before);
  });

  it("answers what is wrong about address, media type, method and key", async () => {
    const problem = async (answer: ReturnType<TestApi["call"]>) => {
      const { statusCode, body } = await answer;
      return [statusCode, JSON.parse(body).code];
    };
    const invalid = [400, "request.invalid"];
    for (const bad of ["nope", "0".repeat(23), "G".repeat(24), "0".repeat(25), "%27"]) {
      expect(await problem(api.call("GET", `${path}/${bad}`))).toEqual(invalid);
    }
    expect((await api.call("GET", `${path}/%00`)).statusCode).toBe(400);
    expect(await problem(api.call("GET", `${path}/${"0".repeat(24)}`))).toEqual([404, missing]);
    for (const query of [
      "limit=0",
      "limit=201",
      "limit=x",
      "after=x",
      "unknown=1",
      `search=${"x".repeat(200)}`,
    ]) {
      expect(await problem(api.call("GET", `${path}?${query}`)), query).toEqual(invalid);
    }
    expect(await problem(api.call("PUT", path, {}))).toEqual([405, "request.method_not_allowed"]);
    expect(await problem(api.call("POST", path, "{}", { "content-type": "text/plain" }))).toEqual([
      415,
      "request.unsupported_media_type",
    ]);
    expect(await problem(api.call("POST", path, create(), { "idempotency-key": "with space" }))).toEqual(
      invalid,
    );
    expect(await problem(api.call("GET", path, undefined, { authorization: "" }))).toEqual([
      401,
      "authentication.required",
    ]);
    expect(await problem(api.call("GET", path, undefined, { authorization: "Bearer ak_unknown" }))).toEqual([
      401,
      "api_key.invalid",
    ]);
  });
});
