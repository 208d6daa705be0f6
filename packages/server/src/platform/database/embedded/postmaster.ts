import { spawn, spawnSync } from "node:child_process";
import {
  chownSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runAs } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { EmbeddedPostgresError, errorCode } from "./errors.ts";
import { type Home, lastLogLines, startOutput } from "./home.ts";

/** How long a server may take to replay its log after a crash, in milliseconds. At most 1 GB of it (max_wal_size). */
const RECOVERY_PATIENCE = 300_000;
/** How long an orderly shutdown may take before it is made a hard one (which is still safe), in milliseconds. */
const SHUTDOWN_PATIENCE = 30_000;

/** What a running server says of itself in postmaster.pid. */
export interface Postmaster {
  pid: number;
  socketDirectory: string;
  port: number;
  /** `ready`, `starting`, `stopping`, `standby`. */
  state: string;
}

/** The live server of this cluster, started by whomever; undefined when there is none. */
function findPostmaster(home: Home): Postmaster | undefined {
  const found = readPidFile(home);
  return found && isServerOf(found.pid, home.cluster) ? found : undefined;
}

/** Lines of postmaster.pid: pid, data directory, start time, port, socket directory, address, shared memory, state. */
function readPidFile(home: Home): Postmaster | undefined {
  try {
    const lines = readFileSync(join(home.cluster, "postmaster.pid"), "utf8").split("\n");
    const pid = Number(lines[0]);
    if (!Number.isInteger(pid) || pid <= 0) return undefined;
    return {
      pid,
      port: Number(lines[3]),
      socketDirectory: lines[4] ?? "",
      state: (lines[7] ?? "starting").trim(),
    };
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Numbers are used again, after a reboot at the latest, so a living process is not proof: it must work in the cluster. */
function isServerOf(pid: number, cluster: string): boolean {
  if (!(pid > 0) || !isAlive(pid)) return false;
  if (process.platform !== "linux") {
    const { stdout } = spawnSync("ps", ["-p", String(pid), "-o", "command="], { encoding: "utf8" });
    return stdout.includes(cluster);
  }
  try {
    const works = statSync(`/proc/${pid}/cwd`); // compares the directory itself, whatever its path in a container
    const wanted = statSync(cluster);
    return works.ino === wanted.ino && works.dev === wanted.dev;
  } catch {
    return false; // gone meanwhile, or somebody else's
  }
}

/** A zombie counts as dead: in a container nobody may ever collect the orphan of a killed Node. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== "linux" || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch (error) {
    return errorCode(error) === "EPERM";
  }
}

/**
 * PostgreSQL itself clears the pid file of a dead process, and looks whether backends of the old server still use
 * its shared memory. Only when the number belongs to somebody else by now (or to a zombie) it would refuse for ever:
 * then the number is replaced by an impossible one, and that last check stays in force. To be called under the lock.
 */
export async function disarmPidFile(home: Home): Promise<void> {
  clearSocket(home);
  const file = join(home.cluster, "postmaster.pid");
  if (await staysEmpty(file)) return rmSync(file); // killed between making and filling it, when it had no backends
  const found = readPidFile(home);
  if (!found || isServerOf(found.pid, home.cluster)) return;
  const rest = readFileSync(file, "utf8").split("\n").slice(1);
  rewriteAs(home, file, ["2147483647", ...rest].join("\n"));
}

/** The socket has a lock file of its own, which PostgreSQL also believes for as long as the number is alive. */
function clearSocket(home: Home): void {
  for (const name of readdirSync(home.socket).filter((entry) => entry.endsWith(".lock"))) {
    const lock = join(home.socket, name);
    if (isServerOf(Number.parseInt(readFileSync(lock, "utf8"), 10), home.cluster)) continue;
    rmSync(lock.replace(/\.lock$/, ""), { force: true });
    rmSync(lock, { force: true });
  }
}

async function staysEmpty(file: string): Promise<boolean> {
  for (let attempt = 0; attempt < 50; attempt++) {
    if (statSync(file, { throwIfNoEntry: false })?.size !== 0) return false;
    await sleep(20); // a server that is just starting fills it at once
  }
  return true;
}

function rewriteAs(home: Home, file: string, text: string): void {
  const fresh = join(home.root, "postmaster.pid.new"); // in our own folder: no symlink can wait there
  writeFileSync(fresh, text, { mode: 0o600 });
  const { uid, gid } = home.account;
  if (home.account.switched) chownSync(fresh, uid, gid);
  renameSync(fresh, file);
}

/**
 * Starts the server in a session of its own, so that Ctrl-C reaches Node alone and the requests in flight can still
 * use the database, and waits until it has recovered and takes connections.
 *
 * @returns undefined when it could not start for a reason that passes: another server was quicker (the orphan of a
 *   process that was killed right after starting it), or backends of a killed one still use its shared memory.
 * @throws EmbeddedPostgresError with PostgreSQL's own last words.
 */
export async function startPostmaster(home: Home, binaries: Binaries): Promise<Postmaster | undefined> {
  const started = await startOnce(home, binaries, Date.now() + RECOVERY_PATIENCE);
  if (started || findPostmaster(home) || /shared memory block|lock file/.test(startOutput(home)))
    return started;
  throw new EmbeddedPostgresError(`PostgreSQL did not start on ${home.cluster}: ${lastLogLines(home)}`);
}

async function startOnce(home: Home, binaries: Binaries, deadline: number): Promise<Postmaster | undefined> {
  const output = openSync(join(home.root, "startup.log"), "w", 0o600);
  const child = spawn(binaries.postgres, ["-D", home.cluster], {
    ...runAs(home.account),
    detached: true,
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  child.unref();
  let ended = false;
  child.once("exit", () => {
    ended = true;
  });
  child.once("error", () => {
    ended = true;
  });
  while (!ended) {
    const found = readPidFile(home);
    if (found?.pid === child.pid && found?.state === "ready") return found;
    if (Date.now() > deadline)
      throw new EmbeddedPostgresError(`PostgreSQL is not ready on ${home.cluster}: ${lastLogLines(home)}`);
    await sleep(5);
  }
  return undefined;
}

/** Waits until a server that is starting or stopping has done so; undefined when it is gone. */
export async function settle(home: Home): Promise<Postmaster | undefined> {
  const deadline = Date.now() + RECOVERY_PATIENCE;
  for (;;) {
    const found = findPostmaster(home);
    if (!found || found.state === "ready" || Date.now() > deadline) return found;
    await sleep(10);
  }
}

/** Ends a server: sessions are cut, everything is written, no recovery will be needed. Returns when it has gone. */
export async function stopPostmaster(home: Home, pid: number): Promise<void> {
  const hardAt = Date.now() + SHUTDOWN_PATIENCE;
  let hard = false;
  askToStop(home, pid);
  while (isServerOf(pid, home.cluster)) {
    if (!hard && Date.now() > hardAt) {
      hard = true;
      process.kill(pid, "SIGQUIT"); // "immediate shutdown": the next start replays the log
    }
    await sleep(5);
  }
}

/**
 * Asks for a "fast shutdown" without waiting.
 *
 * @returns false when the process is no server of this cluster (any more); then it is left alone.
 */
export function askToStop(home: Home, pid: number): boolean {
  if (!isServerOf(pid, home.cluster)) return false;
  try {
    process.kill(pid, "SIGINT");
  } catch (error) {
    if (errorCode(error) !== "ESRCH") throw error;
  }
  return true;
}
