import type { FastifyBaseLogger } from "fastify";

type Level = "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";

/**
 * A request's logger: its lines carry the trace id, as those of pino's child. The child is made with the first line,
 * because most requests write none and a child with redaction costs 4 % of a token verification.
 */
class RequestLogger {
  readonly #parent: FastifyBaseLogger;
  readonly #bindings: object;
  #child: FastifyBaseLogger | undefined;

  constructor(parent: FastifyBaseLogger, bindings: object) {
    this.#parent = parent;
    this.#bindings = bindings;
  }

  get level(): string {
    return this.#parent.level;
  }

  fatal(...line: unknown[]): void {
    this.#write("fatal", line);
  }
  error(...line: unknown[]): void {
    this.#write("error", line);
  }
  warn(...line: unknown[]): void {
    this.#write("warn", line);
  }
  info(...line: unknown[]): void {
    this.#write("info", line);
  }
  debug(...line: unknown[]): void {
    this.#write("debug", line);
  }
  trace(...line: unknown[]): void {
    this.#write("trace", line);
  }
  silent(): void {}

  child(...args: Parameters<FastifyBaseLogger["child"]>): FastifyBaseLogger {
    return this.#open().child(...args);
  }

  #write(level: Level, line: unknown[]): void {
    const child = this.#open();
    Reflect.apply(child[level], child, line);
  }

  #open(): FastifyBaseLogger {
    this.#child ??= this.#parent.child(this.#bindings);
    return this.#child;
  }
}

/** Fastify's `childLoggerFactory`. A route's own `logLevel` is not supported; we have none. */
export function requestLogger(logger: FastifyBaseLogger, bindings: object): FastifyBaseLogger {
  return new RequestLogger(logger, bindings) as FastifyBaseLogger;
}
