import type { ChangeFeed } from "../kernel/changes.ts";
import type { Clock } from "../kernel/clock.ts";
import type {
  Logger,
  MessageSender,
  OutgoingCalls,
  PasswordHasher,
  RateLimits,
  Secrets,
} from "../kernel/ports.ts";
import type { Database, Transaction } from "../platform/database/types.ts";

/** What every rule may use. Made once by `compose.ts`; tests make one with `testDeps()`. */
export interface Deps {
  database: Database;
  clock: Clock;
  secrets: Secrets;
  hasher: PasswordHasher;
  limits: RateLimits;
  sender: MessageSender;
  outgoing: OutgoingCalls;
  feed: ChangeFeed;
  log: Logger;
  /** Passwords that attackers know; asked where a tenant's policy says so. */
  breachedPasswords?: { isBreached(password: string): Promise<boolean> };
  /** Origins of further sites whose pages may use passkeys, e.g. `https://login.example.org`. */
  passkeyOrigins?: readonly string[];
  /** Without trailing slash, e.g. `https://id.example.com`. */
  publicUrl: string;
}

/** The same dependencies with every statement in `tx`: domain functions called with them join the transaction. */
export function within(deps: Deps, tx: Transaction): Deps {
  return { ...deps, database: tx };
}

/** Whether the statements of these dependencies run in a transaction. What it reads may never become true. */
export function isJoined(deps: Deps): boolean {
  return "isTransaction" in deps.database;
}

/** The dependencies without the transaction: for work that goes on after it. */
export function outsideTransaction(deps: Deps): Deps {
  return "isTransaction" in deps.database
    ? { ...deps, database: (deps.database as Transaction).outer }
    : deps;
}

/**
 * One `T` for each running server. The change feed stands for the server: dependencies that have joined a
 * transaction are another object each time.
 *
 * @param create - is given the dependencies of whoever asks first, without a transaction.
 */
export function onePerServer<T>(create: (deps: Deps) => T): (deps: Deps) => T {
  const made = new WeakMap<ChangeFeed, { value: T }>();
  return (deps) => {
    let one = made.get(deps.feed);
    if (!one) {
      one = { value: create(outsideTransaction(deps)) };
      made.set(deps.feed, one);
    }
    return one.value;
  };
}

/**
 * One cache for each running server, kept right by its change feed: empty after a gap, and keeping nothing while
 * notices do not arrive.
 *
 * @param create - hands `isLive` on to the cache.
 * @param onChange - invalidates what a changed thing is part of.
 */
export function cachePerServer<Cache extends { clear(): void }>(
  create: (isLive: () => boolean) => Cache,
  onChange: (cache: Cache, noun: string, id: string) => void,
): (deps: Deps) => Cache {
  return onePerServer(({ feed }) => {
    const cache = create(() => feed.live);
    feed.subscribe({
      onChange: (noun, id) => onChange(cache, noun, id),
      onGap: () => cache.clear(),
    });
    return cache;
  });
}
