import { createHash } from "node:crypto";
import type { Clock } from "../../kernel/clock.ts";
import type { LimitRule, Logger, RateLimits } from "../../kernel/ports.ts";
import type { Queryable } from "../database/types.ts";
import { type Counter, type CounterStore, memoryCounters, postgresCounters } from "./counter-store.ts";

export interface RateLimitSettings {
  /** `postgres`: all processes count together; `memory`: each for itself. */
  kind: "postgres" | "memory";
  database: Queryable;
  clock: Clock;
  log: Logger;
}

/**
 * Counts failures per rule and key (docs/decisions/0009-rate-limits.md).
 *
 * When the database does not answer this process counts for itself: open would let guessers in while it is
 * overloaded, closed would lock everybody out.
 */
export function createRateLimits({ kind, database, clock, log }: RateLimitSettings): RateLimits {
  const own = memoryCounters();
  const shared = kind === "postgres" ? postgresCounters(database) : own;
  const storeOf = ({ local }: LimitRule) => (local ? own : shared);
  const withFallback = async <T>(run: (store: CounterStore) => Promise<T>, store = shared): Promise<T> => {
    try {
      return await run(store);
    } catch (error) {
      log.warn({ err: error }, "counting in memory: the rate limits' table does not answer");
      return run(own);
    }
  };
  const now = () => clock.now().getTime();
  const secondsLeft = ({ expiresAt }: Counter) => Math.max(1, Math.ceil((expiresAt - now()) / 1000));
  return {
    look: async (wanted) => {
      const names = wanted.map(({ limit, key }) => nameOf(limit, key));
      const counters = await withFallback((store) => store.read(names, now()));
      return wanted.map(({ limit }, i) => {
        const counter = counters.get(names[i] ?? "");
        if (!counter) return { points: 0, seconds: 0 };
        const { points } = counter;
        return { points, seconds: points >= limit.points ? secondsLeft(counter) : 0 };
      });
    },
    consume: async (rule, key) => {
      const counter = await withFallback(
        (store) => store.add(nameOf(rule, key), rule.points, rule.seconds * 1000, now()),
        storeOf(rule),
      );
      return counter.points > rule.points ? secondsLeft(counter) : 0;
    },
    reset: async (rule, key) => {
      await withFallback((store) => store.remove(nameOf(rule, key)), storeOf(rule));
    },
  };
}

/** Keys carry what people type (identifiers, addresses), so they are hashed: of one length, and not readable. */
function nameOf(rule: LimitRule, key: string): string {
  return `${rule.name}:${createHash("sha256").update(key).digest("base64url")}`;
}
