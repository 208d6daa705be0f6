/** When one thing of one tenant was last used. */
export interface LatestTime {
  tenantId: string;
  id: string;
  at: Date;
}

/**
 * Collects "last used" times in memory and hands them over in groups: one statement for many, and never a write in
 * the request that caused it. A crash loses at most one period; a failed write is dropped, as the next use repeats it.
 */
export class LatestTimes {
  readonly #write: (times: readonly LatestTime[]) => Promise<void>;
  readonly #onError: (error: unknown) => void;
  readonly #delayMilliseconds: number;
  #pending = new Map<string, LatestTime>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    delayMilliseconds: number,
    write: (times: readonly LatestTime[]) => Promise<void>,
    onError: (error: unknown) => void,
  ) {
    this.#delayMilliseconds = delayMilliseconds;
    this.#write = write;
    this.#onError = onError;
  }

  note(tenantId: string, id: string, at: Date): void {
    const known = this.#pending.get(id);
    if (known) known.at = at;
    else this.#pending.set(id, { tenantId, id, at });
    this.#timer ??= setTimeout(() => void this.flush(), this.#delayMilliseconds).unref();
  }

  /** The noted time that is not written yet. */
  pending(id: string): Date | undefined {
    return this.#pending.get(id)?.at;
  }

  /** Writes what is there; called by the timer, and once when the server stops. Never throws. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.size === 0) return;
    const times = [...this.#pending.values()];
    this.#pending = new Map();
    await this.#write(times).catch(this.#onError);
  }
}
