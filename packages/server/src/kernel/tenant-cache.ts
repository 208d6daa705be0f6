import { LoadingCache } from "./loading-cache.ts";

type Entry<V> = { tenantId: string; value: V | null };

/**
 * A `LoadingCache` of things found by tenant and id, and invalidated by the id alone, as change notices name them.
 *
 * - What does not exist is not kept: creations send no notice, and guessed ids would push out real entries.
 * - Under one id the thing of one tenant is kept. Where a second tenant has the same id (ids may be given in the
 *   configuration file) its look-ups are loads; a foreign id never finds, and never displaces, another tenant's thing.
 */
export class TenantCache<V extends object> {
  readonly #entries: LoadingCache<Entry<V>>;

  /** @param capacity - entries kept. @param isEnabled - see `LoadingCache`. */
  constructor(capacity: number, isEnabled?: () => boolean) {
    this.#entries = new LoadingCache(capacity, isEnabled);
  }

  get(tenantId: string, id: string, load: () => Promise<V | null>): V | null | Promise<V | null> {
    const kept = this.#entries.peek(id);
    if (kept) return kept.tenantId === tenantId ? kept.value : load();
    return this.#load(tenantId, id, load);
  }

  invalidate(id: string): void {
    this.#entries.invalidate(id);
  }

  /** Drops everything of a tenant. */
  invalidateTenant(tenantId: string): void {
    this.#entries.invalidateWhere((entry) => entry.tenantId === tenantId);
  }

  clear(): void {
    this.#entries.clear();
  }

  async #load(tenantId: string, id: string, load: () => Promise<V | null>): Promise<V | null> {
    const entry = await this.#entries.get(id, async () => ({ tenantId, value: await load() }));
    if (entry.value === null && this.#entries.peek(id) === entry) this.#entries.invalidate(id);
    return entry.tenantId === tenantId ? entry.value : load();
  }
}
