import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { BillingRule, LedgerRow, ReportedCall } from "@ostiary/contracts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "../../packages/server/src/testing/a-database.ts";

/** `OSTIARY_TEST_CALLS=1000000` for the long run. */
const CALLS = Number(process.env["OSTIARY_TEST_CALLS"] ?? 100_000);
const BATCH = 50;
const KILLS = 10;
const SENDERS = 16;
const KEY = "ak_0123456789abcdef0123456789abcdef";
const APPLICATION = "5f0c00000000000000000001";
const USERS = ["5f0b00000000000000000001", "5f0b00000000000000000002", "5f0b00000000000000000003"];
const CONFIGURATION = {
  version: "ostiary/v1",
  tenants: [
    {
      slug: "default",
      users: [
        { id: USERS[0], username: "root", administrator: true },
        { id: USERS[1], username: "one" },
        { id: USERS[2], username: "two" },
      ],
      applications: [{ key: "shop", id: APPLICATION, name: "Shop", secret: "shop-secret" }],
      apiKeys: [{ name: "test", type: "user", user: "root", key: KEY }],
    },
  ],
};

let database: TestDatabase;
let child: ChildProcess;
let url: string;
let port: number;

beforeAll(async () => {
  database = await aDatabase();
  port = await freePort();
  const operator = await start();
  await call("POST", "/configuration/apply", CONFIGURATION, operator);
});
afterAll(async () => {
  child?.kill("SIGKILL");
  await database?.[Symbol.asyncDispose]();
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  return typeof address === "object" && address ? address.port : 0;
}

/** @returns the operator's authorization, good until the process ends. */
async function start(): Promise<string> {
  const program = fileURLToPath(new URL("./serve.ts", import.meta.url));
  child = spawn(process.execPath, ["--conditions=ostiary-source", program], {
    env: { ...process.env, TEST_SERVER: JSON.stringify({ connection: database.connection, port }) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), "line");
  const started = JSON.parse(String(line)) as { url: string; operator: string };
  url = started.url;
  return started.operator;
}

/** Killed as by the kernel: nothing is finished, nothing is said. */
async function killAndStart(): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
  await start();
}

async function call<T>(
  method: string,
  path: string,
  body?: unknown,
  authorization = `Bearer ${KEY}`,
  headers: Record<string, string> = {},
): Promise<T> {
  const answer = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { authorization, "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status} ${text}`);
  return JSON.parse(text) as T;
}

/** Sends until it is acknowledged, as a client must. Returns how often. */
async function sendUntilAcknowledged(batch: number, calls: ReportedCall[]): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    try {
      const body = { applicationId: APPLICATION, calls };
      await call("POST", "/usage/calls", body, undefined, { "idempotency-key": `batch-${batch}` });
      return attempt;
    } catch (error) {
      if (/^4/.test((error as Error).message)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Reproducible: the same numbers in every run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const SCALE = 18;
const units = (decimal: string): bigint => {
  const [whole = "0", fraction = ""] = decimal.split(".");
  return BigInt(whole + fraction.padEnd(SCALE, "0"));
};

it(`counts each of ${CALLS} calls once and to the last digit, though the server is killed ${KILLS} times`, async () => {
  const rule = (path: string, kind: string, price: string) =>
    call<BillingRule>("POST", "/billing-rules", { applicationId: APPLICATION, path, kind, price });
  const tiny = await rule("/tiny", "static", "0.000000000000000001");
  const tenth = await rule("/tenth/{id}", "static", "0.1");
  const dynamic = await rule("/dynamic/**", "dynamic", "3");

  const truth = new Map<string, { calls: number; amount: bigint }>();
  const random = randomFrom(42);
  const aCall = (): ReportedCall => {
    const userId = USERS[random(USERS.length)] ?? null;
    const cost = `${random(1_000)}.${String(random(1_000_000_000)).padStart(9, "0")}`;
    const [path, ruleId, price] = (
      [
        ["/tiny", tiny.id, "0.000000000000000001"],
        [`/tenth/${random(1_000)}`, tenth.id, "0.1"],
        ["/dynamic/a/b", dynamic.id, cost],
        ["/free", null, "0"],
      ] as const
    )[random(4)] ?? ["/free", null, "0"];
    const key = `${userId} ${ruleId}`;
    const entry = truth.get(key) ?? { calls: 0, amount: 0n };
    truth.set(key, { calls: entry.calls + 1, amount: entry.amount + units(price) });
    return {
      userId,
      path,
      method: "GET",
      status: random(10) === 0 ? 500 : 200,
      milliseconds: random(100_000) / 100,
      responseHeaders: { "x-match-dynamic": "1", "x-match-cost": cost },
    };
  };
  // `/free` has no rule and must not get one.
  const withoutHeaders = (one: ReportedCall): ReportedCall =>
    one.path === "/free" ? { ...one, responseHeaders: null } : one;

  let next = 0;
  let done = 0;
  let repeated = 0;
  const batches = CALLS / BATCH;
  const killAt = Array.from({ length: KILLS }, (_, index) => Math.floor(((index + 0.5) / KILLS) * batches));
  const send = async () => {
    for (let batch = next++; batch < batches; batch = next++) {
      const calls = Array.from({ length: BATCH }, () => withoutHeaders(aCall()));
      repeated += (await sendUntilAcknowledged(batch, calls)) > 1 ? 1 : 0;
      // Some clients did not hear the answer.
      if (batch % 97 === 0) await sendUntilAcknowledged(batch, calls);
      done += 1;
    }
  };
  const kill = async () => {
    for (const at of killAt) {
      while (done < at) await new Promise((resolve) => setTimeout(resolve, 5));
      await killAndStart();
    }
  };
  await Promise.all([kill(), ...Array.from({ length: SENDERS }, send)]);

  const { items } = await call<{ items: LedgerRow[] }>("GET", "/usage/ledger?by=user,rule");
  const counted = new Map(
    items.map((row) => [`${row.userId} ${row.ruleId}`, { calls: row.calls, amount: units(row.amount) }]),
  );
  expect(counted).toEqual(truth);
  expect(items.reduce((sum, row) => sum + row.calls, 0)).toBe(CALLS);
  expect(repeated).toBeGreaterThan(0);
  const [summary] = (await call<{ items: { calls: number }[] }>("GET", "/usage/summary")).items;
  expect(summary?.calls).toBe(CALLS);
  const [kept] = await database.database.query<{ calls: number }>(
    "select count(*) as calls from usage_calls",
  );
  expect(kept?.calls).toBe(CALLS);
}, 1_200_000);
