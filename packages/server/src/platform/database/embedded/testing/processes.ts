import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const WRITER = fileURLToPath(new URL("crash-writer.ts", import.meta.url));

/** A data directory that is removed, with its server, at the end of the block. */
export async function aDataDirectory(): Promise<{ path: string; [Symbol.asyncDispose](): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "ostiary-embedded-"));
  return {
    path,
    async [Symbol.asyncDispose]() {
      killServer(path);
      await rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    },
  };
}

export interface Writer {
  child: ChildProcess;
  /** The numbers whose rows were acknowledged so far. */
  acknowledged: string[];
  output: string[];
  ready: Promise<void>;
  firstAcknowledged: Promise<void>;
  ended: Promise<void>;
}

/** Starts crash-writer.ts as a process of its own, as `uid` when given. */
export function startWriter(dataDirectory: string, options: { idle?: boolean; uid?: number } = {}): Writer {
  const { idle = false, uid } = options;
  const child = spawn(
    process.execPath,
    ["--no-warnings", "--conditions=ostiary-source", WRITER, dataDirectory, ...(idle ? ["idle"] : [])],
    { stdio: ["ignore", "pipe", "pipe"], ...(uid === undefined ? {} : { uid, gid: uid }) },
  );
  const acknowledged: string[] = [];
  const output: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => output.push(line));
  const lines = createInterface({ input: child.stdout });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  let ready = () => {};
  let first = () => {};
  const writer = {
    child,
    acknowledged,
    output,
    ended,
    ready: Promise.race([ended, new Promise<void>((resolve) => (ready = resolve))]),
    firstAcknowledged: Promise.race([ended, new Promise<void>((resolve) => (first = resolve))]),
  };
  lines.on("line", (line) => {
    if (line === "ready") return ready();
    acknowledged.push(line);
    first();
  });
  return writer;
}

/** The number in postmaster.pid, alive or not. */
export function postmasterPid(dataDirectory: string): number | undefined {
  try {
    return Number(
      readFileSync(join(dataDirectory, "postgres/cluster/postmaster.pid"), "utf8").split("\n")[0],
    );
  } catch {
    return undefined;
  }
}

/** kill -9 of the server and all its processes. */
export function killServer(dataDirectory: string): void {
  const pid = postmasterPid(dataDirectory);
  if (pid === undefined || !commandOf(pid).includes(dataDirectory)) return;
  for (const each of [pid, ...childrenOf(pid)]) kill(each);
}

export function kill(pid: number | undefined, name: NodeJS.Signals = "SIGKILL"): void {
  try {
    if (pid) process.kill(pid, name);
  } catch {
    // gone already
  }
}

function childrenOf(pid: number): number[] {
  return spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" })
    .stdout.split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child ?? 0);
}

function commandOf(pid: number): string {
  return spawnSync("ps", ["-p", String(pid), "-o", "command="], { encoding: "utf8" }).stdout;
}
