/**
 * `npm run bench:usage`: how many calls of services one process takes in, and what ten thousand heartbeats cost. All on
 * one durable database, over HTTP, in the words of AIGC Auth's clients.
 */
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Child, cpuSeconds, freePort } from "../child.ts";
import { HttpConnection } from "../programs/http-connection.ts";

const SECONDS = Number(process.env["BENCH_SECONDS"] ?? 15);
const CONNECTIONS = 400;
const BATCH = 10;
const INSTANCES = 10_000;
const KEY = "ak_0123456789abcdef0123456789abcdef";
const APPLICATION = "5f0c00000000000000000001";
const USERS = Array.from({ length: 50 }, (_, index) => `user${index}`);
const CONFIGURATION = {
  version: "ostiary/v1",
  tenants: [
    {
      slug: "default",
      users: [{ username: "root", administrator: true }, ...USERS.map((username) => ({ username }))],
      applications: [{ key: "shop", id: APPLICATION, name: "Shop", secret: "shop-secret" }],
      apiKeys: [{ name: "bench", type: "user", user: "root", key: KEY }],
      billingRules: [{ application: "shop", path: "/api/paid/{id}", price: "0.0035" }],
    },
  ],
};

interface Row {
  what: string;
  measured: string;
  goal: string;
  met: boolean | null;
}
const rows: Row[] = [];
function say(what: string, measured: string, goal = "", met: boolean | null = null): void {
  rows.push({ what, measured, goal, met });
  console.error(`${what}: ${measured}`);
}

/** A whole HTTP request of their client, one character a byte. */
function requestOf(port: number, path: string, body: object): string {
  const text = JSON.stringify(body);
  return [
    `POST /huace/sdk${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    "Content-Type: application/json",
    `X-App-Id: ${APPLICATION}`,
    "X-App-Secret: shop-secret",
    "Authorization: Bearer none",
    `Content-Length: ${Buffer.byteLength(text)}`,
    "",
    text,
  ].join("\r\n");
}

/** What their middleware reports: about 600 bytes. */
function aStatistic(index: number): object {
  return {
    api_path: index % 3 === 0 ? `/api/paid/${index}` : `/api/things/${index % 20}/list`,
    api_method: index % 4 === 0 ? "POST" : "GET",
    status_code: index % 50 === 0 ? 500 : 200,
    response_time: 0.001 * (1 + (index % 300)),
    error_message: null,
    request_params: {
      headers: {
        host: "shop.example.com",
        "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
        authorization: "Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        accept: "application/json",
        "x-match-username": USERS[index % USERS.length],
      },
      query_params: { page: "1", size: "20" },
      view_params: {},
      request_body: { name: "a thing", count: index },
      form_params: {},
    },
    response_headers: null,
  };
}

/** CPU seconds of each of the database's processes: the postmaster's children. */
function databaseTimes(directory: string): Map<number, number> {
  const file = readdirSync(directory, { recursive: true, encoding: "utf8" }).find((name) =>
    name.endsWith("postmaster.pid"),
  );
  const path = join(directory, file ?? "postmaster.pid");
  const postmaster = Number(readFileSync(path, "utf8").split("\n", 1)[0]);
  const times = new Map<number, number>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      if (parent === postmaster) times.set(Number(pid), cpuSeconds(Number(pid)));
    } catch {
      // It has just ended.
    }
  }
  return times;
}

/** Begins to count the CPU seconds of server and database; what ends meanwhile has done nothing but wait. */
function watch(site: Site): () => { seconds: number; cpu: number; database: number } {
  const began = performance.now();
  const cpu = cpuSeconds(site.pid);
  const before = databaseTimes(site.directory);
  return () => {
    let database = 0;
    for (const [pid, time] of databaseTimes(site.directory)) database += time - (before.get(pid) ?? 0);
    return {
      seconds: (performance.now() - began) / 1_000,
      cpu: cpuSeconds(site.pid) - cpu,
      database,
    };
  };
}

interface Site {
  port: number;
  pid: number;
  directory: string;
}

async function get<T>(site: Site, path: string): Promise<T> {
  const answer = await fetch(`http://127.0.0.1:${site.port}/api/v1${path}`, {
    headers: { authorization: `Bearer ${KEY}` },
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

async function countCalls(site: Site): Promise<number> {
  const { items } = await get<{ items: { calls: number }[] }>(site, "/usage/ledger?by=application");
  return items.reduce((sum, { calls }) => sum + calls, 0);
}

async function flood(site: Site, seconds: number): Promise<number> {
  const requests = Array.from({ length: 500 }, (_, batch) =>
    requestOf(site.port, "/stats/report/batch", {
      stats: Array.from({ length: BATCH }, (_, index) => aStatistic(batch * BATCH + index)),
    }),
  );
  const end = performance.now() + seconds * 1_000;
  let acknowledged = 0;
  const lane = async (from: number) => {
    const connection = new HttpConnection(site.port);
    for (let at = from; performance.now() < end; at++) {
      const { body } = await connection.send(requests[at % requests.length] ?? "");
      if (!body.includes('"accepted":10')) throw new Error(`refused: ${body}`);
      acknowledged += BATCH;
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, index) => lane(index * 7)));
  return acknowledged;
}

async function measureIngestion(site: Site): Promise<void> {
  let sent = await flood(site, 3);
  const used = watch(site);
  const calls = await flood(site, SECONDS);
  sent += calls;
  const { seconds, cpu, database } = used();
  const rate = calls / seconds;
  const text = (value: number) => Math.round(value).toLocaleString("en");
  say("calls taken in a second, in batches of 10", text(rate), "≥ 20,000", rate >= 20_000);
  say("calls taken in a CPU-second of the server", text(calls / cpu));
  say("calls taken in a CPU-second of server and database", text(calls / (cpu + database)));
  say("cores used: server, database", `${(cpu / seconds).toFixed(2)}, ${(database / seconds).toFixed(2)}`);
  const counted = await countCalls(site);
  say(
    "acknowledged calls, and those in the ledger",
    `${text(sent)}, ${text(counted)}`,
    "equal",
    sent === counted,
  );
}

async function measureHeartbeats(site: Site): Promise<void> {
  const lanes = Array.from({ length: 16 }, () => new HttpConnection(site.port));
  const bodyOf = (index: number) => ({
    name: `service${index % 100}`,
    environment: "pro",
    instanceId: `host${index}:8000`,
    ips: ["10.0.0.1"],
    port: null,
    metadata: null,
  });
  let next = 0;
  await Promise.all(
    lanes.map(async (lane) => {
      for (let index = next++; index < INSTANCES; index = next++) {
        await lane.send(requestOf(site.port, "/service/register", bodyOf(index)));
      }
    }),
  );
  for (let index = 0; index < 5_000; index++) {
    await (lanes[0] as HttpConnection).send(requestOf(site.port, "/service/heartbeat", bodyOf(index))); // warms up
  }
  await sleep(8_000); // ten thousand registrations get into the audit log
  const resting = watch(site);
  await sleep(5_000);
  const rest = resting();
  const period = 60_000 / INSTANCES;
  const total = Math.floor((SECONDS * 1_000) / period);
  const requests = Array.from({ length: total }, (_, index) =>
    requestOf(site.port, "/service/heartbeat", bodyOf(index)),
  );
  const began = performance.now();
  const used = watch(site);
  let sent = 0;
  await Promise.all(
    lanes.map(async (lane) => {
      for (let index = sent++; index < total; index = sent++) {
        await sleep(Math.max(0, began + index * period - performance.now()));
        const { body } = await lane.send(requests[index] ?? "");
        if (!body.includes("config_version")) throw new Error(`refused: ${body}`);
      }
    }),
  );
  await sleep(1_500);
  const work = used();
  const cpu = work.cpu / work.seconds;
  const database = work.database / work.seconds;
  const percent = (part: number) => `${(part * 100).toFixed(1)} %`;
  say(`${INSTANCES} instances, a heartbeat a minute: of a core, server`, percent(cpu), "< 5 %", cpu < 0.05);
  say("the same, server and database", percent(cpu + database), "< 5 %", cpu + database < 0.05);
  const without = `${percent(rest.cpu / rest.seconds)}, ${percent(rest.database / rest.seconds)}`;
  say("for comparison, without any: server, database", without);
  for (const lane of lanes) lane.close();
}

const directory = mkdtempSync(join(tmpdir(), "ostiary-bench-usage-"));
const port = await freePort();
const server = new Child("usage/server.ts", {
  nodeArgs: ["--conditions=ostiary-source"],
  env: {
    PORT: String(port),
    OSTIARY_DATA_DIRECTORY: directory,
    OSTIARY_WORKERS: "1",
    BENCH_CONFIGURATION: JSON.stringify(CONFIGURATION),
  },
});
try {
  await server.answer();
  const site = { port, pid: server.pid, directory };
  await measureHeartbeats(site);
  await measureIngestion(site);
} finally {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
}
const mark = (met: boolean | null) => (met === null ? "" : met ? "yes" : "NO");
console.log("| what | measured | goal | met |\n| --- | --- | --- | --- |");
for (const { what, measured, goal, met } of rows)
  console.log(`| ${what} | ${measured} | ${goal} | ${mark(met)} |`);
if (rows.some(({ met }) => met === false)) process.exitCode = 1;
