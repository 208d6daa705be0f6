import { LoadingCache } from "../../kernel/loading-cache.ts";
import { TenantCache } from "../../kernel/tenant-cache.ts";
import { type Deps, isJoined, onePerServer } from "../deps.ts";
import { type Application, findIdBySerial, loadApplication } from "./application.store.ts";

/** Applications kept in memory; each is a few kilobytes at most. */
const CAPACITY = 10_000;

const cacheOf = onePerServer((feed) => {
  const applications = new TenantCache<Application>(CAPACITY, () => feed.live);
  feed.subscribe({
    onChange: (noun, id) => {
      if (noun === "application") applications.invalidate(id);
      if (noun === "tenant") applications.invalidateTenant(id);
    },
    onGap: () => applications.clear(),
  });
  return applications;
});

/** An application with its secrets' hashes, for the rules that authenticate clients. Synchronous when it is known. */
export function findApplication(
  deps: Deps,
  tenantId: string,
  id: string,
): Application | null | Promise<Application | null> {
  const load = () => loadApplication(deps.database, tenantId, id);
  return isJoined(deps) ? load() : cacheOf(deps).get(tenantId, id, load);
}

/** Which id a serial stands for. It never changes, so nothing has to be invalidated. */
const idsOf = onePerServer(() => new LoadingCache<string | null>(CAPACITY));

/** The same by serial, for dialects whose clients know applications by numbers. */
export function findApplicationBySerial(
  deps: Deps,
  tenantId: string,
  serial: number,
): Application | null | Promise<Application | null> {
  if (!Number.isSafeInteger(serial) || serial < 1) return null;
  const key = `${tenantId}/${serial}`;
  const load = () => findIdBySerial(deps.database, tenantId, serial);
  const proceed = (id: string | null) => {
    if (id !== null) return findApplication(deps, tenantId, id);
    idsOf(deps).invalidate(key); // may be created later
    return null;
  };
  const id = isJoined(deps) ? load() : idsOf(deps).get(key, load);
  return id instanceof Promise ? id.then(proceed) : proceed(id);
}
