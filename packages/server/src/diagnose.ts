import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ServerConfig } from "./config.ts";
import { startEmbeddedPostgres } from "./platform/database/embedded/index.ts";
import { listMigrations } from "./platform/database/migrate.ts";
import { type ConnectionSettings, withClient } from "./platform/database/pool.ts";

/** What `ostiary doctor` wants to know of the database. Nothing is changed, and nothing migrated. */
export interface DatabaseFacts {
  /** False: the embedded database is made at the first start. */
  exists: boolean;
  /** e.g. 180004 */
  versionNumber: number;
  /** Numbers of the migrations that it has. */
  migrations: number[];
  /** The newest migration of this program. */
  newestMigration: number;
  /** As PostgreSQL writes them: `on`, `off`, a number. */
  settings: { fsync: string; synchronousCommit: string; fullPageWrites: string; maxConnections: number };
  /** By which the database's clock is ahead of this process's, in milliseconds; negative: behind. */
  clockAhead: number;
}

/**
 * Looks at the database of the settings; the embedded one is started for the time being where it does not run.
 *
 * @throws Error whose message says what is wrong, when it cannot be reached.
 */
export async function diagnoseDatabase(config: ServerConfig): Promise<DatabaseFacts> {
  if (config.databaseUrl !== undefined) return look(config.databaseUrl);
  if (!existsSync(join(config.dataDirectory, "postgres"))) {
    const settings = { fsync: "on", synchronousCommit: "on", fullPageWrites: "on", maxConnections: 200 };
    const newestMigration = await newest();
    return { exists: false, versionNumber: 0, migrations: [], newestMigration, settings, clockAhead: 0 };
  }
  const postgres = await startEmbeddedPostgres({
    dataDirectory: config.dataDirectory,
    log: () => {},
    ...(config.postgresBin === undefined ? {} : { binDirectory: config.postgresBin }),
  });
  try {
    return await look(postgres.connection);
  } finally {
    await postgres.stop();
  }
}

async function newest(): Promise<number> {
  return Math.max(0, ...(await listMigrations()).map(({ number }) => number));
}

function look(connection: ConnectionSettings["connection"]): Promise<DatabaseFacts> {
  return withClient(connection, async (client) => {
    const before = Date.now();
    const [row] = await client.query<{
      version: string;
      fsync: string;
      synchronousCommit: string;
      fullPageWrites: string;
      maxConnections: string;
      now: Date;
      migrated: boolean;
    }>(
      `select current_setting('server_version_num') as version, current_setting('fsync') as fsync,
              current_setting('synchronous_commit') as "synchronousCommit",
              current_setting('full_page_writes') as "fullPageWrites",
              current_setting('max_connections') as "maxConnections", clock_timestamp() as now,
              to_regclass('migrations') is not null as migrated`,
    );
    const after = Date.now();
    if (!row) throw new Error("The database gave no answer.");
    const done = row.migrated
      ? await client.query<{ number: number }>("select number from migrations order by number")
      : [];
    const { fsync, synchronousCommit, fullPageWrites } = row;
    return {
      exists: true,
      versionNumber: Number(row.version),
      migrations: done.map(({ number }) => number),
      newestMigration: await newest(),
      settings: { fsync, synchronousCommit, fullPageWrites, maxConnections: Number(row.maxConnections) },
      clockAhead: row.now.getTime() - (before + after) / 2,
    };
  });
}
