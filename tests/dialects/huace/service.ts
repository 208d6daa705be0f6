import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { pythonWith } from "../../python/environment.ts";

export interface ServiceState {
  events: { event: string; data: Record<string, unknown> }[];
  created: Record<string, unknown>[];
  updated: Record<string, unknown>[];
  deleted: string[];
}

/** A FastAPI or Flask application with the vendor's unmodified middleware, webhook receiver and adapter. */
export class Service implements AsyncDisposable {
  readonly url: string;
  readonly #process: ChildProcessByStdio<null, Readable, null>;

  private constructor(process: ChildProcessByStdio<null, Readable, null>, url: string) {
    this.#process = process;
    this.url = url;
  }

  static async start(
    framework: "fastapi" | "flask",
    version: string,
    client: Record<string, unknown>,
    options: { secret: string; legacyUsers: number },
  ): Promise<Service> {
    const python = await pythonWith(
      `huace-web-${version}`,
      `huace-aigc-auth-client==${version}`,
      "fastapi==0.165.0",
      "uvicorn==0.54.0",
      "flask==3.1.3",
    );
    const script = join(import.meta.dirname, "service.py");
    const child = spawn(python, [script, framework, JSON.stringify(client), String(options.legacyUsers)], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, NO_PROXY: "*", AIGC_AUTH_WEBHOOK_SECRET: options.secret },
    });
    const first = await createInterface(child.stdout)[Symbol.asyncIterator]().next();
    if (first.done) throw new Error("the service ended; see its words above");
    const service = new Service(child, first.value);
    for (let attempt = 0; ; attempt++) {
      const isUp = await service.state().then(
        () => true,
        () => false,
      );
      if (isUp) return service;
      if (attempt === 100) throw new Error("the service does not answer");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async state(): Promise<ServiceState> {
    return (await (await fetch(`${this.url}/state`)).json()) as ServiceState;
  }

  async setSecret(secret: string): Promise<void> {
    await fetch(`${this.url}/secret`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ secret }),
    });
  }

  async whoami(token?: string): Promise<{ status: number; body: Record<string, unknown> }> {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const answer = await fetch(`${this.url}/whoami`, { headers });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    if (this.#process.exitCode === null && this.#process.signalCode === null)
      await once(this.#process, "exit");
  }
}
