import type { Queryable } from "../database/types.ts";

/** How often something happened, and until when it is remembered (milliseconds since 1970). */
export interface Counter {
  points: number;
  expiresAt: number;
}

/** Counters by key. Times are milliseconds since 1970. */
export interface CounterStore {
  /** Those that are alive. */
  read(keys: readonly string[], now: number): Promise<Map<string, Counter>>;
  /**
   * Counts one point. A counter lives for `duration` from its first point; reaching `limit` starts that time anew,
   * so that the block is as long as the window.
   */
  add(key: string, limit: number, duration: number, now: number): Promise<Counter>;
  remove(key: string): Promise<void>;
}

/** Keys that one process remembers; the oldest go first. */
const CAPACITY = 100_000;

/** For one process. */
export function memoryCounters(): CounterStore {
  const counters = new Map<string, Counter>();
  const alive = (key: string, now: number) => {
    const counter = counters.get(key);
    return counter && counter.expiresAt > now ? counter : undefined;
  };
  return {
    read: async (keys, now) => {
      const found = new Map<string, Counter>();
      for (const key of keys) {
        const counter = alive(key, now);
        if (counter) found.set(key, counter);
      }
      return found;
    },
    add: async (key, limit, duration, now) => {
      const before = alive(key, now);
      const points = (before?.points ?? 0) + 1;
      const expiresAt = before && points !== limit ? before.expiresAt : now + duration;
      const counter = { points, expiresAt };
      counters.delete(key); // so that it becomes the newest
      counters.set(key, counter);
      if (counters.size > CAPACITY) counters.delete(counters.keys().next().value ?? key);
      return counter;
    },
    remove: async (key) => void counters.delete(key),
  };
}

/** Expired rows are removed this often by each process, in milliseconds. */
const CLEANING_INTERVAL = 300_000;

/** For all processes: one statement counts, so two at once count two. */
export function postgresCounters(database: Queryable): CounterStore {
  let cleanedAt = 0;
  const clean = (now: number) => {
    if (now - cleanedAt < CLEANING_INTERVAL) return;
    cleanedAt = now;
    // Nobody waits for it, and what a failure leaves goes next time.
    database.query("delete from rate_limits where expire <= $1", [now]).catch(() => {});
  };
  return {
    read: async (keys, now) => {
      const rows = await database.query<Counter & { key: string }>(
        `select key, points, expire as "expiresAt" from rate_limits where key = any($1) and expire > $2`,
        [keys, now],
      );
      return new Map(rows.map(({ key, points, expiresAt }) => [key, { points, expiresAt }]));
    },
    add: async (key, limit, duration, now) => {
      const [row] = await database.query<Counter>(
        `insert into rate_limits as r (key, points, expire) values ($1, 1, $2::bigint + $3::bigint)
         on conflict (key) do update
            set points = case when r.expire <= $2 then 1 else r.points + 1 end,
                expire = case when r.expire <= $2 or r.points + 1 = $4 then $2::bigint + $3::bigint else r.expire end
         returning points, expire as "expiresAt"`,
        [key, now, duration, limit],
      );
      clean(now);
      if (!row) throw new Error("counting returned no row");
      return row;
    },
    remove: async (key) => {
      await database.query("delete from rate_limits where key = $1", [key]);
    },
  };
}
