import { describe, expect, it } from "vitest";
import { FORM_TYPE, JSON_TYPE, MEBIBYTE, type Request, useScene } from "./scene.ts";

const scene = useScene();

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
  const authorized = () => ({ authorization: scene.server.operator });

  async function expectProblem(options: Request, status: number, code: string) {
    const answer = await scene.send({ ...options, headers: { ...authorized(), ...options.headers } });
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
  ] as [string, Request, number, string][])("%s", async (_what, options, status, code) => {
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
      const url = `/api/v1/${noun}/${scene.other.ids[noun]}`;
      const code = `${{ users: "user", applications: "application", roles: "role", "api-keys": "api_key" }[noun] ?? "custom_field"}.not_found`;
      const change =
        noun === "users" ? { nickname: "x" } : noun === "custom-fields" ? { label: "x" } : { name: "x" };
      await expectProblem({ method: "GET", url }, 404, code);
      await expectProblem({ method: "PATCH", url, payload: change }, 404, code);
      await expectProblem({ method: "DELETE", url }, 404, code);
    },
  );

  it("another tenant's user as the owner of an API key", async () => {
    const payload = { name: "k", type: "user", userId: scene.other.ids.users };
    await expectProblem({ url: "/api/v1/api-keys", payload }, 404, "user.not_found");
  });
});
