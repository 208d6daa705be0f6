import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "../../packages/server/src/testing/a-database.ts";
import { aServer, type TestServer } from "../../packages/server/src/testing/a-server.ts";

/** Three servers on one database. They share nothing else: each has its own caches, pool and listening connection. */
let database: TestDatabase;
let servers: TestServer[];

beforeAll(async () => {
  database = await aDatabase();
  servers = [];
  for (let i = 0; i < 3; i++) servers.push(await aServer({ on: database }));
});
afterAll(async () => {
  for (const server of servers) await server[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const one = () => servers[0] as TestServer;

async function call(
  server: TestServer,
  method: "GET" | "POST" | "PATCH" | "DELETE",
  url: string,
  body?: object,
  authorization = server.operator,
) {
  const answer = await server.app.inject({
    method,
    url: `/api/v1${url}`,
    headers: { authorization },
    ...(body ? { payload: body } : {}),
  });
  return { status: answer.statusCode, body: answer.body === "" ? undefined : answer.json() };
}

/** Milliseconds until `check` holds; fails after one second. */
async function within1s(check: () => Promise<boolean>): Promise<number> {
  const began = performance.now();
  while (!(await check())) {
    if (performance.now() - began > 1_000) throw new Error("not visible after one second");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return performance.now() - began;
}

/** A user with a role, and his token for the API, known and cached by every server. */
async function aKnownUser(name: string, permissions: string[]) {
  const role = await call(one(), "POST", "/roles", { code: `role-${name}`, name, permissions });
  expect(role.status).toBe(201);
  const user = await call(one(), "POST", "/users", { username: name });
  expect(user.status).toBe(201);
  expect(
    (await call(one(), "POST", `/users/${user.body.id}/roles/assign`, { roles: [`role-${name}`] })).status,
  ).toBeLessThan(300);
  const key = await call(one(), "POST", "/api-keys", { name, type: "user", userId: user.body.id });
  expect(key.status).toBe(201);
  const authorization = `Bearer ${key.body.key}`;
  const seen = () =>
    Promise.all(
      servers.map(async (server) => (await call(server, "GET", "/users", undefined, authorization)).status),
    );
  return { user: user.body, role: role.body, key: key.body, seen };
}

describe("a change made on one process is effective on all three within one second", () => {
  it("when a role loses a permission", async () => {
    const { role, seen } = await aKnownUser("ann", ["user:read"]);
    expect(await seen()).toEqual([200, 200, 200]);
    expect((await call(one(), "PATCH", `/roles/${role.id}`, { permissions: [] })).status).toBe(200);
    await within1s(async () => (await seen()).every((status) => status === 403));
  });

  it("when a user is suspended", async () => {
    const { user, seen } = await aKnownUser("ben", ["user:read"]);
    expect(await seen()).toEqual([200, 200, 200]);
    expect((await call(one(), "PATCH", `/users/${user.id}`, { status: "suspended" })).status).toBe(200);
    await within1s(async () => (await seen()).every((status) => status === 401));
  });

  it("when an API key is deleted", async () => {
    const { key, seen } = await aKnownUser("cat", ["user:read"]);
    expect(await seen()).toEqual([200, 200, 200]);
    expect((await call(one(), "DELETE", `/api-keys/${key.id}`)).status).toBe(204);
    await within1s(async () => (await seen()).every((status) => status === 401));
  });

  it("when somebody becomes a member of a group that was given a role, and when he leaves it", async () => {
    const group = (await call(one(), "POST", "/groups", { code: "readers" })).body;
    const user = (await call(one(), "POST", "/users", { username: "eve" })).body;
    const grant = { subject: { type: "group", id: group.id }, resource: "report:*", actions: ["read"] };
    expect((await call(one(), "POST", "/access-grants", grant)).status).toBe(201);
    const question = { subject: { type: "user", id: user.id }, action: "read", resource: "report:1" };
    const verdicts = () =>
      Promise.all(
        servers.map(async (server) => (await call(server, "POST", "/access/check", question)).body.allowed),
      );
    expect(await verdicts()).toEqual([false, false, false]);
    await call(one(), "POST", `/groups/${group.id}/members/add`, { userIds: [user.id] });
    await within1s(async () => (await verdicts()).every((allowed) => allowed));
    await call(one(), "POST", `/groups/${group.id}/members/remove`, { userIds: [user.id] });
    await within1s(async () => (await verdicts()).every((allowed) => !allowed));
  });

  it("when a group that a policy allows gets and loses a member, and when a denial is granted", async () => {
    const made = async (url: string, body: object) => {
      const answer = await call(one(), "POST", url, body);
      expect(answer.status, JSON.stringify(answer.body)).toBe(201);
      return answer.body;
    };
    const user = await made("/users", { username: "eva" });
    const group = await made("/groups", { code: "book-readers" });
    const policy = await made("/policies", {
      code: "read-books",
      statements: [{ resources: ["books:*"], actions: ["read"], effect: "allow" }],
    });
    await made("/access-grants", { subject: { type: "group", id: group.id }, policyId: policy.id });
    const question = { subject: { type: "user", id: user.id }, resource: "books:1", action: "read" };
    const verdicts = () =>
      Promise.all(
        servers.map(async (server) => (await call(server, "POST", "/access/check", question)).body.allowed),
      );
    expect(await verdicts()).toEqual([false, false, false]);
    const members = `/groups/${group.id}/members`;
    const userIds = { userIds: [user.id] };
    expect((await call(one(), "POST", `${members}/add`, userIds)).status).toBe(200);
    await within1s(async () => (await verdicts()).every((allowed) => allowed));
    const denial = { namespace: "default", resource: "books:1", actions: ["read"], effect: "deny" };
    const grant = await made("/access-grants", { subject: { type: "user", id: user.id }, ...denial });
    await within1s(async () => (await verdicts()).every((allowed) => !allowed));
    expect((await call(one(), "DELETE", `/access-grants/${grant.id}`)).status).toBe(204);
    await within1s(async () => (await verdicts()).every((allowed) => allowed));
    expect((await call(one(), "POST", `${members}/remove`, userIds)).status).toBe(200);
    await within1s(async () => (await verdicts()).every((allowed) => !allowed));
  });

  it("when the listening connections were cut: nothing old is answered from a cache, and they come back", async () => {
    const { role, seen } = await aKnownUser("dan", ["user:read"]);
    expect(await seen()).toEqual([200, 200, 200]);
    await database.database.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen %' and datname = current_database() and pid <> pg_backend_pid()",
    );
    expect((await call(one(), "PATCH", `/roles/${role.id}`, { permissions: [] })).status).toBe(200);
    await within1s(async () => (await seen()).every((status) => status === 403));
    await within1s(async () => servers.every((server) => server.deps.feed.live));
    expect((await call(one(), "PATCH", `/roles/${role.id}`, { permissions: ["user:read"] })).status).toBe(
      200,
    );
    await within1s(async () => (await seen()).every((status) => status === 200));
  });
});
