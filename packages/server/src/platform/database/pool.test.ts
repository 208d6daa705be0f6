import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { ChangeFeed } from "../../kernel/changes.ts";
import { aDatabase, type TestDatabase } from "../../testing/a-database.ts";
import { QUIET } from "../../testing/test-deps.ts";
import { ChangeListenerConnection } from "./listener.ts";
import { CHANGES_CHANNEL } from "./notices.ts";
import { PgDatabase } from "./pool.ts";
import type { Transaction } from "./types.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await aDatabase();
});
afterAll(() => test[Symbol.asyncDispose]());

interface Process extends AsyncDisposable {
  database: PgDatabase;
  feed: ChangeFeed;
  heard: string[];
}

/** What a process has of the change feed. */
async function aProcess(): Promise<Process> {
  const feed = new ChangeFeed();
  const heard: string[] = [];
  feed.subscribe({ onChange: (noun, id) => void heard.push(`${noun}:${id}`), onGap: () => {} });
  const listener = new ChangeListenerConnection(test.connection, feed, QUIET);
  await listener.open();
  const database = test.database.heardBy(feed);
  return { database, feed, heard, [Symbol.asyncDispose]: () => listener.close() };
}

describe("what a transaction changes", () => {
  let here: Process;
  let there: Process;
  beforeEach(async () => {
    [here, there] = await Promise.all([aProcess(), aProcess()]);
    return async () => {
      await here[Symbol.asyncDispose]();
      await there[Symbol.asyncDispose]();
    };
  });

  /** Notices come in the order of the commits: when this one was heard, those before it were. */
  async function everythingHeard() {
    await test.database.transaction(async (tx) => tx.notify(["tenant:end"]));
    for (const { heard } of [here, there]) {
      await vi.waitFor(() => expect(heard.at(-1)).toBe("tenant:end"));
      heard.pop();
    }
  }

  it("is heard here before the caller goes on, elsewhere within a second, and everywhere once", async () => {
    const returned = await here.database.transaction(async (tx) => {
      tx.notify(["user:1"]);
      await tx.transaction(async (inner) => inner.notify(["user:2", "user:1"]));
      expect(here.heard).toEqual([]);
      return "done";
    });
    expect([returned, here.heard]).toEqual(["done", ["user:1", "user:2"]]);
    await vi.waitFor(() => expect(there.heard).toEqual(["user:1", "user:2"]), 1_000);
    await everythingHeard();
    expect([here.heard, there.heard]).toEqual([
      ["user:1", "user:2"],
      ["user:1", "user:2"],
    ]);
  });

  it("may be more than one notice holds", async () => {
    const keys = Array.from({ length: 1_000 }, (_, n) => `user:${n.toString().padStart(24, "0")}` as const);
    await here.database.transaction(async (tx) => tx.notify(keys));
    expect(here.heard).toEqual(keys);
    await everythingHeard();
    expect([here.heard, there.heard]).toEqual([keys, keys]);
  });

  it("is true when it is heard, and heard before what else is to follow the commit", async () => {
    const seen: unknown[] = [];
    here.feed.subscribe({
      onChange: () => void seen.push(test.database.query<{ slug: string }>("select slug from tenants")),
      onGap: () => {},
    });
    await here.database.transaction(async (tx) => {
      tx.afterCommit(() => void seen.push("after"));
      await tx.query(
        `insert into tenants (id, slug, name, settings, created_at, updated_at)
         values ('${"1".repeat(24)}', 'new', 'New', '{}', now(), now())`,
      );
      tx.notify(["tenant:1"]);
    });
    expect(await Promise.all(seen)).toEqual([[{ slug: "new" }], "after"]);
  });

  it.each([
    ["throws", () => Promise.reject(new Error("refused"))],
    ["goes on after a failed statement", (tx: Transaction) => tx.query("select 1 / 0").catch(() => {})],
    [
      "commits what a constraint refuses",
      async (tx: Transaction) => {
        await tx.query(
          "create temporary table late (n int unique deferrable initially deferred) on commit drop",
        );
        await tx.query("insert into late values (1), (1)");
      },
    ],
  ])(
    "is heard by nobody where the transaction %s",
    async (_, fail: (tx: Transaction) => Promise<unknown>) => {
      const after = vi.fn();
      const failing = here.database.transaction(async (tx) => {
        tx.notify(["user:1"]);
        tx.afterCommit(after);
        await fail(tx);
      });
      await expect(failing).rejects.toThrow();
      await everythingHeard();
      expect([here.heard, there.heard]).toEqual([[], []]);
      expect(after).not.toHaveBeenCalled();
    },
  );

  it("is heard once where a deadlock made it run twice", async () => {
    let runs = 0;
    await here.database.transaction(async (tx) => {
      tx.notify([`user:${++runs}`]);
      if (runs === 1) await tx.query("do $$ begin raise exception using errcode = '40P01'; end $$");
    });
    await everythingHeard();
    expect([here.heard, there.heard]).toEqual([["user:2"], ["user:2"]]);
  });

  it("is heard with the notice where the answer to the commit was lost", async () => {
    const { pool } = test.database;
    const connect = async () => {
      const client = await pool.connect();
      const query = client.query.bind(client);
      client.query = (async (...statement: Parameters<typeof query>) => {
        const result = await query(...statement);
        if (String(statement[0]) === "commit") throw new Error("the connection broke");
        return result;
      }) as unknown as typeof client.query;
      const { release } = client;
      client.release = () => release.call(client, true); // no other test gets this one
      return client;
    };
    const database = new PgDatabase(Object.assign(Object.create(pool), { connect }), here.feed);
    const lost = database.transaction(async (tx) => tx.notify(["user:1"]));
    await expect(lost).rejects.toThrow("the connection broke");
    await vi.waitFor(() => expect(here.heard).toEqual(["user:1"]), 1_000);
  });

  it("of a process of the release before is heard too", async () => {
    await test.database.query("select pg_notify($1, $2)", [CHANGES_CHANNEL, "user:1 user:2"]);
    await vi.waitFor(() => expect(here.heard).toEqual(["user:1", "user:2"]), 1_000);
  });
});

describe("the change feed", () => {
  const listening = () => {
    const feed = new ChangeFeed();
    const heard: string[] = [];
    feed.subscribe({ onChange: (noun, id) => void heard.push(`${noun}:${id}`), onGap: () => {} });
    return { feed, heard };
  };

  it("hears on two ways once, whichever is quicker", () => {
    const { feed, heard } = listening();
    feed.setLive(true);
    for (const name of ["one", "two", "one", "two"]) feed.publishOnce(name, [`user:${name}`]);
    expect(heard).toEqual(["user:one", "user:two"]);
  });

  it("awaits nothing while notices do not arrive, nor what a gap has swallowed", () => {
    const { feed, heard } = listening();
    feed.publishOnce("one", ["user:1"]);
    feed.setLive(true);
    feed.publishOnce("one", ["user:1"]);
    feed.setLive(false);
    feed.setLive(true);
    feed.publishOnce("one", ["user:1"]);
    expect(heard).toEqual(["user:1", "user:1", "user:1"]);
  });
});
