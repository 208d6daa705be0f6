/**
 * The in-process end of the change feed. `platform/database` hears PostgreSQL's notifications and publishes the
 * keys of what changed; the caches of the domain subscribe.
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

export class ChangeFeed {
  readonly #listeners: ChangeListener[] = [];
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

  setLive(live: boolean): void {
    this.#live = live;
    for (const listener of this.#listeners) listener.onGap();
  }
}
