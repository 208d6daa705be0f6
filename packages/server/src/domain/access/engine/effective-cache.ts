import type { EffectiveSet, NamespaceIndex } from "./effective-set.ts";
import type { SubjectNode } from "./tenant-state.ts";

/**
 * The effective sets of one tenant's subjects, bounded by their estimated bytes. A set hangs on its subject, so that
 * finding it costs nothing; this is the queue in which they wait to go. One that was asked since its last turn gets
 * another (second chance).
 */
export class EffectiveCache {
  readonly #queue = new Set<SubjectNode>();
  readonly #budget: number;
  weight = 0;

  constructor(budget: number) {
    this.#budget = budget;
  }

  keep(node: SubjectNode, set: EffectiveSet): void {
    this.drop(node);
    node.effective = set;
    this.#queue.add(node);
    this.weight += set.weight;
    this.#trim(node);
  }

  drop(node: SubjectNode): void {
    if (!node.effective) return;
    this.weight -= node.effective.weight;
    node.effective = null;
    this.#queue.delete(node);
  }

  /** Lets a set learn an answer, which it keeps. */
  learn(node: SubjectNode, index: NamespaceIndex, resource: string, action: string) {
    const before = index.weight;
    const answer = index.resolve(resource, action);
    if (node.effective) {
      this.weight += index.weight - before;
      this.#trim(node);
    }
    return answer;
  }

  clear(): void {
    for (const node of this.#queue) node.effective = null;
    this.#queue.clear();
    this.weight = 0;
  }

  get size(): number {
    return this.#queue.size;
  }

  /** The one in use stays, even when it alone is more than the budget. */
  #trim(inUse: SubjectNode): void {
    if (this.weight <= this.#budget) return;
    for (const node of this.#queue) {
      if (this.weight <= this.#budget || this.#queue.size === 1) return;
      if (node === inUse) continue;
      if (node.effective?.used) {
        node.effective.used = false;
        this.#queue.delete(node);
        this.#queue.add(node);
      } else this.drop(node);
    }
  }
}
