import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../packages/cli/src/main.ts", import.meta.url));

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  env?: Record<string, string>;
  /** What comes on standard input; default: nothing. */
  input?: string;
}

/** Starts `ostiary` as a process of its own, with no setting but those given. */
export function startCli(args: readonly string[], { env = {} }: CliOptions = {}): ChildProcess {
  const base = {
    PATH: process.env["PATH"] ?? "",
    HOME: process.env["HOME"] ?? "",
    OSTIARY_LOG_LEVEL: "error",
  };
  return spawn(process.execPath, ["--conditions=ostiary-source", MAIN, ...args], {
    env: { ...base, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
}

/** Runs `ostiary` to its end. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = startCli(args, options);
  child.stdin?.end(options.input ?? "");
  const output = { stdout: "", stderr: "" };
  child.stdout?.on("data", (part: Buffer) => {
    output.stdout += part.toString();
  });
  child.stderr?.on("data", (part: Buffer) => {
    output.stderr += part.toString();
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...output };
}

export interface Ready {
  event: "ready";
  url: string;
  administrator?: { username: string; password: string };
}

/** A throw-away server of the real command line; disposing it stops it. */
export async function anEphemeralServer(
  args: readonly string[],
  options: CliOptions = {},
): Promise<{ ready: Ready; lines: string[]; child: ChildProcess } & AsyncDisposable> {
  const child = startCli(["serve", "--ephemeral", "--port", "0", ...args], options);
  const lines: string[] = [];
  let errors = "";
  child.stderr?.on("data", (part: Buffer) => {
    errors += part.toString();
  });
  const ready = await new Promise<Ready>((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (part: Buffer) => {
      text += part.toString();
      const complete = text.split("\n");
      text = complete.pop() ?? "";
      lines.push(...complete);
      if (lines[0] !== undefined) resolve(JSON.parse(lines[0]) as Ready);
    });
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}: ${errors}`)));
  });
  return {
    ready,
    lines,
    child,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}
