/**
 * A bounded in-process cache with a loader. It is kept right from outside: whoever hears of a change calls
 * `invalidate`. A load that was under way when its key was invalidated is answered but not kept, so a value
 * read before the change's commit can never outlive the change's notice. Concurrent loads of one key are one load.
 *
 * @typeParam V - never `undefined`; use `null` for "known not to exist".
 */
export class LoadingCache<V extends NonNullable<unknown> | null> {
  readonly #values = new Map<string, V>();
  readonly #loads = new Map<string, { promise: Promise<V>; stale: boolean }>();
  readonly #capacity: number;
  readonly #isEnabled: () => boolean;

  /**
   * @param capacity - entries kept; the oldest entry goes first (insertion order: a hit costs one map look-up).
   * @param isEnabled - `false` while change notices cannot arrive: nothing is kept then.
   */
  constructor(capacity: number, isEnabled: () => boolean = () => true) {
    this.#capacity = capacity;
    this.#isEnabled = isEnabled;
  }

  /** The kept value, without loading. */
  peek(key: string): V | undefined {
    return this.#values.get(key);
  }

  /** The kept value, or the loader's. Errors of the loader go to every caller that waits and are not kept. */
  get(key: string, load: (key: string) => Promise<V>): V | Promise<V> {
    const value = this.#values.get(key);
    if (value !== undefined) return value;
    const running = this.#loads.get(key);
    if (running) return running.promise;
    return this.#load(key, load);
  }

  invalidate(key: string): void {
    this.#values.delete(key);
    const running = this.#loads.get(key);
    if (running) {
      running.stale = true;
      this.#loads.delete(key);
    }
  }

  /** Drops every entry for which `matches` holds; loads under way are not kept either. */
  invalidateWhere(matches: (value: V) => boolean): void {
    for (const [key, value] of this.#values) if (matches(value)) this.#values.delete(key);
    this.#abandonLoads();
  }

  clear(): void {
    this.#values.clear();
    this.#abandonLoads();
  }

  get size(): number {
    return this.#values.size;
  }

  #abandonLoads(): void {
    for (const running of this.#loads.values()) running.stale = true;
    this.#loads.clear();
  }

  #load(key: string, load: (key: string) => Promise<V>): Promise<V> {
    const running: { promise: Promise<V>; stale: boolean } = {
      stale: false,
      promise: load(key).then(
        (value) => {
          if (!running.stale) {
            this.#loads.delete(key);
            if (this.#isEnabled()) this.#keep(key, value);
          }
          return value;
        },
        (error: unknown) => {
          if (!running.stale) this.#loads.delete(key);
          throw error;
        },
      ),
    };
    this.#loads.set(key, running);
    return running.promise;
  }

  #keep(key: string, value: V): void {
    if (this.#values.size >= this.#capacity) {
      const oldest = this.#values.keys().next();
      if (!oldest.done) this.#values.delete(oldest.value);
    }
    this.#values.set(key, value);
  }
}
