import { TenantCache } from "../../kernel/tenant-cache.ts";
import { cachePerServer, type Deps, isJoined } from "../deps.ts";
import { selectGroupsOfUser } from "./group.store.ts";

export interface GroupOfUser {
  serial: number;
  code: string;
  name: string;
}

/** Users whose groups are kept in memory. */
const CAPACITY = 50_000;

const cacheOf = cachePerServer(
  (isLive) => new TenantCache<readonly GroupOfUser[]>(CAPACITY, isLive),
  (cache, noun, id) => {
    if (noun === "user") cache.invalidate(id);
    if (noun === "tenant") cache.invalidateTenant(id);
    // `<tenant>:group:<id>`: another name, or gone
    const [tenantId = "", kind] = noun === "access-part" ? id.split(":", 2) : [];
    if (kind === "group") cache.invalidateTenant(tenantId);
  },
);

/** The groups that a user is a member of, by code; a plain value when they are in the cache. */
export function findGroupsOfUser(
  deps: Deps,
  tenantId: string,
  userId: string,
): readonly GroupOfUser[] | Promise<readonly GroupOfUser[]> {
  const load = () => selectGroupsOfUser(deps.database, tenantId, userId);
  if (isJoined(deps)) return load();
  const found = cacheOf(deps).get(tenantId, userId, load);
  return found instanceof Promise ? found.then((groups) => groups ?? []) : (found ?? []);
}
