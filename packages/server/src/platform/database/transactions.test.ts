import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allDone } from "../../kernel/all-done.ts";
import { aDatabase, type TestDatabase } from "../../testing/a-database.ts";
import type { PgDatabase } from "./pool.ts";
import type { Transaction } from "./types.ts";

const INSERT = "insert into noted (value) values ($1)";

let test: TestDatabase;
let database: PgDatabase;
beforeAll(async () => {
  test = await aDatabase();
  database = test.database;
  await database.query("create table noted (n int generated always as identity, value text not null unique)");
});
afterAll(() => test[Symbol.asyncDispose]());

/** What is there now, in the order of writing; begins anew for the next test. */
async function takeNoted(): Promise<string[]> {
  const rows = await database.query<{ value: string }>("select value from noted order by n");
  await database.query("delete from noted");
  return rows.map(({ value }) => value);
}

describe("a transaction", () => {
  it("writes what is for the commit last, after everything that was recorded later", async () => {
    await database.transaction(async (tx) => {
      tx.atCommit(INSERT, ["last"]);
      await tx.query(INSERT, ["first"]);
      expect(await tx.query("select value from noted")).toEqual([{ value: "first" }]);
    });
    expect(await takeNoted()).toEqual(["first", "last"]);
  });

  it("commits what is for the commit also when there is nothing else", async () => {
    await database.transaction(async (tx) => tx.atCommit(INSERT, ["alone"]));
    expect(await takeNoted()).toEqual(["alone"]);
  });

  it("rolls everything back when a statement at the commit fails, and calls nobody", async () => {
    let called = false;
    const failing = database.transaction(async (tx) => {
      tx.afterCommit(() => {
        called = true;
      });
      await tx.query(INSERT, ["twice"]);
      tx.atCommit(INSERT, ["once"]);
      tx.atCommit(INSERT, ["twice"]);
      tx.notify(["user:1"]);
    });
    await expect(failing).rejects.toThrow("duplicate key");
    expect(called).toBe(false);
    expect(await takeNoted()).toEqual([]);
    await database.transaction(async (tx) => void (await tx.query(INSERT, ["next"]))); // the connection is still good
    expect(await takeNoted()).toEqual(["next"]);
  });

  it("leaves nothing behind when its first statement fails", async () => {
    await expect(database.transaction((tx) => tx.query("select 1 / 0"))).rejects.toThrow("division by zero");
    const states = await database.query(
      "select 1 from pg_stat_activity where state like 'idle in transaction%' and datname = current_database()",
    );
    expect(states).toEqual([]);
  });

  it("keeps statements that are sent together in their order, and waits for all of them when one fails", async () => {
    const order = await database.transaction((tx) =>
      allDone([
        tx.query(INSERT, ["a"]),
        tx.query("select pg_sleep(0.05)"),
        tx.query(INSERT, ["b"]),
        tx.query<{ count: number }>("select count(*) as count from noted"),
      ]),
    );
    expect(order[3]).toEqual([{ count: 2 }]);
    expect(await takeNoted()).toEqual(["a", "b"]);
    let finished = false;
    const failing = database.transaction((tx) =>
      allDone([
        tx.query("select 1 / 0"),
        tx.query(INSERT, ["c"]).catch(() => {
          finished = true;
        }),
      ]),
    );
    await expect(failing).rejects.toThrow("division by zero");
    expect(finished).toBe(true);
    expect(await takeNoted()).toEqual([]);
  });

  it("refuses statements after its end: they would be somebody else's, outside of any transaction", async () => {
    let kept: Transaction | undefined;
    await database.transaction(async (tx) => {
      kept = tx;
      await tx.query(INSERT, ["in time"]);
    });
    await expect(kept?.query(INSERT, ["too late"])).rejects.toThrow("after the end");
    expect(await takeNoted()).toEqual(["in time"]);
  });
});
