import { type DatabaseFacts, diagnoseDatabase, type ServerConfig } from "@ostiary/server";
import { broken, type Finding, hint, ok, warning } from "./findings.ts";

const OLDEST_MAJOR = 15;
/** One listens for changes, and a few are for migrations and the command line. */
const SPARE_CONNECTIONS = 5;

export async function checkDatabase(config: ServerConfig): Promise<Finding[]> {
  let facts: DatabaseFacts;
  try {
    facts = await diagnoseDatabase(config);
  } catch (error) {
    const remedy =
      config.databaseUrl === undefined
        ? "See the log in the data directory (postgres/log), or use a PostgreSQL of your own with DATABASE_URL."
        : "Check DATABASE_URL: host, port, user, password, database name, and whether TLS is asked for.";
    return [broken("database", `It cannot be reached: ${(error as Error).message}`, remedy)];
  }
  if (!facts.exists) return [ok("database", "is made in the data directory at the first start")];
  return [
    checkVersion(facts),
    checkMigrations(facts),
    checkDurability(facts),
    checkConnections(facts, config),
    checkClock(facts),
  ];
}

function checkVersion({ versionNumber }: DatabaseFacts): Finding {
  const major = Math.floor(versionNumber / 10_000);
  if (major >= OLDEST_MAJOR) return ok("database", `PostgreSQL ${major}.${versionNumber % 10_000} answers`);
  return broken("database", `It is PostgreSQL ${major}.`, `Upgrade it to ${OLDEST_MAJOR} or newer.`);
}

function checkMigrations({ migrations, newestMigration }: DatabaseFacts): Finding {
  const newest = Math.max(0, ...migrations);
  if (newest === newestMigration) return ok("schema", `is at version ${newest}`);
  if (newest > newestMigration) {
    return warning(
      "schema",
      `It is at version ${newest}; this program knows ${newestMigration}.`,
      "A newer version has migrated it. Bring this machine to the same version soon.",
    );
  }
  const remedy = "Start the server, which migrates by itself, or run: ostiary migrate";
  return hint("schema", `It is at version ${newest}; this program brings it to ${newestMigration}.`, remedy);
}

export function checkDurability({ settings }: DatabaseFacts): Finding {
  const { fsync, synchronousCommit, fullPageWrites } = settings;
  const off = [
    ...(fsync === "on" ? [] : [`fsync = ${fsync}`]),
    ...(synchronousCommit === "off" ? ["synchronous_commit = off"] : []),
    ...(fullPageWrites === "on" ? [] : [`full_page_writes = ${fullPageWrites}`]),
  ];
  if (off.length === 0) return ok("durability", "what is acknowledged survives a power cut");
  return broken(
    "durability",
    `The database runs with ${off.join(", ")}: a crash can lose users, sessions and the audit log.`,
    "Set them to on in postgresql.conf, or for this database, and reload.",
  );
}

export function checkConnections({ settings }: DatabaseFacts, config: ServerConfig): Finding {
  const wanted = config.workers * (config.poolSize + 1) + SPARE_CONNECTIONS;
  const arithmetic = `${config.workers} × (${config.poolSize} + 1) + ${SPARE_CONNECTIONS} = ${wanted}`;
  if (wanted <= settings.maxConnections) {
    return ok("connections", `${arithmetic} of max_connections ${settings.maxConnections}, for this machine`);
  }
  return broken(
    "connections",
    `This machine may need ${arithmetic} connections; the database allows ${settings.maxConnections}.`,
    "Lower OSTIARY_WORKERS or OSTIARY_POOL_SIZE, or raise max_connections. Other machines' count too.",
  );
}

export function checkClock({ clockAhead }: DatabaseFacts): Finding {
  const seconds = Math.abs(clockAhead) / 1000;
  const message = `The clocks of this machine and the database differ by ${seconds.toFixed(1)} s.`;
  const remedy = "Let both keep their time by NTP: tokens and codes live for seconds to minutes.";
  if (seconds > 30) return broken("clock", message, remedy);
  if (seconds > 2) return warning("clock", message, remedy);
  return ok("clock", "agrees with the database's");
}
