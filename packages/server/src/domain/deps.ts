import type { ChangeFeed } from "../kernel/changes.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Logger, MessageSender, PasswordHasher, RateLimits, Secrets } from "../kernel/ports.ts";
import type { Database } from "../platform/database/types.ts";

/** What every rule may use. Made once by `compose.ts`; tests make one with `testDeps()`. */
export interface Deps {
  database: Database;
  clock: Clock;
  secrets: Secrets;
  hasher: PasswordHasher;
  limits: RateLimits;
  sender: MessageSender;
  feed: ChangeFeed;
  log: Logger;
  /** Without trailing slash, e.g. `https://id.example.com`. */
  publicUrl: string;
}
