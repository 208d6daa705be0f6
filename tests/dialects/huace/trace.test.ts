import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, expect, it } from "vitest";
import { INSTALL_TIMEOUT, PYTHON_MISSING, PythonProgram, pythonWith } from "../../python/environment.ts";
import { VERSIONS } from "./client.ts";

const CONFIGURATION = JSON.stringify({
  version: "ostiary/v1",
  tenants: [
    {
      slug: "default",
      applications: [{ key: "shop", name: "Shop", serial: 1001, secret: "shop-secret" }],
    },
  ],
});

let server: ChildProcess | undefined;
afterAll(() => void server?.kill("SIGKILL"));

it.skipIf(PYTHON_MISSING)(
  "37: the trace id that a service sets is in the server's log, for both versions",
  async () => {
    const program = join(import.meta.dirname, "../../cluster/serve.ts");
    server = spawn(process.execPath, ["--conditions=ostiary-source", program], {
      env: {
        ...process.env,
        PORT: "0",
        OSTIARY_WORKERS: "1",
        OSTIARY_LOG_LEVEL: "debug",
        TEST_CONFIGURATION: CONFIGURATION,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let log = "";
    server.stderr?.on("data", (chunk) => (log += String(chunk)));
    const lines = createInterface({ input: server.stdout as NodeJS.ReadableStream });
    const url = await new Promise<string>((resolve) => {
      lines.on("line", (line) => {
        log += line;
        if (line.startsWith('{"url"')) resolve((JSON.parse(line) as { url: string }).url);
      });
    });
    const client = { app_id: "1001", app_secret: "shop-secret", base_url: `${url}/huace` };
    for (const version of VERSIONS) {
      const requirements = [`huace-aigc-auth-client==${version}`, "httpx==0.28.1"];
      const python = await pythonWith(`huace-httpx-${version}`, ...requirements);
      await using driver = new PythonProgram(python, join(import.meta.dirname, "drive-service.py"));
      await driver.ask({ do: "open", ...client });
      const answer = await driver.ask({ do: "trace", trace_id: `trace-of-${version}`, token: "junk" });
      expect(answer).toMatchObject({ result: { valid: false } });
      await expect.poll(() => log).toContain(`"xTraceId":"trace-of-${version}"`);
    }
    const ended = once(server, "exit");
    server.kill("SIGTERM");
    await ended;
  },
  INSTALL_TIMEOUT,
);
