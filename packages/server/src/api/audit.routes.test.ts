import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { aServer, type TestServer } from "../testing/a-server.ts";
import { callApi } from "../testing/api-client.ts";

let server: TestServer;
beforeAll(async () => {
  server = await aServer();
  for (const username of ["ann", "bob", "eve"])
    await callApi(server, "POST", "/users", { body: { username } });
  await vi.waitFor(
    async () => expect((await read("/audit?type=user.created")).items.length).toBeGreaterThanOrEqual(3),
    { timeout: 10_000 },
  );
});
afterAll(() => server[Symbol.asyncDispose]());

const read = async (path: string) => (await callApi(server, "GET", path)).json();

describe("the audit log", () => {
  it("comes page by page, newest first, filtered", async () => {
    const first = await read("/audit?type=user.created&limit=2");
    const second = await read(`/audit?type=user.created&limit=2&after=${first.next}`);
    const numbers = [...first.items, ...second.items].map((entry: { seq: number }) => entry.seq);
    expect(numbers).toEqual([...numbers].sort((a, b) => b - a));
    expect(new Set(numbers).size).toBe(numbers.length);
    const { targetId, occurredAt, actorType } = first.items[0];
    expect(actorType).toBe("operator");
    expect((await read(`/audit?targetId=${targetId}`)).items).toHaveLength(1);
    expect(
      (await read(`/audit?type=user.created&to=${encodeURIComponent("2020-01-01T00:00:00Z")}`)).items,
    ).toEqual([]);
    const from = encodeURIComponent(occurredAt);
    expect((await read(`/audit?targetId=${targetId}&from=${from}`)).items).toHaveLength(1);
  });

  it("is exported as lines whose chain is intact", async () => {
    const answer = await callApi(server, "GET", "/audit/export");
    expect(answer.headers["content-type"]).toContain("application/x-ndjson");
    const entries = answer.body
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(entries.map((entry) => entry.seq)).toEqual(entries.map((_, index) => index + 1));
    expect(entries[0].hash).toMatch(/^[0-9a-f]{64}$/);
    const report = await read("/audit/verify");
    expect(report).toMatchObject({ intact: true, brokenAt: null });
    expect(report.entries).toBeGreaterThanOrEqual(entries.length);
  });

  it("shows when somebody changed an entry behind its back", async () => {
    const { database } = server.database;
    await database.query("alter table audit_entries disable trigger audit_entries_append_only");
    await database.query("update audit_entries set actor_id = 'somebody' where seq = 2");
    await database.query("alter table audit_entries enable trigger audit_entries_append_only");
    expect(await read("/audit/verify")).toMatchObject({ intact: false, brokenAt: 2 });
  });

  it("refuses filters that mean nothing, and callers without the permission", async () => {
    for (const query of [
      "after=0",
      "after=x",
      "after=1e3",
      "type=nothing",
      "from=yesterday",
      "limit=0",
      "outcome=x",
      "other=1",
    ]) {
      const answer = await callApi(server, "GET", `/audit?${query}`);
      expect([answer.statusCode, answer.json().code], query).toEqual([400, "request.invalid"]);
    }
    const body = { name: "reader", type: "global", permissions: ["user:read"] };
    const { key } = (await callApi(server, "POST", "/api-keys", { body })).json();
    for (const path of ["/audit", "/audit/export", "/audit/verify", "/signing-keys"]) {
      const answer = await callApi(server, "GET", path, { authorization: `Bearer ${key}` });
      expect([answer.statusCode, answer.json().code], path).toEqual([403, "permission.denied"]);
    }
    expect((await callApi(server, "GET", "/users", { authorization: `Bearer ${key}` })).statusCode).toBe(200);
  });
});

describe("signing keys", () => {
  it("rotate at once and by algorithm; the one in use stays, a private half is never shown", async () => {
    const first = await callApi(server, "POST", "/signing-keys/rotate", { body: {} });
    expect(first.statusCode, first.body).toBe(201);
    const second = (await callApi(server, "POST", "/signing-keys/rotate", { body: {} })).json();
    const rsa = (
      await callApi(server, "POST", "/signing-keys/rotate", { body: { algorithm: "RS256" } })
    ).json();
    const list = await callApi(server, "GET", "/signing-keys");
    const byId = new Map(list.json().items.map((key: { kid: string }) => [key.kid, key]));
    expect(byId.get(first.json().kid)).toMatchObject({ status: "retiring", algorithm: "ES256" });
    expect(byId.get(second.kid)).toMatchObject({ status: "active", algorithm: "ES256" });
    expect(byId.get(rsa.kid)).toMatchObject({ status: "active", algorithm: "RS256" });
    expect(rsa.publicJwk).toMatchObject({ kty: "RSA", e: "AQAB" });
    expect(list.body).not.toMatch(/"d":|PRIVATE/);
    const used = await callApi(server, "DELETE", `/signing-keys/${second.kid}`);
    expect([used.statusCode, used.json().code]).toEqual([409, "signing_key.in_use"]);
    expect((await callApi(server, "DELETE", `/signing-keys/${first.json().kid}`)).statusCode).toBe(204);
    expect((await callApi(server, "DELETE", `/signing-keys/${first.json().kid}`)).statusCode).toBe(404);
    const odd = await callApi(server, "POST", "/signing-keys/rotate", { body: { algorithm: "HS256" } });
    expect([odd.statusCode, odd.json().code]).toEqual([400, "request.invalid"]);
  });
});
