interface Waiting<In, Out> {
  item: In;
  key: string;
  resolve: (out: Out) => void;
  reject: (error: unknown) => void;
}

/**
 * Does many small writes as a few large ones, without making anybody wait for company: an item that finds a free
 * place is done at once, alone; those that come while all places are taken go together in the next batch. Each is
 * answered when its batch is committed.
 */
export class Batches<In, Out> {
  readonly #waiting: Waiting<In, Out>[] = [];
  readonly #places: number;
  readonly #size: number;
  readonly #keyOf: (item: In) => string;
  #running = 0;

  /**
   * @param options.places - batches that run at a time; more than one, so that a batch that waits for a lock does
   *   not hold up everybody.
   * @param options.size - items of one batch, at most.
   * @param options.keyOf - items with the same key never go in one batch: they are done one after the other.
   */
  constructor(options: { places: number; size: number; keyOf: (item: In) => string }) {
    this.#places = options.places;
    this.#size = options.size;
    this.#keyOf = options.keyOf;
  }

  /**
   * @param run - does a batch; its results are in the order of the items. When it fails, all of them fail. The one
   *   that the first item of a batch came with is called.
   */
  submit(item: In, run: (items: In[]) => Promise<Out[]>): Promise<Out> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, key: this.#keyOf(item), resolve, reject });
      this.#start(run);
    });
  }

  #start(run: (items: In[]) => Promise<Out[]>): void {
    if (this.#running === this.#places || this.#waiting.length === 0) return;
    const batch = this.#take();
    this.#running += 1;
    run(batch.map(({ item }) => item))
      .then(
        (results) => {
          for (const [i, { resolve }] of batch.entries()) resolve(results[i] as Out);
        },
        (error: unknown) => {
          for (const { reject } of batch) reject(error);
        },
      )
      .finally(() => {
        this.#running -= 1;
        this.#start(run);
      });
  }

  /** The oldest items, each key once; those that are passed over keep their turn. */
  #take(): Waiting<In, Out>[] {
    const keys = new Set<string>();
    const batch: Waiting<In, Out>[] = [];
    const left: Waiting<In, Out>[] = [];
    for (const waiting of this.#waiting) {
      if (batch.length === this.#size || keys.has(waiting.key)) left.push(waiting);
      else {
        keys.add(waiting.key);
        batch.push(waiting);
      }
    }
    this.#waiting.splice(0, this.#waiting.length, ...left);
    return batch;
  }
}
