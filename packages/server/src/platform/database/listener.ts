import pg from "pg";
import type { ChangeFeed } from "../../kernel/changes.ts";
import type { Logger } from "../../kernel/ports.ts";
import { CHANGES_CHANNEL, publishPayload } from "./notices.ts";
import { type ConnectionSettings, clientConfig } from "./pool.ts";

const RETRY_MILLISECONDS = 200;
/** A half-open connection (cable pulled) is found by asking; a dead one reports itself at once. */
const HEARTBEAT_MILLISECONDS = 5_000;

/**
 * Keeps one listening connection and publishes every notice to the feed. While the connection is down the feed is
 * not live, so the caches keep nothing; when it is back they start empty.
 */
export class ChangeListenerConnection {
  readonly #connection: ConnectionSettings["connection"];
  readonly #feed: ChangeFeed;
  readonly #log: Logger;
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(connection: ConnectionSettings["connection"], feed: ChangeFeed, log: Logger) {
    this.#connection = connection;
    this.#feed = feed;
    this.#log = log;
  }

  /** Resolves when listening; throws when the first connection fails. */
  async open(): Promise<void> {
    const client = new pg.Client(clientConfig(this.#connection));
    client.on("error", (error) => this.#lost(client, error));
    client.on("end", () => this.#lost(client, undefined));
    client.on("notification", (notice) => publishPayload(this.#feed, notice.payload ?? ""));
    try {
      await client.connect();
      await client.query(`listen ${CHANGES_CHANNEL}`);
    } catch (error) {
      client.removeAllListeners();
      client.on("error", () => {});
      client.end().catch(() => {});
      throw error;
    }
    this.#client = client;
    this.#feed.setLive(true);
    this.#timer = setTimeout(() => this.#heartbeat(client), HEARTBEAT_MILLISECONDS);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#client?.end().catch(() => {});
  }

  #heartbeat(client: pg.Client): void {
    const deadline = setTimeout(
      () => this.#lost(client, new Error("the listening connection does not answer")),
      HEARTBEAT_MILLISECONDS,
    );
    client.query("select 1").then(
      () => {
        clearTimeout(deadline);
        if (this.#client !== client || this.#closed) return;
        this.#timer = setTimeout(() => this.#heartbeat(client), HEARTBEAT_MILLISECONDS);
        this.#timer.unref();
      },
      (error: Error) => {
        clearTimeout(deadline);
        this.#lost(client, error);
      },
    );
  }

  #lost(client: pg.Client, error: Error | undefined): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    clearTimeout(this.#timer);
    this.#feed.setLive(false);
    if (this.#closed) return;
    this.#log.warn({ err: error }, "change feed lost; caches dropped, reconnecting");
    client.end().catch(() => {});
    this.#retry();
  }

  #retry(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.open().catch(() => this.#retry());
    }, RETRY_MILLISECONDS);
  }
}
