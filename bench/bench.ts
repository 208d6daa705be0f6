import { randomBytes } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from "../packages/server/src/platform/database/embedded/index.ts";
import { withClient } from "../packages/server/src/platform/database/pool.ts";
import { Child, cpuSeconds, freePort, residentMebibytes } from "./child.ts";
import type { LimitOrder, LimitResult } from "./limits.ts";
import { Load, PUBLIC_URL } from "./load.ts";
import {
  bareJob,
  type LimitName,
  MEASUREMENTS,
  type Measurement,
  pacedVerification,
} from "./measurements.ts";
import type { Options } from "./options.ts";
import { type DatabaseAddress, type Prepared, prepare } from "./prepare.ts";
import type { SeedSize } from "./seed.ts";

/** One measurement in one round. */
export interface Sample {
  operations: number;
  errors: number;
  firstError: string | null;
  seconds: number;
  cpuSeconds: number;
  p50: number;
  p99: number;
  /** Of the verification beside it, milliseconds. */
  besideP99?: number;
}

export interface Site {
  name: "small" | "large";
  size: SeedSize;
}

export interface ProcessFacts {
  /** From the start of the program to `/readyz`, with a database that was set up before. */
  readySeconds: number;
  /** MiB, without any request for ten seconds. */
  idleMebibytes: number;
}

export interface Results {
  sites: Site[];
  /** One sample a round. */
  limits: Partial<Record<LimitName, Sample[]>>;
  operations: { measurement: Measurement; site: Site; samples: Sample[] }[];
  process: ProcessFacts | null;
}

const SMALL: Site = { name: "small", size: { users: 1_000, tenants: 1 } };
const WARM_UP_SECONDS = 2;
/** What a request leaves to be done (audit entries are sealed after 0.2 s) belongs to its cost. */
const SETTLE_MILLISECONDS = 400;
const IDLE_MILLISECONDS = 10_000;

/** Runs everything that the options ask for. Leaves nothing running and nothing on the disk. */
export async function bench(options: Options, say: (message: string) => void): Promise<Results> {
  await using ends = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), "ostiary-bench-"));
  ends.defer(() => rm(directory, { recursive: true, force: true }));
  const postgres = await startEmbeddedPostgres({ dataDirectory: directory, log: () => {} });
  ends.defer(async () => {
    await postgres.stop();
    await rm(postgres.directory, { recursive: true, force: true });
  });
  const chosen = MEASUREMENTS.filter(({ name }) => options.only?.has(name) ?? true);
  const large: Site = { name: "large", size: { users: options.users, tenants: options.tenants } };
  const sites = options.quick || options.profile ? [SMALL] : [SMALL, large];
  const masterKey = randomBytes(32);
  const results: Results = { sites, limits: {}, operations: [], process: null };

  if (chosen.length > 0)
    await measure({ options, sites, chosen, postgres, directory, masterKey, results, say });
  else await prepare(postgres.connection, masterKey, SMALL.size, say);
  if (!options.profile && (options.only?.has("process") ?? true)) {
    say("measuring start and memory");
    await postgres.stop();
    results.process = await measureProcess(directory, masterKey, options.quick ? 500 : IDLE_MILLISECONDS);
  }
  return results;
}

interface Plan {
  options: Options;
  sites: Site[];
  chosen: Measurement[];
  postgres: EmbeddedPostgres;
  directory: string;
  masterKey: Buffer;
  results: Results;
  say: (message: string) => void;
}

/** Something that can be measured once a round. */
interface Course {
  label: string;
  samples: Sample[];
  run(seconds: number): Promise<Sample>;
}

async function measure(plan: Plan): Promise<void> {
  await using ends = new AsyncDisposableStack();
  const load = await Load.start();
  ends.defer(() => load.stop());
  const beside = await Load.start();
  ends.defer(() => beside.stop());
  const places: Place[] = [];
  for (const site of plan.sites) {
    const place = await openPlace(plan, site);
    ends.defer(() => place.server.stop());
    places.push(place);
  }
  const first = places[0];
  if (!first) throw new Error("there is nothing to measure");
  const courses: Course[] = [];
  for (const limit of new Set(plan.chosen.flatMap(({ needs }) => needs))) {
    const samples: Sample[] = [];
    plan.results.limits[limit] = samples;
    const child = await openLimit(limit, first);
    ends.defer(() => child.process.stop());
    if (child.port !== undefined)
      await load.define({ name: limit, port: child.port, ...bareJob(first.prepared) });
    const run = child.port === undefined ? runAlone : (seconds: number) => load.run(limit, seconds);
    courses.push({
      label: limit,
      samples,
      run: (seconds) => sampled(child.process, () => run(seconds, child.process)),
    });
  }
  for (const measurement of plan.chosen) {
    for (const { site, server, port, prepared } of places) {
      const name = `${measurement.name}/${site.name}`;
      await load.define({ name, port, ...measurement.job(prepared, port) });
      if (measurement.alongside) await beside.define({ name, port, ...pacedVerification(prepared) });
      const samples: Sample[] = [];
      plan.results.operations.push({ measurement, site, samples });
      const run = async (seconds: number): Promise<Sample> => {
        const pending = measurement.alongside ? beside.run(name, seconds) : undefined;
        const sample = await sampled(server, () => load.run(name, seconds));
        const other = await pending;
        if (!other) return sample;
        const { errors, firstError } = other;
        return {
          ...sample,
          errors: sample.errors + errors,
          firstError: sample.firstError ?? firstError,
          besideP99: other.p99,
        };
      };
      courses.push({ label: name, samples, run });
    }
  }
  await runRounds(plan, courses);
}

/** All courses in turn, again and again, so that what slows the machine down for a while slows all of them down. */
async function runRounds({ options, say }: Plan, courses: Course[]): Promise<void> {
  say("warming up");
  for (const course of courses) await course.run(options.quick ? 0.2 : WARM_UP_SECONDS);
  for (let round = 1; round <= options.rounds; round++) {
    say(`round ${round} of ${options.rounds}`);
    for (const course of courses) course.samples.push(await course.run(options.seconds));
  }
}

/** What a process did, and the CPU that it used for it. */
async function sampled({ pid }: Child, run: () => Promise<LimitResult & Partial<Sample>>): Promise<Sample> {
  const before = cpuSeconds(pid);
  const result = await run();
  await sleep(SETTLE_MILLISECONDS);
  return {
    errors: 0,
    firstError: null,
    p50: 0,
    p99: 0,
    ...result,
    cpuSeconds: cpuSeconds(pid) - before,
  };
}

function runAlone(seconds: number, child: Child): Promise<LimitResult> {
  return child.ask<LimitResult>({ seconds });
}

interface Place {
  site: Site;
  server: Child;
  port: number;
  prepared: Prepared;
  address: DatabaseAddress;
}

/** A seeded database and a server on it. */
async function openPlace(
  { postgres, directory, masterKey, options, say, sites }: Plan,
  site: Site,
): Promise<Place> {
  const database = site === sites.at(-1) ? postgres.connection.database : `bench_${site.name}`;
  const address = { ...postgres.connection, database };
  if (database !== postgres.connection.database) {
    await withClient(postgres.connection, (client) => client.execute(`create database ${database}`));
  }
  say(`seeding ${site.size.users} users in ${site.size.tenants} tenants`);
  const prepared = await prepare(address, masterKey, site.size, say);
  const port = await freePort();
  const profiler = options.profile ? ["--cpu-prof", "--cpu-prof-dir", options.out ?? "bench/results"] : [];
  const server = new Child("programs/server.ts", {
    nodeArgs: profiler,
    env: {
      ...serverEnvironment(directory, masterKey, port),
      DATABASE_URL: `postgres://${address.user}@localhost:${address.port}/${database}?host=${address.host}`,
    },
  });
  await server.answer();
  return { site, server, port, prepared, address };
}

/** As an operator would set it: everything at its default, behind a proxy that says from which address a request came. */
function serverEnvironment(directory: string, masterKey: Buffer, port: number): Record<string, string> {
  return {
    PORT: String(port),
    OSTIARY_PUBLIC_URL: PUBLIC_URL,
    OSTIARY_MASTER_KEY: masterKey.toString("hex"),
    OSTIARY_DATA_DIRECTORY: directory,
    OSTIARY_TRUSTED_PROXIES: "127.0.0.1",
  };
}

async function openLimit(
  limit: LimitName,
  { prepared, address }: Place,
): Promise<{ process: Child; port?: number }> {
  if (limit === "bare") {
    const child = new Child("programs/bare.ts");
    return { process: child, port: (await child.answer<{ port: number }>()).port };
  }
  const child = new Child("programs/limits.ts", { nodeArgs: ["--conditions=ostiary-source"] });
  await child.answer();
  const rotation = { ...prepared.rotation, database: address };
  await child.ask({ limit, rotation } satisfies LimitOrder);
  return { process: child };
}

/** The program as people start it, with its own database: the second start counts, as the first may set up. */
async function measureProcess(directory: string, masterKey: Buffer, idle: number): Promise<ProcessFacts> {
  let facts: ProcessFacts | undefined;
  for (const pause of [0, idle]) {
    const port = await freePort();
    const began = performance.now();
    const server = new Child("../packages/cli/dist/main.js", {
      args: ["serve"],
      env: serverEnvironment(directory, masterKey, port),
      quiet: true,
    });
    while (!(await isReady(port))) {
      if (server.hasEnded) throw new Error("`ostiary serve` ended before it was ready.");
      await sleep(10);
    }
    const readySeconds = (performance.now() - began) / 1000;
    await sleep(pause);
    facts = { readySeconds, idleMebibytes: residentMebibytes(server.pid) };
    await server.stop();
  }
  if (!facts) throw new Error("the server was not started");
  return facts;
}

async function isReady(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/readyz`).then(
    (answer) => answer.ok,
    () => false,
  );
}
