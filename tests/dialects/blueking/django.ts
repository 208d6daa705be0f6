import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { findPython, pythonWith } from "../../python/environment.ts";

/** The two ends of what is in use, and the newest Django that 4.x runs on. */
export const RELEASES = {
  "2.0.3": {
    python: "3.10",
    // cryptography 43 took away what 2.x imports
    requirements: [
      "bkpaas-auth==2.0.3",
      "Django==3.2.25",
      "cryptography<43",
      "apigw-manager[cryptography]==1.1.8",
    ],
  },
  "4.4.0": {
    python: "3.11",
    requirements: ["bkpaas-auth==4.4.0", "Django==5.2.19", "apigw-manager[cryptography]==5.0.3"],
  },
  "4.4.0-django6": {
    python: "3.12",
    requirements: ["bkpaas-auth==4.4.0", "Django==6.1.3"], // apigw-manager wants Django 5
  },
} as const;

export type Release = keyof typeof RELEASES;

/** Why a release cannot run here; undefined when it can. */
export function missingFor(release: Release): string | undefined {
  const { python } = RELEASES[release];
  return findPython(python) === undefined
    ? `there is no Python ${python} with venv for bkpaas-auth ${release}`
    : undefined;
}

interface LogRecord {
  logger: string;
  level: string;
  text: string;
}

/** A running Django application with bkpaas-auth. */
export interface Django extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  url: string;
  /** Django's settings, changed while it runs; `null` unsets. */
  configure(settings: Record<string, unknown>): Promise<void>;
  /** Runs a management command. */
  run(command: string, ...options: string[]): Promise<{ exit: number; output: string }>;
  /** What was logged since the last time, and forgets cached details of users. */
  log(): Promise<LogRecord[]>;
  forget(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts the application of `django/project.py` under a release of bkpaas-auth.
 *
 * @param settings - Django settings, such as `BKAUTH_USER_COOKIE_VERIFY_URL`; `LOGIN_URL` for its private page.
 */
export async function startDjango(options: {
  release: Release;
  settings: Record<string, unknown>;
}): Promise<Django> {
  const { python: version, requirements } = RELEASES[options.release];
  const python = await pythonWith({ name: `blueking-${options.release}`, version }, ...requirements);
  const child = spawn(python, [join(import.meta.dirname, "django", "serve.py")], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      DJANGO_PROJECT: JSON.stringify(options.settings),
      PYTHONDONTWRITEBYTECODE: "1",
      PYTHONWARNINGS: "ignore",
    },
  });
  const url = `http://127.0.0.1:${await portOf(child)}`;
  const control = async (order: object): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${url}/_control`, { method: "POST", body: JSON.stringify(order) });
    return (await answer.json()) as Record<string, unknown>;
  };
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill();
    await ended;
  };
  return {
    url,
    configure: async (settings) => void (await control({ settings })),
    run: async (command, ...list) =>
      (await control({ command, arguments: list })) as { exit: number; output: string },
    log: async () => (await control({ log: true })).log as LogRecord[],
    forget: async () => void (await control({ forget: true })),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function portOf(child: ChildProcessByStdio<null, Readable, null>): Promise<number> {
  for await (const line of createInterface(child.stdout)) {
    return (JSON.parse(line) as { port: number }).port;
  }
  throw new Error("Django did not start; see its words above");
}
