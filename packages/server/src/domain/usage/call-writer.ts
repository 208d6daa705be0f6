import { IdentityError } from "@ostiary/contracts";
import { type Deps, onePerServer } from "../deps.ts";
import { ensurePartition, insertCalls, type NewBatch } from "./call.store.ts";

/** Calls of one statement at most (a single batch may be larger). */
const GROUP = 2_000;
/** Statements under way at a time: one commits while the next is written. */
const WRITERS = 2;
/** Calls that may wait; a report beyond it is refused, to be sent again. */
const MAXIMUM_WAITING = 50_000;

interface Waiting {
  batch: NewBatch;
  /** True when it was counted now, false when it had been before. */
  resolve: (counted: boolean) => void;
  reject: (error: unknown) => void;
}

/**
 * Commits batches in groups: whatever arrives while a statement is under way goes into the next one. Nobody is told
 * "accepted" before the commit.
 */
class CallWriter {
  readonly #deps: Deps;
  #waiting: Waiting[] = [];
  #calls = 0;
  #running = 0;
  /** A key may be in one statement at a time only. */
  readonly #keys = new Map<string, Promise<boolean>>();
  #days = new Set<string>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async add(batch: NewBatch): Promise<boolean> {
    const { once } = batch;
    if (!once) return this.#enqueue(batch);
    const name = JSON.stringify([batch.tenantId, once.reporter, once.key]);
    for (let other = this.#keys.get(name); other; other = this.#keys.get(name)) await other.catch(() => {});
    const counted = this.#enqueue(batch).finally(() => this.#keys.delete(name));
    this.#keys.set(name, counted);
    return counted;
  }

  #enqueue(batch: NewBatch): Promise<boolean> {
    if (this.#calls + batch.calls.length > MAXIMUM_WAITING) {
      return Promise.reject(new IdentityError("usage.busy", { retryAfter: 1 }));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, resolve, reject });
      this.#calls += batch.calls.length;
      // The next tick: what arrived together is written together.
      if (this.#running < WRITERS) setImmediate(() => this.#start());
    });
  }

  #start(): void {
    if (this.#running >= WRITERS || this.#waiting.length === 0) return;
    this.#running += 1;
    const group = this.#takeGroup();
    void this.#write(group).finally(() => {
      this.#running -= 1;
      this.#start();
    });
  }

  #takeGroup(): Waiting[] {
    let calls = 0;
    let count = 0;
    for (const { batch } of this.#waiting) {
      if (count > 0 && calls + batch.calls.length > GROUP) break;
      calls += batch.calls.length;
      count += 1;
    }
    this.#calls -= calls;
    return this.#waiting.splice(0, count);
  }

  async #write(group: readonly Waiting[]): Promise<void> {
    const { clock, database } = this.#deps;
    try {
      const now = clock.now();
      await this.#ensureDay(now);
      const counted = await insertCalls(
        database,
        group.map(({ batch }) => batch),
        now,
      );
      for (const [index, { resolve }] of group.entries()) resolve(counted.has(index));
    } catch (error) {
      // Nobody pays for another one's data.
      if (group.length > 1 && isAboutData(error)) for (const one of group) await this.#write([one]);
      else for (const { reject } of group) reject(error);
    }
  }

  async #ensureDay(now: Date): Promise<void> {
    const day = now.toISOString().slice(0, 10);
    if (this.#days.has(day)) return;
    await ensurePartition(this.#deps.database, now);
    this.#days = new Set([...this.#days, day].slice(-3));
  }
}

/** SQLSTATE class 22, data exception, and 54, program limit exceeded. */
function isAboutData(error: unknown): boolean {
  return error instanceof Error && "code" in error && /^(?:22|54)/.test(String(error.code));
}

const writerOf = onePerServer((deps) => new CallWriter(deps));

/**
 * Keeps a batch; returns after the commit.
 *
 * @returns false when the batch had been counted before, under its key.
 * @throws IdentityError `usage.busy`
 */
export function writeBatch(deps: Deps, batch: NewBatch): Promise<boolean> {
  return writerOf(deps).add(batch);
}
