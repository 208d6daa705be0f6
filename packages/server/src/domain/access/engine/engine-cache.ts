import type { AccessEngine } from "./engine.ts";

interface Entry {
  engine: AccessEngine;
  /** Asked since the cache looked last. */
  used: boolean;
}

/**
 * The engines of the tenants that are in use, bounded by their estimated bytes; what was not asked lately goes first
 * (second chance). Loading, and applying changes, is the business of whoever owns it.
 */
export class EngineCache {
  readonly #entries = new Map<string, Entry>();
  readonly #budget: number;

  /** @param budget - bytes (estimated) of all engines together. One engine is kept even if it alone is more. */
  constructor(budget: number) {
    this.#budget = budget;
  }

  get(tenantId: string): AccessEngine | undefined {
    const entry = this.#entries.get(tenantId);
    if (entry === undefined) return undefined;
    entry.used = true;
    return entry.engine;
  }

  keep(tenantId: string, engine: AccessEngine): void {
    this.#entries.delete(tenantId);
    this.#entries.set(tenantId, { engine, used: true });
    this.trim();
  }

  drop(tenantId: string): void {
    this.#entries.delete(tenantId);
  }

  clear(): void {
    this.#entries.clear();
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Estimated bytes. */
  get weight(): number {
    let weight = 0;
    for (const { engine } of this.#entries.values()) weight += engine.weight.model + engine.weight.effective;
    return weight;
  }

  /** Engines grow while they are used; call this now and then. The one kept last stays. */
  trim(): void {
    let weight = this.weight;
    const newest = [...this.#entries.keys()].at(-1);
    for (const [tenantId, entry] of this.#entries) {
      if (weight <= this.#budget) return;
      if (tenantId === newest) continue;
      if (entry.used) {
        entry.used = false;
        this.#entries.delete(tenantId);
        this.#entries.set(tenantId, entry);
        continue;
      }
      this.#entries.delete(tenantId);
      weight -= entry.engine.weight.model + entry.engine.weight.effective;
    }
  }
}
