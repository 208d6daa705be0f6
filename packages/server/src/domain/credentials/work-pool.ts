import { IdentityError } from "@ostiary/contracts";

export interface WorkPoolStatistics {
  /** Tasks being computed now. */
  running: number;
  /** Tasks waiting for a place. */
  queued: number;
  /** Tasks finished since the start, failed ones included. */
  completed: number;
  /** Tasks refused since the start because the queue was full. */
  refused: number;
}

export interface WorkPool {
  /** @throws IdentityError `credential.busy` at once when the queue is full. */
  run<T>(task: () => Promise<T>): Promise<T>;
  stats(): WorkPoolStatistics;
}

/**
 * Runs at most `concurrency` tasks at a time and lets at most `queueLimit` others wait, first come first served. A
 * waiting line without a bound would only turn an overload into time-outs for everybody.
 */
export function createWorkPool({
  concurrency,
  queueLimit,
}: {
  concurrency: number;
  queueLimit: number;
}): WorkPool {
  const waiting: (() => void)[] = [];
  let running = 0;
  let completed = 0;
  let refused = 0;

  async function run<T>(task: () => Promise<T>): Promise<T> {
    if (running < concurrency) {
      running++;
    } else if (waiting.length < queueLimit) {
      await new Promise<void>((resolve) => waiting.push(resolve)); // whoever finishes hands its place on
    } else {
      refused++;
      throw new IdentityError("credential.busy", { reason: `${queueLimit} already waiting`, retryAfter: 1 });
    }
    try {
      return await task();
    } finally {
      completed++;
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  }

  return { run, stats: () => ({ running, queued: waiting.length, completed, refused }) };
}
