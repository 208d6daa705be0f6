import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const KEY = "ak_0123456789abcdef0123456789abcdef";
const CONFIGURATION = JSON.stringify({
  version: "ostiary/v1",
  tenants: [
    {
      slug: "default",
      users: [{ username: "root", password: { plain: "correct horse battery staple" }, administrator: true }],
      apiKeys: [{ name: "test", type: "user", user: "root", key: KEY }],
    },
  ],
});

let server: ChildProcess;
let url: string;

beforeAll(async () => {
  server = spawn(
    process.execPath,
    ["--conditions=ostiary-source", fileURLToPath(new URL("./serve.ts", import.meta.url))],
    {
      env: {
        ...process.env,
        PORT: "0",
        OSTIARY_WORKERS: "3",
        OSTIARY_LOG_LEVEL: "error",
        TEST_CONFIGURATION: CONFIGURATION,
      },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const [line] = await once(createInterface({ input: server.stdout as NodeJS.ReadableStream }), "line");
  url = JSON.parse(String(line)).url;
}, 60_000);
afterAll(() => void server.kill("SIGKILL"));

interface Answer {
  status: number;
  body: string;
}

/** One kept connection: whoever accepted it answers everything on it. */
function connection() {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const call = (path: string, options: { method?: string; body?: object } = {}) =>
    new Promise<Answer>((resolve, reject) => {
      const headers: Record<string, string> = { authorization: `Bearer ${KEY}` };
      if (options.body) headers["content-type"] = "application/json";
      const outgoing = request(
        `${url}${path}`,
        { agent, method: options.method ?? "GET", headers },
        (incoming) => {
          let body = "";
          incoming.on("data", (chunk) => {
            body += chunk;
          });
          incoming.on("end", () => resolve({ status: incoming.statusCode ?? 0, body }));
        },
      );
      outgoing.on("error", reject);
      outgoing.end(options.body ? JSON.stringify(options.body) : undefined);
    });
  return { call, close: () => agent.destroy() };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

type Connection = ReturnType<typeof connection>;

/** A connection to each of the three processes. */
async function oneToEach(): Promise<Map<number, Connection>> {
  const found = new Map<number, Connection>();
  for (let tries = 0; tries < 60 && found.size < 3; tries++) {
    const candidate = connection();
    const { process: pid } = JSON.parse((await candidate.call("/healthz")).body);
    if (found.has(pid)) candidate.close();
    else found.set(pid, candidate);
  }
  return found;
}

describe("three processes on one port", () => {
  it("all serve, and a change made in one is seen in all within one second", async () => {
    const processes = await oneToEach();
    expect(processes.size).toBe(3);
    const [first] = processes.values();
    const made = await first?.call("/api/v1/users", { method: "POST", body: { username: "ann" } });
    const { id } = JSON.parse(made?.body ?? "{}");
    const settings = { method: "PATCH", body: { signUp: "open" } };
    const seen = async (path: string) =>
      Promise.all([...processes.values()].map(async (c) => (await c.call(path)).body));
    // The sign-up page is answered from each process's cached tenant.
    expect(
      await Promise.all([...processes.values()].map(async (c) => (await c.call("/sign-up")).status)),
    ).not.toContain(500);
    expect((await first?.call("/api/v1/settings", settings))?.status).toBe(200);
    const began = performance.now();
    let open = false;
    while (!open && performance.now() - began < 1_000) {
      open = (await seen("/api/v1/settings")).every((body) => JSON.parse(body).signUp === "open");
    }
    expect(open).toBe(true);
    expect((await seen(`/api/v1/users/${id}`)).every((body) => JSON.parse(body).username === "ann")).toBe(
      true,
    );
    for (const each of processes.values()) each.close();
  });

  it("sum their metrics up in whichever process is asked", async () => {
    const metrics = await connection().call("/metrics");
    expect(metrics.status).toBe(200);
    const counts = [
      ...metrics.body.matchAll(
        /^ostiary_http_request_duration_seconds_count\{.*route="\/healthz".*\} (\d+)$/gm,
      ),
    ];
    expect(counts.reduce((sum, match) => sum + Number(match[1]), 0)).toBeGreaterThanOrEqual(3);
  });

  it("go on when one of them is killed, and it is replaced", async () => {
    const before = await oneToEach();
    const [victim] = before.keys();
    process.kill(victim as number, "SIGKILL");
    for (const each of before.values()) each.close();
    // A connection that the dying process had accepted is reset; from its death on everybody is served.
    while (isAlive(victim as number)) await new Promise((resolve) => setTimeout(resolve, 10));
    let after = new Map<number, Connection>();
    for (let tries = 0; tries < 20; tries++) {
      const fresh = connection();
      expect((await fresh.call("/readyz")).status).toBe(200);
      fresh.close();
      await new Promise((resolve) => setTimeout(resolve, 250));
      after = await oneToEach();
      for (const each of after.values()) each.close();
      if (after.size === 3) break;
    }
    expect(after.size).toBe(3);
    expect([...after.keys()]).not.toContain(victim);
  });

  it("finish the requests in flight when the server is told to stop, and leave nothing behind", async () => {
    // Connections that have been accepted: one that still waits is refused, which a client may take as it is.
    const connections = Array.from({ length: 12 }, connection);
    await Promise.all(connections.map(({ call }) => call("/healthz")));
    const slow = connections.map(({ call }, i) =>
      call("/api/v1/users", {
        method: "POST",
        body: { username: `late-${i}`, password: { plain: "correct horse battery staple" } },
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 30));
    server.kill("SIGTERM");
    const answers = await Promise.all(slow);
    expect(answers.map((answer) => answer.status)).toEqual(
      answers.map(() => expect.toSatisfy((s: number) => s < 500)),
    );
    const [code] = await once(server, "exit");
    expect(code).toBe(0);
  });
});
