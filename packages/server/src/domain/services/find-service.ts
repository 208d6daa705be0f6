import { LoadingCache } from "../../kernel/loading-cache.ts";
import { cachePerServer, type Deps, isJoined } from "../deps.ts";
import { type KnownService, selectKnown } from "./service.store.ts";

/** Services kept in memory, with their configurations. */
const CAPACITY = 5_000;

const cacheOf = cachePerServer(
  (isLive) => new LoadingCache<KnownService | null>(CAPACITY, isLive),
  (cache, noun, id) => {
    if (noun === "service") cache.invalidateWhere((service) => service?.id === id);
    if (noun === "application") cache.invalidateWhere((service) => service?.applicationId === id);
    if (noun === "tenant") cache.invalidateWhere((service) => service?.tenantId === id);
  },
);

/** The service of an application by name and environment, from the cache when it is there; null when there is none. */
export function findService(
  deps: Deps,
  tenantId: string,
  applicationId: string,
  name: string,
  environment: string,
): KnownService | null | Promise<KnownService | null> {
  const load = async () =>
    (await selectKnown(deps.database, tenantId, applicationId, name, environment)) ?? null;
  if (isJoined(deps)) return load();
  const cache = cacheOf(deps);
  const key = `${tenantId} ${applicationId} ${environment} ${name}`;
  const found = cache.get(key, load);
  if (!(found instanceof Promise)) return found;
  return found.then((service) => {
    if (service === null) cache.invalidate(key); // it may register in a moment
    return service;
  });
}
