import { type Deps, onePerServer } from "../deps.ts";

/** Whether somebody waits for events of this tenant. Must not wait for anything itself. */
type EventWatcher = (tenantId: string) => boolean;

const watchersOf = onePerServer(() => new Set<EventWatcher>());

/**
 * From now on every process hears `events:<tenantId>` on the change feed when events of that tenant were committed.
 * @returns ends it.
 */
export function watchEvents(deps: Deps, watcher: EventWatcher): () => void {
  watchersOf(deps).add(watcher);
  return () => void watchersOf(deps).delete(watcher);
}

export function isWatched(deps: Deps, tenantId: string): boolean {
  for (const watcher of watchersOf(deps)) if (watcher(tenantId)) return true;
  return false;
}
