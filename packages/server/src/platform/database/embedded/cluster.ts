import { spawn } from "node:child_process";
import {
  chownSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { runAs } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { EmbeddedPostgresError, errorCode } from "./errors.ts";
import type { Home } from "./home.ts";

/** PostgreSQL's own superuser; the only user of the embedded server. */
export const SUPERUSER = "ostiary";

/**
 * Makes the cluster if there is none. It is built aside and renamed into place when it is whole and on disk, so a
 * cluster that has its final name is complete, and whatever a killed initdb left behind never held data.
 */
export async function ensureCluster(
  home: Home,
  binaries: Binaries,
  options: { durable: boolean; log: (message: string) => void },
): Promise<void> {
  removeLeftovers(home);
  if (existsSync(home.cluster)) return checkMajor(home, binaries);
  const began = performance.now();
  const partial = mkdtempSync(join(home.root, "cluster.new-"));
  if (home.account.switched) chownSync(partial, home.account.uid, home.account.gid);
  await runInitdb(home, binaries, partial, options.durable);
  // Ours is generated anew at every start, so that no stale setting survives an upgrade.
  includeSettings(join(partial, "postgresql.conf"));
  renameSync(partial, home.cluster);
  // The new name must be on disk before the first row: after a power cut the old one would be swept as a leftover.
  for (const folder of [home.root, dirname(home.root), dirname(dirname(home.root))]) syncDirectory(folder);
  options.log(`made a new database in ${home.root} (${Math.round(performance.now() - began)} ms)`);
}

function includeSettings(path: string): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_TRUNC | constants.O_NOFOLLOW);
  writeFileSync(file, "include '../postgresql.conf'\n");
  closeSync(file);
}

function syncDirectory(path: string): void {
  const file = openSync(path, constants.O_RDONLY);
  fsyncSync(file);
  closeSync(file);
}

function removeLeftovers(home: Home): void {
  for (const name of readdirSync(home.root).filter((entry) => entry.startsWith("cluster.new-"))) {
    try {
      rmSync(join(home.root, name), { recursive: true, force: true });
    } catch (error) {
      // An initdb that outlived its killed parent still writes there: it is swept at a later start.
      if (errorCode(error) !== "ENOTEMPTY") throw error;
    }
  }
}

function checkMajor(home: Home, binaries: Binaries): void {
  let written: string;
  try {
    written = readFileSync(join(home.cluster, "PG_VERSION"), "utf8").trim();
  } catch (error) {
    throw new EmbeddedPostgresError(
      `${home.cluster} is not a PostgreSQL data directory (no PG_VERSION). It is left as it is: restore it from a backup, or move it away to begin anew.`,
      { cause: error },
    );
  }
  if (Number(written) === binaries.major) return;
  throw new EmbeddedPostgresError(
    `The database in ${home.cluster} was written by PostgreSQL ${written}, and the programs are PostgreSQL ${binaries.major}. To go on with it, name the bin directory of PostgreSQL ${written} in OSTIARY_POSTGRES_BIN. To move it, run pg_upgrade, or export with the old programs and apply into an empty data directory.`,
  );
}

/**
 * The built-in C.UTF-8 does not change with the machine's C library, so no index is ever invalidated by an upgrade.
 * The character type beside it is the C library's: pg_trgm asks that one what a letter is, and with plain C the words
 * of Chinese names are none, so that searching them reads the whole table.
 */
function localesOf(binaries: Binaries): string[][] {
  if (binaries.major < 17) return [["--locale=C.UTF-8"]];
  const builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"];
  return [[...builtin, "--lc-ctype=C.UTF-8"], builtin]; // the second where the system has no C.UTF-8
}

async function runInitdb(home: Home, binaries: Binaries, directory: string, durable: boolean): Promise<void> {
  const initdb = (locale: string[]) =>
    run(
      binaries.initdb,
      [
        `--pgdata=${directory}`,
        `--username=${SUPERUSER}`,
        "--auth=trust", // see renderSettings: whoever reaches the socket may come in
        "--encoding=UTF8",
        "--data-checksums",
        ...locale,
        ...(durable ? [] : ["--no-sync"]),
      ],
      home,
    );
  const [first = [], second] = localesOf(binaries);
  let { code, output } = await initdb(first);
  if (second && output.includes("invalid locale")) ({ code, output } = await initdb(second));
  if (code === 0) return;
  rmSync(directory, { recursive: true, force: true });
  if (output.includes("could not look up effective user ID"))
    throw new EmbeddedPostgresError(
      `This process runs as uid ${process.getuid?.()}, which has no entry in /etc/passwd, and PostgreSQL refuses that. Run it as a user with an entry (in a container: user "node" or root), or name an existing database in DATABASE_URL.`,
    );
  throw new EmbeddedPostgresError(
    `The database could not be made in ${home.root}: ${output.trim().split("\n").slice(-4).join(" | ")}`,
  );
}

function run(program: string, args: string[], home: Home): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...runAs(home.account), stdio: ["ignore", "pipe", "pipe"] });
    const parts: Buffer[] = [];
    child.stdout.on("data", (part: Buffer) => parts.push(part));
    child.stderr.on("data", (part: Buffer) => parts.push(part));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output: Buffer.concat(parts).toString("utf8") }));
  });
}

/** Writes the server's configuration; `local.conf` beside it is the operator's and comes last. */
export function writeSettings(home: Home, binaries: Binaries, durable: boolean): void {
  const file = join(home.root, "postgresql.conf");
  const text = renderSettings(home, binaries.major, durable);
  writeFileSync(`${file}.new`, text, { mode: 0o644 });
  renameSync(`${file}.new`, file);
}

/**
 * Access: no TCP and no TLS, as the libraries in the packages are old. On the socket everybody is trusted, and its
 * 0700 directory is the lock on the door: who gets in there is the account itself, which owns the data files anyway,
 * or root. `peer` would refuse root, who runs Node while PostgreSQL runs as another account.
 */
function renderSettings(home: Home, major: number, durable: boolean): string {
  const settings: Record<string, string | number> = {
    listen_addresses: "",
    unix_socket_directories: home.socket,
    unix_socket_permissions: "0700",
    port: 5432, // part of the socket's name only
    max_connections: 200,
    shared_buffers: "128MB",
    effective_cache_size: "1GB",
    random_page_cost: 1.1,
    jit: "off",
    max_wal_size: "1GB",
    // Fewer processes in an idle server: no replication launcher, and since 18 no input/output workers.
    max_logical_replication_workers: 0,
    ...(major >= 18 ? { io_method: "sync" } : {}),
    timezone: "UTC",
    log_timezone: "UTC",
    // One file a weekday, overwritten a week later. Never a statement, a parameter or a row: they may hold secrets.
    logging_collector: "on",
    log_directory: home.log,
    log_filename: "postgres-%a.log",
    log_rotation_age: "1d",
    log_rotation_size: 0,
    log_truncate_on_rotation: "on",
    log_min_error_statement: "panic",
    log_error_verbosity: "terse",
    log_checkpoints: "off",
    fsync: durable ? "on" : "off",
    synchronous_commit: durable ? "on" : "off",
    full_page_writes: durable ? "on" : "off",
  };
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'`,
  );
  return `# Written by Ostiary at every start. Your own settings go into local.conf beside this file.\n${lines.join("\n")}\ninclude_if_exists 'local.conf'\n`;
}
