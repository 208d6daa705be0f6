import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbeddedPostgres } from "./embedded/index.ts";
import { type MigrationReport, migrate } from "./migrate.ts";
import { type ConnectionSettings, withClient } from "./pool.ts";

/** PostgreSQL 15: the oldest one that is tested and maintained. */
const OLDEST_MAJOR = 15;

export interface OpenDatabase {
  connection: ConnectionSettings["connection"];
  migrations: MigrationReport;
  /** The folder of the embedded server's data and of the master key. */
  dataDirectory: string;
  /** Stops the embedded server; removes everything of an ephemeral one. */
  close(): Promise<void>;
}

export interface DatabaseSettings {
  databaseUrl: string | undefined;
  dataDirectory: string;
  postgresBin: string | undefined;
  ephemeral: boolean;
}

/**
 * The database of the settings, running and migrated: the one of `DATABASE_URL`, else our own in the data directory,
 * else (ephemeral) our own in a temporary folder.
 *
 * @throws Error whose message says what is wrong and what to do.
 */
export async function openDatabase(
  settings: DatabaseSettings,
  say: (message: string) => void,
): Promise<OpenDatabase> {
  if (settings.databaseUrl !== undefined && !settings.ephemeral) {
    const connection = settings.databaseUrl;
    await checkVersion(connection);
    const migrations = await migrate(connection);
    return { connection, migrations, dataDirectory: settings.dataDirectory, close: async () => {} };
  }
  const dataDirectory = settings.ephemeral
    ? await mkdtemp(join(tmpdir(), "ostiary-ephemeral-"))
    : settings.dataDirectory;
  const postgres = await startEmbeddedPostgres({
    dataDirectory,
    log: say,
    durable: !settings.ephemeral,
    ...(settings.postgresBin === undefined ? {} : { binDirectory: settings.postgresBin }),
  });
  const close = async () => {
    await postgres.stop();
    // Where root's temporary folder is out of the database account's reach, the data is elsewhere.
    const folders = settings.ephemeral ? [dataDirectory, postgres.directory] : [];
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  };
  try {
    const migrations = await migrate(postgres.connection);
    return { connection: postgres.connection, migrations, dataDirectory, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function checkVersion(url: string): Promise<void> {
  const version = await withClient(url, async (client) => {
    const [row] = await client.query<{ number: string }>(
      "select current_setting('server_version_num') as number",
    );
    return Number(row?.number);
  }).catch((error: Error) => {
    throw new Error(`The database of DATABASE_URL cannot be reached: ${error.message}`, { cause: error });
  });
  const major = Math.floor(version / 10_000);
  if (major < OLDEST_MAJOR) {
    throw new Error(
      `DATABASE_URL is PostgreSQL ${major}; Ostiary needs ${OLDEST_MAJOR} or newer. Upgrade it first.`,
    );
  }
}
