import { after } from "../../kernel/after.ts";
import { ALL_PERMISSIONS } from "../../kernel/context.ts";
import { TenantCache } from "../../kernel/tenant-cache.ts";
import { cachePerServer, type Deps, isJoined } from "../deps.ts";
import { loadEffectiveRights } from "./rights.ts";

/** Applications whose permissions are kept in a process; most have none. */
const CAPACITY = 10_000;

const cacheOf = cachePerServer(
  (isLive) => new TenantCache<ReadonlySet<string>>(CAPACITY, isLive),
  (cache, noun, id) => {
    if (noun === "application") cache.invalidate(id);
    if (noun === "access" || noun === "tenant") cache.invalidateTenant(id);
  },
);

interface Owner {
  tenantId: string;
  id: string;
  administers: "tenant" | null;
}

/**
 * What an application may do by itself: everything when it administers the tenant, else what it was given. A plain
 * value when it is in the cache.
 */
export function applicationPermissions(
  deps: Deps,
  { tenantId, id, administers }: Owner,
): ReadonlySet<string> | Promise<ReadonlySet<string>> {
  if (administers === "tenant") return ALL_PERMISSIONS;
  const load = async () => {
    const { permissions } = await loadEffectiveRights(deps, tenantId, { type: "application", id });
    return new Set(permissions);
  };
  return isJoined(deps) ? load() : after(cacheOf(deps).get(tenantId, id, load), (kept) => kept ?? load());
}
