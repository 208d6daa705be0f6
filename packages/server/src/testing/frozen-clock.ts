import { addSeconds, type Clock } from "../kernel/clock.ts";

export interface FrozenClock extends Clock {
  advance(seconds: number): void;
}

/** A clock that stands still until the test moves it. */
export function frozenClock(iso = "2026-01-01T00:00:00Z"): FrozenClock {
  let now = new Date(iso);
  return {
    now: () => now,
    advance: (seconds) => {
      now = addSeconds(now, seconds);
    },
  };
}
