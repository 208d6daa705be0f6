import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import type { ServerConfig } from "@ostiary/server";
import { broken, type Finding, hint, ok, warning } from "./findings.ts";

const OLDEST_NODE = 22;
const GIB = 1024 ** 3;

export function checkNode(version: string = process.versions.node): Finding {
  if (Number(version.split(".")[0]) >= OLDEST_NODE) return ok("node", `Node ${version}`);
  return broken("node", `This is Node ${version}.`, `Install Node ${OLDEST_NODE} or newer.`);
}

/** The folder of the embedded database and the key file. */
export function checkDataDirectory({ dataDirectory }: ServerConfig): Finding[] {
  const place = nearestExisting(dataDirectory);
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
  } catch {
    return [
      broken(
        "data directory",
        `${place} cannot be written by this account.`,
        "Give it to the account that runs the server, or name another folder with OSTIARY_DATA_DIRECTORY.",
      ),
    ];
  }
  const written = existsSync(dataDirectory)
    ? ok("data directory", `${dataDirectory} can be written`)
    : ok("data directory", `${dataDirectory} is made at the first start`);
  return [written, checkFreeDisk(place)];
}

function checkFreeDisk(place: string): Finding {
  const { bavail, bsize } = statfsSync(place);
  const free = (bavail * bsize) / GIB;
  const message = `${free.toFixed(1)} GiB are free at ${place}`;
  if (free < 0.2) return broken("free disk", `${message}.`, "Make room: a full disk stops the database.");
  if (free < 2) return warning("free disk", `${message}.`, "Make room before it is full.");
  return ok("free disk", message);
}

function nearestExisting(path: string): string {
  let place = path;
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  return place;
}

const HEX_KEY = /^[0-9a-fA-F]{64}$/;
const BASE64_KEY = /^[A-Za-z0-9+/_-]{43}=?$/;

/** Where the key is under which secrets are sealed, and who else can read it. */
export function checkMasterKey(config: ServerConfig): Finding {
  if (config.masterKey !== undefined) {
    const text = config.masterKey.trim();
    if (HEX_KEY.test(text) || BASE64_KEY.test(text)) return ok("master key", "comes from OSTIARY_MASTER_KEY");
    return broken(
      "master key",
      "OSTIARY_MASTER_KEY does not hold 32 bytes in base64 or hexadecimal.",
      "Make one with: openssl rand -base64 32",
    );
  }
  const file = join(config.dataDirectory, "master.key");
  if (existsSync(file)) return checkKeyFile(file);
  const hasDatabase = config.databaseUrl !== undefined || existsSync(join(config.dataDirectory, "postgres"));
  if (!hasDatabase) return ok("master key", `${file} is made at the first start`);
  return warning(
    "master key",
    `There is a database, but no ${file}.`,
    "If the database is new, the first start makes it. Else bring the file back from the backup: without it no " +
      "sealed secret can be opened. On several machines set OSTIARY_MASTER_KEY to the same value.",
  );
}

function checkKeyFile(file: string): Finding {
  const { mode } = statSync(file);
  if (mode & 0o077) {
    return broken(
      "master key",
      `${file} can be read or changed by other accounts (mode ${(mode & 0o777).toString(8)}).`,
      `Run: chmod 600 ${file} — and if others may have read it: ostiary migrate --rekey`,
    );
  }
  return ok("master key", `${file}, readable by its owner only. Back it up apart from the database`);
}

/** Processes and threads for the cores that there are. */
export function checkProcesses(config: ServerConfig, cores: number = availableParallelism()): Finding {
  if (config.workers > cores) {
    return warning(
      "processes",
      `OSTIARY_WORKERS is ${config.workers}, but there are ${cores} cores.`,
      `Set it to ${cores} or less: more only take memory.`,
    );
  }
  const threads = Number(process.env["UV_THREADPOOL_SIZE"]) || 4;
  const wanted = config.passwordConcurrency ?? cores;
  if (wanted > threads - 1) {
    return hint(
      "processes",
      `${wanted} passwords could be checked at a time, but of ${threads} threads only ${threads - 1} are free for it.`,
      `Set UV_THREADPOOL_SIZE=${wanted + 1} in the environment of the server, if sign-ins have to wait.`,
    );
  }
  return ok(
    "processes",
    `${config.workers} of ${cores} cores serve; ${wanted} passwords are checked at a time`,
  );
}
