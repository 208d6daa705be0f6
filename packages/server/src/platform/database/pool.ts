import { createHash } from "node:crypto";
import pg from "pg";
import { allDone } from "../../kernel/all-done.ts";
import type { ChangeFeed, ChangeKey } from "../../kernel/changes.ts";
import { CHANGES_CHANNEL, noticesOf, toPayload } from "./notices.ts";
import { Places } from "./places.ts";
import type { Database, Queryable, SqlValue, Transaction } from "./types.ts";

// int8 → number: serials, counts and positions stay far below 2^53. A larger one must not be rounded silently.
pg.types.setTypeParser(20, (text) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} does not fit a number`);
  return value;
});

/** The statement's name by its text. Texts are constants of the stores, so the map stays small. */
const names = new Map<string, string>();

function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = createHash("sha256").update(text).digest("base64url").slice(0, 22);
    names.set(text, name);
  }
  return name;
}

async function run<Row extends object>(
  client: pg.Pool | pg.PoolClient,
  text: string,
  values: readonly SqlValue[],
): Promise<Row[]> {
  const { rows } = await client.query<Row>({ name: nameOf(text), text, values: values as unknown[] });
  return rows;
}

const NOTIFY = "select pg_notify($1, $2)";

/**
 * Statements that do not wait for each other's answers are sent in one packet: each that is sent alone wakes a sleeping
 * process of PostgreSQL, and its answer wakes ours (docs/decisions/0023-pipelined-transactions.md).
 */
class PgTransaction implements Transaction {
  readonly isTransaction = true;
  readonly outer: Database;
  readonly #client: pg.PoolClient;
  readonly #feed: ChangeFeed | undefined;
  readonly #keys = new Set<string>();
  readonly #hooks: (() => void)[] = [];
  readonly #last: { text: string; values: readonly SqlValue[] }[] = [];
  #state: "new" | "open" | "ended" = "new";

  constructor(outer: Database, client: pg.PoolClient, feed: ChangeFeed | undefined) {
    this.outer = outer;
    this.#client = client;
    this.#feed = feed;
  }

  async query<Row extends object>(text: string, values: readonly SqlValue[] = []): Promise<Row[]> {
    if (this.#state === "ended") throw new Error("a statement came after the end of its transaction");
    if (this.#state === "open") return run<Row>(this.#client, text, values);
    const [, rows] = await this.#inOnePacket(
      () => [this.#begin(), run<Row>(this.#client, text, values)] as const,
    );
    return rows;
  }

  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return work(this);
  }

  atCommit(text: string, values: readonly SqlValue[]): void {
    this.#last.push({ text, values });
  }

  afterCommit(hook: () => void): void {
    this.#hooks.push(hook);
  }

  notify(keys: readonly ChangeKey[]): void {
    for (const key of keys) this.#keys.add(key);
  }

  async commit(): Promise<void> {
    const notices = [...noticesOf(this.#keys, this.#feed)];
    for (const notice of notices) this.atCommit(NOTIFY, [CHANGES_CHANNEL, toPayload(notice)]);
    if (this.#state === "open" || this.#last.length > 0) await this.#end();
    this.#state = "ended";
    for (const { name, keys } of notices) if (name !== undefined) this.#feed?.publishOnce(name, keys);
    for (const hook of this.#hooks) hook();
  }

  async #end(): Promise<void> {
    const [{ command }] = await this.#inOnePacket(() => {
      const before: Promise<unknown>[] = this.#state === "new" ? [this.#begin()] : [];
      before.push(...this.#last.map(({ text, values }) => run(this.#client, text, values)));
      const committed = this.#client.query("commit");
      return [committed, ...before] as const; // sent in their order; a failure of those before it leaves it harmless
    });
    // PostgreSQL's whole answer where a statement had failed and somebody has caught the error.
    if (command !== "COMMIT") throw new Error("a statement had failed, so the transaction was rolled back");
  }

  /** @returns why the connection cannot be used any more, if so. */
  async rollback(): Promise<Error | undefined> {
    const wasOpen = this.#state === "open";
    this.#state = "ended";
    if (!wasOpen) return undefined;
    return this.#client.query("rollback").then(
      () => undefined,
      (failure: Error) => failure,
    );
  }

  #begin(): Promise<unknown> {
    this.#state = "open";
    return this.#client.query("begin");
  }

  #inOnePacket<const T extends readonly Promise<unknown>[]>(
    send: () => T,
  ): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
    const { stream } = this.#client.connection;
    stream.cork();
    try {
      return allDone(send());
    } finally {
      stream.uncork();
    }
  }
}

/** 40001 serialization_failure, 40P01 deadlock_detected: PostgreSQL asks to try the whole transaction again. */
function asksForRetry(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "40001" || error.code === "40P01");
}

const ATTEMPTS = 3;

/** How long a statement or transaction waits for a connection, in milliseconds. */
const PATIENCE = 5_000;

/** Of a pool of this size, some connections are for no transaction; see `Places`. */
function placesOf(poolSize: number): Places {
  const reserved = poolSize > 3 ? 2 : Math.min(1, poolSize - 1);
  return new Places(poolSize - reserved, PATIENCE);
}

export class PgDatabase implements Database {
  readonly pool: pg.Pool;
  readonly #feed: ChangeFeed | undefined;
  readonly #places: Places;

  constructor(pool: pg.Pool, feed?: ChangeFeed, places = placesOf(pool.options.max)) {
    this.pool = pool;
    this.#feed = feed;
    this.#places = places;
  }

  /** The same for the process that listens to this feed: it hears its own changes at commit, and not a moment later. */
  heardBy(feed: ChangeFeed): PgDatabase {
    return new PgDatabase(this.pool, feed, this.#places);
  }

  query<Row extends object>(text: string, values: readonly SqlValue[] = []): Promise<Row[]> {
    return run<Row>(this.pool, text, values);
  }

  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(work);
      } catch (error) {
        if (attempt === ATTEMPTS || !asksForRetry(error)) throw error;
      }
    }
  }

  async #attempt<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    await this.#places.enter();
    try {
      return await this.#inTransaction(work);
    } finally {
      this.#places.leave();
    }
  }

  async #inTransaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    const tx = new PgTransaction(this, client, this.#feed);
    let broken: Error | undefined;
    try {
      const result = await work(tx);
      await tx.commit();
      return result;
    } catch (error) {
      broken = await tx.rollback();
      throw error;
    } finally {
      client.release(broken);
    }
  }

  async close(): Promise<void> {
    await this.pool.end();
  }
}

export interface ConnectionSettings {
  /** A `postgres://` URL, or the embedded server's socket. */
  connection: string | { host: string; port: number; user: string; database: string };
  /** Connections of this process at most. */
  poolSize: number;
  onError: (error: Error) => void;
}

export function connect(settings: ConnectionSettings): PgDatabase {
  const pool = new pg.Pool({
    ...clientConfig(settings.connection),
    pipeline: true, // transactions send statements before those sent earlier are answered
    max: settings.poolSize,
    idleTimeoutMillis: 30_000,
  });
  // An idle connection that breaks must not end the process; the next query takes a new one.
  pool.on("error", settings.onError);
  // Nor one that breaks inside a transaction: the pool listens only while it is idle, and the statement reports it.
  pool.on("connect", (client) => client.on("error", () => {}));
  return new PgDatabase(pool);
}

export function clientConfig(connection: ConnectionSettings["connection"]): pg.ClientConfig {
  const target = typeof connection === "string" ? { connectionString: connection } : connection;
  return { ...target, application_name: "ostiary", connectionTimeoutMillis: PATIENCE };
}

/** Runs on a bare connection what cannot run in a pool: migrations, `create database`. */
export async function withClient<T>(
  connection: ConnectionSettings["connection"],
  work: (client: Queryable & { execute(sql: string): Promise<void> }) => Promise<T>,
): Promise<T> {
  const client = new pg.Client(clientConfig(connection));
  client.on("error", () => {}); // reported by the query that meets it
  await client.connect();
  try {
    return await work({
      query: async <Row extends object>(text: string, values: readonly SqlValue[] = []) =>
        (await client.query<Row & pg.QueryResultRow>(text, values as unknown[])).rows as Row[],
      execute: async (sql) => {
        await client.query(sql);
      },
    });
  } finally {
    await client.end();
  }
}
