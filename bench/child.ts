import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

/** Ticks of /proc/<pid>/stat in a second; USER_HZ is 100 on every Linux that Node runs on. */
const TICKS = 100;

/**
 * Seconds of CPU that a process has used, all its threads, user and system; its children are not in it.
 *
 * @see proc_pid_stat(5), fields 14 and 15
 */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // the name before it may hold spaces
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Resident memory of a process in MiB. */
export function residentMebibytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1] ?? 0) / 1024;
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  return typeof address === "object" && address ? address.port : 0;
}

/** A program of ours beside this one. Its messages are answers, one to each request. */
export class Child {
  readonly process: ChildProcess;
  readonly #ended: Promise<never>;

  /**
   * @param program - relative to this folder, or absolute.
   * @param options.quiet - what it writes is not shown.
   * @param options.nodeArgs - by default none: what was built runs, and not the packages' TypeScript.
   */
  constructor(
    program: string,
    options: { args?: string[]; env?: Record<string, string>; nodeArgs?: string[]; quiet?: boolean } = {},
  ) {
    this.process = fork(fileURLToPath(new URL(program, import.meta.url)), options.args ?? [], {
      execArgv: options.nodeArgs ?? [],
      env: { ...process.env, ...options.env },
      stdio: ["ignore", options.quiet ? "ignore" : "inherit", options.quiet ? "ignore" : "inherit", "ipc"],
    });
    this.#ended = once(this.process, "exit").then(([code, signal]) => {
      throw new Error(`${program} ended with ${code ?? signal}`);
    });
    this.#ended.catch(() => {});
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** The next message. @throws Error when the program ends instead. */
  async answer<T>(): Promise<T> {
    const [message] = await Promise.race([once(this.process, "message"), this.#ended]);
    return message as T;
  }

  async ask<T>(message: object): Promise<T> {
    this.process.send(message);
    return this.answer<T>();
  }

  get hasEnded(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  /** Asks it to end, and waits. */
  async stop(): Promise<void> {
    if (this.hasEnded) return;
    const ended = once(this.process, "exit");
    this.process.kill("SIGTERM");
    await ended;
  }
}

/** In a child: sends a message to whoever started it. */
export function tell(message: object): void {
  process.send?.(message);
}

/** In a child: answers each message; a failure ends the process, and its reason stands on standard error. */
export function answerEach<T>(answer: (message: T) => Promise<object>): void {
  process.on("message", (message: T) => {
    answer(message).then(tell, (error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  });
}
