import { AsyncLocalStorage } from "node:async_hooks";
import type { BkLogger } from "./log.ts";

/** The form of an IANA name. Paths, offsets and whatever else Intl might take are none. */
const NAME = /^[A-Za-z][A-Za-z0-9_+-]{0,30}(\/[A-Za-z0-9_+-]{1,30}){0,3}$/;
const zones = new AsyncLocalStorage<string>();

/** Whether `name` is a time zone this runtime knows, such as `Asia/Shanghai` or `UTC`. */
export function isTimeZone(name: unknown): name is string {
  if (typeof name !== "string" || !NAME.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Whose zone it is about: a `User`, a row with the attributes of a login, or nobody. */
export interface ZonedUser {
  isAuthenticated?: boolean;
  timeZone?: string | null;
}

/**
 * The zone to show times in to a user: theirs, or `fallback` when they have none or one that does not exist (then with a
 * warning). undefined for nobody, whose times the application shows as it always does.
 */
export function timeZoneOf(user: ZonedUser, fallback: string, logger?: BkLogger): string | undefined {
  if (user.isAuthenticated === false) return undefined;
  if (!user.timeZone) return fallback;
  if (isTimeZone(user.timeZone)) return user.timeZone;
  logger?.warn("a user's time zone does not exist; the default is used");
  return fallback;
}

/** Runs `work`, and all it waits for, in the user's zone: `currentTimeZone()` then tells it. Ends with the request. */
export function runInTimeZone<T>(user: ZonedUser, fallback: string, work: () => T, logger?: BkLogger): T {
  const zone = timeZoneOf(user, fallback, logger);
  return zone === undefined ? work() : zones.run(zone, work);
}

/** The zone of the request this is called from; undefined outside `runInTimeZone`. */
export function currentTimeZone(): string | undefined {
  return zones.getStore();
}
