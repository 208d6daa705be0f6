import { newSecret } from "./identifiers.ts";

/**
 * The in-process end of the change feed. `platform/database` publishes the keys of what changed: those of this
 * process's own transactions as soon as they are committed, those of others when PostgreSQL's notifications bring
 * them; the caches of the domain subscribe.
 *
 * Keys are `<noun>:<id>`: `tenant:`, `user:`, `application:`, `session:`, `family:`, `api-key:`, and with the
 * tenant's id `events:` (something for webhooks), `webhooks:` (the subscriptions), `access:` (rights of many),
 * `access-part:` (`<tenant>:<kind>:<id>`, one part of the access model), `signing-keys:`, `billing-rules:` and
 * `service:`.
 */
export type ChangeKey =
  `${"tenant" | "user" | "application" | "session" | "family" | "api-key" | "access" | "access-part" | "signing-keys" | "events" | "webhooks" | "billing-rules" | "service"}:${string}`;

export interface ChangeListener {
  /** One changed thing. Called before any request that starts later can be answered from a cache. */
  onChange(noun: string, id: string): void;
  /** Notices may have been missed: drop everything. */
  onGap(): void;
}

/** Commits that were heard on one of their two ways, and are awaited on the other; far more than ever are. */
const AWAITED = 10_000;

export class ChangeFeed {
  /** Tells this process's own notices from those of others. */
  readonly origin = newSecret(9);
  readonly #listeners: ChangeListener[] = [];
  readonly #heardOnce = new Set<string>();
  #live = false;

  /** Whether notices arrive. While not, caches must keep nothing. */
  get live(): boolean {
    return this.#live;
  }

  subscribe(listener: ChangeListener): void {
    this.#listeners.push(listener);
  }

  publish(keys: readonly string[]): void {
    for (const key of keys) {
      const colon = key.indexOf(":");
      for (const listener of this.#listeners) listener.onChange(key.slice(0, colon), key.slice(colon + 1));
    }
  }

  /**
   * Publishes what comes on two ways, in any order: from the commit itself, when it was made here, and from the
   * database. The second time nothing happens, so that nobody reads again what he has just read.
   *
   * @param name - of the notice, the same on both ways.
   */
  publishOnce(name: string, keys: readonly string[]): void {
    if (this.#heardOnce.delete(name)) return;
    if (this.#live) this.#await(name);
    this.publish(keys);
  }

  setLive(live: boolean): void {
    this.#live = live;
    this.#heardOnce.clear();
    for (const listener of this.#listeners) listener.onGap();
  }

  #await(name: string): void {
    if (this.#heardOnce.size >= AWAITED) {
      const oldest = this.#heardOnce.keys().next();
      if (!oldest.done) this.#heardOnce.delete(oldest.value);
    }
    this.#heardOnce.add(name);
  }
}
