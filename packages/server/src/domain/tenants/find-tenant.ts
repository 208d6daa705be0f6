import type { Tenant } from "@ostiary/contracts";
import { LoadingCache } from "../../kernel/loading-cache.ts";
import { cachePerServer, type Deps, isJoined } from "../deps.ts";
import { selectTenantById, selectTenantBySlug } from "./tenant.store.ts";

/** Tenants kept in a process; about 2 kB each, more with a logo. */
const CAPACITY = 10_000;

const byId = cachePerServer(
  (isLive) => new LoadingCache<Tenant | null>(CAPACITY, isLive),
  (cache, noun, id) => {
    if (noun === "tenant") cache.invalidate(id);
  },
);

const bySlug = cachePerServer(
  (isLive) => new LoadingCache<Tenant | null>(CAPACITY, isLive),
  (cache, noun, id) => {
    if (noun === "tenant") cache.invalidateWhere((tenant) => tenant?.id === id);
  },
);

/** A plain value when it is in the cache. */
export function findTenantBySlug(deps: Deps, slug: string): Tenant | null | Promise<Tenant | null> {
  if (isJoined(deps)) return selectTenantBySlug(deps.database, slug);
  return find(bySlug(deps), slug, () => selectTenantBySlug(deps.database, slug));
}

/** A plain value when it is in the cache. */
export function findTenantById(deps: Deps, id: string): Tenant | null | Promise<Tenant | null> {
  if (isJoined(deps)) return selectTenantById(deps.database, id);
  return find(byId(deps), id, () => selectTenantById(deps.database, id));
}

/** Keeps tenants only: whoever asks for many that are not there must not drive out those that are. */
function find(
  cache: LoadingCache<Tenant | null>,
  key: string,
  load: () => Promise<Tenant | null>,
): Tenant | null | Promise<Tenant | null> {
  const found = cache.get(key, load);
  if (!(found instanceof Promise)) return found;
  return found.then((tenant) => {
    if (!tenant) cache.invalidate(key);
    return tenant;
  });
}
