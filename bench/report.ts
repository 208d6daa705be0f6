import { execFileSync } from "node:child_process";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import type { Results, Sample } from "./bench.ts";
import type { LimitName, Rates } from "./measurements.ts";
import type { Options } from "./options.ts";

/** One line of the table. Rates are operations a second. */
export interface Line {
  title: string;
  /** Users and tenants of its database; null for limits. */
  size: { users: number; tenants: number } | null;
  perCpuSecond: number;
  /** The lowest and highest round. */
  range: [number, number];
  perSecond: number;
  p50: number;
  p99: number;
  errors: number;
  comparison: { limit: string; ratio: number; goal: number | null } | null;
}

/** Something besides the rates that has a goal. */
export interface Fact {
  title: string;
  value: string;
  goal: string;
  reached: boolean;
}

export interface Report {
  date: string;
  commit: string;
  environment: Record<string, string>;
  lines: Line[];
  facts: Fact[];
  firstError: string | null;
}

const LIMIT_TITLES: Record<LimitName, string> = {
  bare: "limit: bare node:http JSON POST",
  argon2id: "limit: argon2id alone",
  ES256: "limit: ES256 signature alone",
  RS256: "limit: RS256 signature alone",
  rotation: "limit: rotation statement alone",
};

/** Parts by which a rate may fall from the small to the large database. */
const FLAT = 0.8;
const BESIDE_MILLISECONDS = 20;
const IDLE_MEBIBYTES = 150;
const READY_SECONDS = 3;

export function makeReport(results: Results, options: Options): Report {
  const limits = Object.entries(results.limits) as [LimitName, Sample[]][];
  const samples = [...limits.map(([, some]) => some), ...results.operations.map((one) => one.samples)].flat();
  return {
    date: new Date().toISOString(),
    commit: commit(),
    environment: environment(options),
    lines: [
      ...limits.map(([name, some]) => lineOf(LIMIT_TITLES[name], null, some, null)),
      ...results.operations.map(({ measurement, site, samples: some }) =>
        lineOf(measurement.title, site.size, some, {
          limit: measurement.limitTitle,
          goal: measurement.goal,
          ratio: median(
            some.map((sample, round) => perCpu(sample) / measurement.limit(ratesOf(results, round))),
          ),
        }),
      ),
    ],
    facts: [...besideFacts(results), ...flatFacts(results), ...processFacts(results)],
    firstError: samples.find(({ firstError }) => firstError !== null)?.firstError ?? null,
  };
}

const perCpu = ({ operations, cpuSeconds }: Sample): number => operations / Math.max(cpuSeconds, 0.001);

function ratesOf({ limits }: Results, round: number): Rates {
  const rate = (name: LimitName) => {
    const sample = limits[name]?.[round];
    return sample ? perCpu(sample) : Number.NaN;
  };
  return {
    bare: rate("bare"),
    argon2id: rate("argon2id"),
    ES256: rate("ES256"),
    RS256: rate("RS256"),
    rotation: rate("rotation"),
  };
}

function lineOf(
  title: string,
  size: Line["size"],
  samples: readonly Sample[],
  comparison: Line["comparison"],
): Line {
  const rates = samples.map(perCpu);
  return {
    title,
    size,
    perCpuSecond: median(rates),
    range: [Math.min(...rates), Math.max(...rates)],
    perSecond: median(samples.map(({ operations, seconds }) => operations / seconds)),
    p50: median(samples.map(({ p50 }) => p50)),
    p99: median(samples.map(({ p99 }) => p99)),
    errors: samples.reduce((sum, { errors }) => sum + errors, 0),
    comparison,
  };
}

function besideFacts({ operations }: Results): Fact[] {
  return operations
    .filter(({ measurement }) => measurement.alongside)
    .map(({ measurement, site, samples }) => {
      const milliseconds = median(samples.map(({ besideP99 }) => besideP99 ?? 0));
      return {
        title: `verification beside: ${measurement.title}, p99, ${site.size.users} users`,
        value: `${milliseconds.toFixed(1)} ms`,
        goal: `< ${BESIDE_MILLISECONDS} ms`,
        reached: milliseconds < BESIDE_MILLISECONDS,
      };
    });
}

function flatFacts({ operations, sites }: Results): Fact[] {
  const [small, large] = sites;
  if (!small || !large) return [];
  return operations
    .filter(({ site }) => site === large)
    .map(({ measurement, samples }) => {
      const others = operations.find((one) => one.site === small && one.measurement === measurement)?.samples;
      const ratio = median(
        samples.map((sample, round) => perCpu(sample) / perCpu(others?.[round] ?? sample)),
      );
      return {
        title: `${measurement.title}: large ÷ small database`,
        value: ratio.toFixed(2),
        goal: `≥ ${FLAT}`,
        reached: ratio >= FLAT,
      };
    });
}

function processFacts({ process: facts }: Results): Fact[] {
  if (!facts) return [];
  const { readySeconds, idleMebibytes } = facts;
  return [
    {
      title: "memory of the idle server process",
      value: `${idleMebibytes.toFixed(0)} MiB`,
      goal: `≤ ${IDLE_MEBIBYTES} MiB`,
      reached: idleMebibytes <= IDLE_MEBIBYTES,
    },
    {
      title: "warm start until ready",
      value: `${readySeconds.toFixed(2)} s`,
      goal: `≤ ${READY_SECONDS} s`,
      reached: readySeconds <= READY_SECONDS,
    },
  ];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

function git(...args: string[]): string {
  try {
    return execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "";
  }
}

function commit(): string {
  const changed = git("status", "--porcelain", "--untracked-files=no", "packages") !== "";
  return `${git("rev-parse", "--short", "HEAD") || "unknown"}${changed ? "-modified" : ""}`;
}

function environment(options: Options): Record<string, string> {
  const model = cpus()[0]?.model ?? "unknown";
  return {
    processor: `${availableParallelism()} × ${model}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${process.platform} ${release()}`,
    node: process.version,
    database: "embedded PostgreSQL, durable, on the same machine",
    method: `${options.rounds} rounds of ${options.seconds} s; medians`,
  };
}
