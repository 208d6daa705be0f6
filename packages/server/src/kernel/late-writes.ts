/** When one thing of one tenant was last used. */
export interface LatestTime {
  tenantId: string;
  id: string;
  at: Date;
}

/**
 * Collects in memory what will be said again soon anyhow (when something was last used, that it is alive), the latest of
 * each thing, and hands it over in groups: one statement for many, and never a write in the request that caused it. A
 * crash loses at most one period; a failed write is dropped, as the next use repeats it.
 */
export class LateWrites<Item> {
  readonly #write: (items: readonly Item[]) => Promise<void>;
  readonly #onError: (error: unknown) => void;
  readonly #delayMilliseconds: number;
  #pending = new Map<string, Item>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    delayMilliseconds: number,
    write: (items: readonly Item[]) => Promise<void>,
    onError: (error: unknown) => void,
  ) {
    this.#delayMilliseconds = delayMilliseconds;
    this.#write = write;
    this.#onError = onError;
  }

  /** @param key - of the thing: what was noted of it before and is not written yet is replaced. */
  note(key: string, item: Item): void {
    this.#pending.set(key, item);
    this.#timer ??= setTimeout(() => void this.flush(), this.#delayMilliseconds).unref();
  }

  /** What was noted and is not written yet. */
  pending(key: string): Item | undefined {
    return this.#pending.get(key);
  }

  forget(key: string): void {
    this.#pending.delete(key);
  }

  /** Writes what is there, after what is being written; called by the timer, and once when the server stops. Never throws. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const items = [...this.#pending.values()];
    this.#pending = new Map();
    if (items.length > 0) this.#writing = this.#writing.then(() => this.#write(items)).catch(this.#onError);
    await this.#writing;
  }
}
