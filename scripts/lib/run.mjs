import { spawn, spawnSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the clone. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The Node that package.json pins; every program of the repo runs on it. */
export const PINNED_NODE = join(ROOT, "node_modules/node/bin/node");

/** Says something to the person. Never on standard output, which belongs to the program that is started. */
export function say(message) {
  process.stderr.write(`${message}\n`);
}

/** Does a step and says what it was and how long it took. */
export async function step(title, work) {
  const began = performance.now();
  const result = await work();
  say(`${title} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
  return result;
}

/** A failure that is told in its message alone; the process ends with its exit code. */
export class Failure extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Runs the script's work when it was called by name, and turns failures into an exit code. */
export async function main(url, work) {
  if (realpathSync(process.argv[1]) !== fileURLToPath(url)) return;
  try {
    process.exitCode = (await work(process.argv.slice(2))) ?? 0;
  } catch (error) {
    say(error instanceof Failure ? error.message : String(error?.stack ?? error));
    process.exitCode = error instanceof Failure ? error.exitCode : 1;
  }
}

/** Node 22 is the floor; where the pinned one cannot run (musl), the machine's own does if it is new enough. */
export function nodeProgram() {
  if (existsSync(PINNED_NODE) && spawnSync(PINNED_NODE, ["--version"]).status === 0) return PINNED_NODE;
  if (Number(process.versions.node.split(".")[0]) >= 22) return process.execPath;
  throw new Failure(
    `This needs Node 22 or newer; here is ${process.version}, and the pinned one does not run on this machine.`,
  );
}

/** The environment for a tool of the repo: the pinned Node comes first in PATH. */
export function toolEnvironment(extra = {}) {
  const folders = [dirname(PINNED_NODE), join(ROOT, "node_modules/.bin"), process.env.PATH ?? ""];
  return { ...process.env, PATH: folders.join(delimiter), ...extra };
}

/** Runs a program to its end and collects what it says. */
export function capture(program, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: ROOT,
      env: toolEnvironment(),
      ...options,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const parts = [];
    child.stdout.on("data", (part) => parts.push(part));
    child.stderr.on("data", (part) => parts.push(part));
    child.once("error", (error) => resolve({ code: 127, output: error.message }));
    child.once("close", (code) =>
      resolve({ code: code ?? 1, output: Buffer.concat(parts).toString("utf8") }),
    );
  });
}

/**
 * Runs a program in our place: its input, output and exit code are ours, and a signal to us alone goes on to it.
 * Ctrl-C reaches the whole process group by itself, so one that comes from the terminal is not sent twice.
 */
export function become(program, args, env = toolEnvironment()) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: ROOT, env, stdio: "inherit" });
    const forward = (signal) => {
      if (signal === "SIGINT" && process.stdin.isTTY) return;
      child.kill(signal);
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, forward);
    child.once("error", (error) => {
      say(error.message);
      resolve(127);
    });
    child.once("exit", (code, signal) =>
      resolve(code ?? (signal === "SIGINT" ? 130 : signal === "SIGTERM" ? 143 : 1)),
    );
  });
}
