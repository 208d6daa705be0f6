import { type ChildProcess, type ChildProcessByStdio, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { promisify } from "node:util";

/** Why tests that need Python cannot run here; undefined when they can. */
export const PYTHON_MISSING = whatIsMissing();
if (PYTHON_MISSING) console.warn(`Skipped: ${PYTHON_MISSING}`);

function whatIsMissing(): string | undefined {
  if (spawnSync("python3", ["--version"]).status !== 0) {
    return "there is no python3. On Debian: apt-get install python3 python3-venv";
  }
  if (spawnSync("python3", ["-c", "import venv, ensurepip"]).status !== 0) {
    return "python3 cannot make virtual environments with pip. On Debian: apt-get install python3-venv";
  }
  return undefined;
}

/** Milliseconds; the first time pip fetches the packages. */
export const INSTALL_TIMEOUT = 300_000;

/**
 * An interpreter of a minor version, such as "3.10", that can make virtual environments: on the path, or one of
 * pyenv's, whose command on the path answers only for versions that are switched on.
 */
export function findPython(version: string): string | undefined {
  const pyenv = join(process.env.PYENV_ROOT ?? join(homedir(), ".pyenv"), "versions");
  const versions = existsSync(pyenv) ? readdirSync(pyenv) : [];
  const candidates = [
    `python${version}`,
    ...versions
      .filter((name) => name.startsWith(`${version}.`))
      .map((name) => join(pyenv, name, "bin", `python${version}`)),
  ];
  return candidates.find((one) => spawnSync(one, ["-c", "import venv, ensurepip, sqlite3"]).status === 0);
}

/**
 * The interpreter of a virtual environment with these packages, made in `.cache/python/<name>` when it is not there.
 *
 * @param wanted - its name, with a minor version where python3 will not do.
 * @param requirements - as pip takes them, with exact versions.
 * @throws Error with pip's words when a package cannot be fetched.
 */
export async function pythonWith(
  wanted: string | { name: string; version: string },
  ...requirements: string[]
): Promise<string> {
  const script = join(import.meta.dirname, "environment.py");
  const { name, version } = typeof wanted === "string" ? { name: wanted, version: undefined } : wanted;
  const python = version === undefined ? "python3" : findPython(version);
  if (python === undefined) throw new Error(`There is no Python ${version} with venv on this machine`);
  const { stdout } = await promisify(execFile)(python, [script, name, ...requirements]);
  return stdout.trim();
}

/** A Python program that answers each line of JSON with one line of JSON. */
export class PythonProgram implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor(python: string, script: string) {
    const env = { ...process.env, NO_PROXY: "*" }; // the server is on this machine
    this.#process = spawn(python, [script], { stdio: ["pipe", "pipe", "inherit"], env });
    this.#lines = createInterface(this.#process.stdout)[Symbol.asyncIterator]();
  }

  async ask(question: object): Promise<unknown> {
    this.#process.stdin.write(`${JSON.stringify(question)}\n`);
    const answer = await this.#lines.next();
    if (answer.done) throw new Error("the Python program ended; see its words above");
    return JSON.parse(answer.value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin.end();
    await ended(this.#process);
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}
