/** The load generator. It is told what to send once, and then how long; it answers what came back. */
import { setTimeout as sleep } from "node:timers/promises";
import { answerEach, tell } from "../child.ts";
import type { LoadJob, LoadMessage, LoadResult } from "../load.ts";
import { type HttpAnswer, HttpConnection } from "./http-connection.ts";
import { StrongSignIns } from "./strong-sign-in.ts";

/** What one connection does, one after the other. */
interface Lane {
  operate(connection: HttpConnection): Promise<HttpAnswer>;
}

interface Tally {
  operations: number;
  errors: number;
  firstError: string | null;
  /** Milliseconds of each request. */
  latencies: number[];
}

const jobs = new Map<string, { job: LoadJob; lanes: Lane[] }>();

function lanesOf(job: LoadJob): Lane[] {
  const { chain, signIn } = job;
  return Array.from({ length: job.connections }, (_, lane) => {
    if (signIn) return new StrongSignIns(signIn, lane, job.connections);
    if (chain) {
      const { template, first } = chain.lanes[lane % chain.lanes.length] ?? { template: "", first: "" };
      const pattern = new RegExp(chain.pattern);
      let value = first;
      return {
        operate: async (connection) => {
          const answer = await connection.send(template.replace("{value}", value));
          value = pattern.exec(answer.body)?.[1] ?? value; // what the next request needs
          return answer;
        },
      };
    }
    // Every lane walks through all requests, each from another place.
    let at = Math.floor((lane * job.requests.length) / job.connections);
    return { operate: (connection) => connection.send(job.requests[at++ % job.requests.length] ?? "") };
  });
}

function count(tally: Tally, job: LoadJob, answer: HttpAnswer, milliseconds: number): void {
  tally.latencies.push(milliseconds);
  const { status, text } = job.expect;
  if ([status].flat().includes(answer.status) && answer.body.includes(text)) {
    tally.operations++;
    return;
  }
  tally.errors++;
  tally.firstError ??= `${answer.status} ${answer.body.slice(0, 300)}`;
}

/** As fast as answers come: each connection sends its next request when it has the answer. */
async function flood(job: LoadJob, lanes: Lane[], seconds: number, tally: Tally): Promise<void> {
  const end = performance.now() + seconds * 1000;
  const runLane = async (lane: Lane) => {
    const connection = new HttpConnection(job.port);
    try {
      for (let began = performance.now(); began < end; began = performance.now()) {
        const answer = await lane.operate(connection);
        count(tally, job, answer, performance.now() - began);
      }
    } finally {
      connection.close();
    }
  };
  await Promise.all(lanes.map(runLane));
}

/**
 * At a steady rate, whether answers come or not; a latency begins when the request was due, so that a server that
 * stands still is not spared the requests that it would have got meanwhile.
 */
async function pace(job: LoadJob, lanes: Lane[], seconds: number, tally: Tally): Promise<void> {
  const period = 1000 / (job.rate ?? 100);
  const began = performance.now();
  const total = Math.floor((seconds * 1000) / period);
  let sent = 0;
  const runLane = async (lane: Lane) => {
    const connection = new HttpConnection(job.port);
    try {
      while (sent < total) {
        const due = began + sent++ * period;
        const wait = due - performance.now();
        if (wait > 0) await sleep(wait);
        const answer = await lane.operate(connection);
        count(tally, job, answer, performance.now() - due);
      }
    } finally {
      connection.close();
    }
  };
  await Promise.all(lanes.map(runLane));
}

/**
 * Keeps the event loop turning. Where the generator sleeps, every answer has to wake it, and on one machine that is
 * CPU time of whoever writes the answer: a slow server, whose client has time to sleep, would pay more for each write
 * than a quick one.
 */
function stayAwake(): () => void {
  let awake = true;
  const turn = () => {
    if (awake) setImmediate(turn);
  };
  turn();
  return () => {
    awake = false;
  };
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

async function run(name: string, seconds: number): Promise<LoadResult> {
  const known = jobs.get(name);
  if (!known) throw new Error(`no job ${name}`);
  const { job, lanes } = known;
  const tally: Tally = { operations: 0, errors: 0, firstError: null, latencies: [] };
  const began = performance.now();
  const sleepAgain = job.awake ? stayAwake() : undefined;
  await (job.rate === undefined ? flood : pace)(job, lanes, seconds, tally);
  sleepAgain?.();
  const sorted = tally.latencies.sort((a, b) => a - b);
  return {
    operations: tally.operations,
    errors: tally.errors,
    firstError: tally.firstError,
    seconds: (performance.now() - began) / 1000,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
  };
}

answerEach<LoadMessage>(async (message) => {
  if ("define" in message) {
    jobs.set(message.define.name, { job: message.define, lanes: lanesOf(message.define) });
    return { defined: true };
  }
  return run(message.run, message.seconds);
});
tell({ ready: true });
