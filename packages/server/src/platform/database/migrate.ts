import { readdir, readFile } from "node:fs/promises";
import { type ConnectionSettings, withClient } from "./pool.ts";

const DIRECTORY = new URL("../../../src/platform/database/migrations/", import.meta.url);

/** Any constant; two processes that migrate at once take turns on it. */
const ADVISORY_LOCK = 7_264_113_901;

export interface MigrationReport {
  applied: string[];
  /** The number of the newest migration now in the database. */
  version: number;
}

/** The migrations in this version of the program: `NNNN-name.sql`, never edited once landed. */
export async function listMigrations(): Promise<{ number: number; name: string }[]> {
  const names = (await readdir(DIRECTORY)).filter((name) => name.endsWith(".sql")).sort();
  return names.map((name) => ({ number: Number(name.slice(0, 4)), name }));
}

/**
 * Brings the database to this version's schema: each missing migration in a transaction of its own, under an
 * advisory lock. A database that is newer than this program is left alone and used: migrations only expand, and a
 * contracting one waits a version, so version N−1 keeps working beside N (docs/decisions/0002-postgresql.md).
 */
export async function migrate(connection: ConnectionSettings["connection"]): Promise<MigrationReport> {
  const migrations = await listMigrations();
  return withClient(connection, async (client) => {
    await client.query("select pg_advisory_lock($1)", [ADVISORY_LOCK]);
    await client.execute(
      "create table if not exists migrations (number integer primary key, name text not null, applied_at timestamptz not null default now())",
    );
    const rows = await client.query<{ number: number }>("select number from migrations order by number");
    const done = new Set(rows.map((row) => row.number));
    const applied: string[] = [];
    for (const { number, name } of migrations) {
      if (done.has(number)) continue;
      const sql = await readFile(new URL(name, DIRECTORY), "utf8");
      await client.execute(
        `begin; set local lock_timeout = '10s';\n${sql};\ninsert into migrations (number, name) values (${number}, '${name}'); commit`,
      );
      applied.push(name);
    }
    return { applied, version: Math.max(0, ...done, ...migrations.map((m) => m.number)) };
  });
}
