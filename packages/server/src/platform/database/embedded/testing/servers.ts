import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../index.ts";

/** Starts a throw-away server that is stopped at the end of the block, and keeps what it said. */
export async function start(
  dataDirectory: string,
  options: { binDirectory?: string; durable?: boolean } = {},
) {
  const messages: string[] = [];
  const postgres = await startEmbeddedPostgres({
    dataDirectory,
    durable: false,
    ...options,
    log: (message) => messages.push(message),
  });
  return { ...postgres, messages, [Symbol.asyncDispose]: () => postgres.stop() };
}

/** The answer to one statement on a connection of its own, flat. */
export async function ask(postgres: Pick<EmbeddedPostgres, "connection">, sql: string): Promise<unknown[]> {
  const client = new Client({ ...postgres.connection, connectionTimeoutMillis: 2_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: "array" });
    return rows.flat();
  } finally {
    await client.end().catch(() => {});
  }
}

/** Repeats until it succeeds, for at most `patience` milliseconds, `pause` milliseconds apart. */
export async function eventually<T>(work: () => Promise<T>, patience = 15_000, pause = 50): Promise<T> {
  const deadline = Date.now() + patience;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(pause);
    }
  }
}
