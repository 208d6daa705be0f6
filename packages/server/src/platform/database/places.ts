/** As the driver says it, so that it is told to clients alike: the server is busy. */
const TIMEOUT = "timeout exceeded when trying to connect";

/**
 * Lets at most so many in at a time; the others wait in line.
 *
 * Transactions need it: while one is open, what must be true whatever becomes of it (a counted attempt, an audit
 * entry of a refusal) and what is looked up for a cache goes over another connection. If transactions could take all
 * connections, those that need a second one would wait for each other.
 */
export class Places {
  #free: number;
  readonly #milliseconds: number;
  readonly #line: Set<() => void> = new Set();

  constructor(count: number, milliseconds: number) {
    this.#free = count;
    this.#milliseconds = milliseconds;
  }

  /** @throws Error when no place became free in time. */
  enter(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const called = () => {
        clearTimeout(timer);
        this.#line.delete(called);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#line.delete(called);
        reject(new Error(TIMEOUT));
      }, this.#milliseconds);
      this.#line.add(called);
    });
  }

  leave(): void {
    const [next] = this.#line;
    if (next) next();
    else this.#free += 1;
  }
}
