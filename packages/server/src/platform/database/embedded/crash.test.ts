import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { expect, it } from "vitest";
import { startEmbeddedPostgres } from "./index.ts";
import { aDataDirectory, kill, killServer, startWriter } from "./testing/processes.ts";

const ROUNDS = 20;

async function storedNumbers(dataDirectory: string): Promise<Set<string>> {
  const postgres = await startEmbeddedPostgres({ dataDirectory, log: () => {} });
  const client = new Client(postgres.connection);
  await client.connect();
  const { rows } = await client.query<{ number: string }>("select number from writes");
  await client.end();
  await postgres.stop();
  return new Set(rows.map((row) => row.number));
}

/** Kills at a random moment, twenty times: two rounds of three in the stream of writes, the third while starting. */
async function killRepeatedly(dataDirectory: string, killAll: boolean): Promise<string[]> {
  const acknowledged: string[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const writer = startWriter(dataDirectory);
    if (round % 3 !== 0) await writer.firstAcknowledged;
    if (writer.child.exitCode !== null) throw new Error(`round ${round}: ${writer.output.join(" | ")}`);
    await sleep(Math.random() * (round % 3 === 0 ? 400 : 150));
    kill(writer.child.pid);
    if (killAll) killServer(dataDirectory);
    await writer.ended;
    acknowledged.push(...writer.acknowledged);
  }
  return acknowledged;
}

it.each([
  { what: "node", killAll: false },
  { what: "node and PostgreSQL together", killAll: true },
])(
  "keeps every acknowledged row through twenty times kill -9 of $what",
  { timeout: 120_000 },
  async ({ killAll }) => {
    await using data = await aDataDirectory();
    const acknowledged = await killRepeatedly(data.path, killAll);
    const stored = await storedNumbers(data.path);
    console.log(`${acknowledged.length} rows acknowledged, ${stored.size} stored, ${ROUNDS} kills`);
    expect(acknowledged.length).toBeGreaterThan(ROUNDS);
    expect(acknowledged.filter((number) => !stored.has(number))).toEqual([]);
  },
);

it("begins anew after kill -9 in the middle of making the database", { timeout: 60_000 }, async () => {
  await using data = await aDataDirectory();
  for (let round = 1; round <= 5; round++) {
    const writer = startWriter(data.path);
    await sleep(150 + Math.random() * 350);
    kill(writer.child.pid);
    killServer(data.path);
    await writer.ended;
  }
  const writer = startWriter(data.path);
  await writer.firstAcknowledged;
  expect(writer.acknowledged.length, writer.output.join(" | ")).toBeGreaterThan(0);
  kill(writer.child.pid);
  await writer.ended;
});
