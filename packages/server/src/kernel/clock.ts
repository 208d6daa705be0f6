/** The only source of time in the server, so that tests freeze it and `--clock-control` moves it. */
export interface Clock {
  /** Now, as a Date (milliseconds). */
  now(): Date;
}

/** Seconds since 1970-01-01T00:00:00Z, rounded down: the NumericDate of RFC 7519 §2. */
export function numericDate(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

export function addSeconds(date: Date, seconds: number): Date {
  return new Date(date.getTime() + seconds * 1000);
}

/** The system's clock plus an offset that `--clock-control` may advance (ephemeral servers only). */
export class AdjustableClock implements Clock {
  #offsetMilliseconds = 0;

  now(): Date {
    return new Date(Date.now() + this.#offsetMilliseconds);
  }

  advance(seconds: number): void {
    this.#offsetMilliseconds += seconds * 1000;
  }
}
