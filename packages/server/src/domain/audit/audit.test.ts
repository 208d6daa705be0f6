import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { newId } from "../../kernel/identifiers.ts";
import { aDatabase, type TestDatabase } from "../../testing/a-database.ts";
import { contextOf, testDeps } from "../../testing/test-deps.ts";
import type { Deps } from "../deps.ts";
import {
  exportAuditEntries,
  listAuditEntries,
  recordEvent,
  sealAllAuditEntries,
  verifyAuditChain,
} from "./index.ts";

let test: TestDatabase;
let deps: Deps;
const tenantId = newId(new Date());

beforeAll(async () => {
  test = await aDatabase();
  deps = testDeps(test.database);
});
afterAll(() => test[Symbol.asyncDispose]());

const write = (id: string) =>
  deps.database.transaction((tx) =>
    recordEvent(deps, tx, contextOf(tenantId), {
      type: "user.updated",
      target: { type: "user", id },
      data: { b: 1, a: [2] },
    }),
  );

/**
 * Seals until so many were moved. PostgreSQL's oldest running transaction is that of all databases of the server, so
 * those of other tests may hold the outbox back for a moment.
 */
async function seal(count: number, processes = 1): Promise<void> {
  let moved = 0;
  await vi.waitFor(async () => {
    const rounds = await Promise.all(Array.from({ length: processes }, () => sealAllAuditEntries(deps)));
    for (const round of rounds) moved += round;
    expect(moved).toBe(count);
  }, 10_000);
}

describe("the audit log", () => {
  it("chains what was committed, in order, and nothing that was rolled back", async () => {
    await write("one");
    await expect(
      deps.database.transaction(async (tx) => {
        await recordEvent(deps, tx, contextOf(tenantId), {
          type: "user.deleted",
          target: { type: "user", id: "ghost" },
        });
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
    await write("two");
    await seal(2);
    const { items } = await listAuditEntries(deps, tenantId, {}, 10);
    expect(items.map((entry) => [entry.seq, entry.targetId])).toEqual([
      [2, "two"],
      [1, "one"],
    ]);
    expect(await verifyAuditChain(deps, tenantId)).toEqual({ intact: true, entries: 2, brokenAt: null });
  });

  it("waits for a transaction that began earlier and commits later, so nothing is passed by", async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let started = () => {};
    const wrote = new Promise<void>((resolve) => {
      started = resolve;
    });
    const slow = deps.database.transaction(async (tx) => {
      await tx.query("select pg_current_xact_id()"); // the number that its first change takes; events come at commit
      await recordEvent(deps, tx, contextOf(tenantId), {
        type: "user.updated",
        target: { type: "user", id: "slow" },
      });
      started();
      await gate;
    });
    await wrote;
    await write("quick");
    await sealAllAuditEntries(deps);
    release();
    await slow;
    await seal(2);
    const seen: (string | null)[] = [];
    for await (const entry of exportAuditEntries(deps, tenantId)) seen.push(entry.targetId);
    expect(seen).toEqual(["one", "two", "slow", "quick"]);
    expect((await verifyAuditChain(deps, tenantId)).intact).toBe(true);
  });

  it("seals once when four processes try at the same time", async () => {
    for (let i = 0; i < 20; i++) await write(`race-${i}`);
    await seal(20, 4);
    expect(await verifyAuditChain(deps, tenantId)).toMatchObject({ intact: true, entries: 24 });
  });

  it("refuses to be changed, and shows it when someone does so in the database", async () => {
    await expect(test.database.query("update audit_entries set reason = 'x'")).rejects.toThrow("append-only");
    await expect(test.database.query("delete from audit_entries")).rejects.toThrow("append-only");
    await test.database.query("alter table audit_entries disable trigger all");
    await test.database.query("update audit_entries set target_id = 'forged' where seq = 3");
    expect(await verifyAuditChain(deps, tenantId)).toMatchObject({ intact: false, brokenAt: 3 });
    await test.database.query("update audit_entries set target_id = 'slow' where seq = 3");
    expect((await verifyAuditChain(deps, tenantId)).intact).toBe(true);
    await test.database.query("delete from audit_entries where seq = (select max(seq) from audit_entries)");
    expect(await verifyAuditChain(deps, tenantId)).toMatchObject({ intact: false });
  });
});
