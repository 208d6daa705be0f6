import { TenantCache } from "../../kernel/tenant-cache.ts";
import { type Deps, isJoined, onePerServer } from "../deps.ts";
import { selectGroupsOfUser } from "./group.store.ts";

export interface GroupOfUser {
  serial: number;
  code: string;
  name: string;
}

/** Users whose groups are kept in memory. */
const CAPACITY = 50_000;

const cacheOf = onePerServer((feed) => {
  const cache = new TenantCache<readonly GroupOfUser[]>(CAPACITY, () => feed.live);
  feed.subscribe({
    onChange: (noun, id) => {
      if (noun === "user") cache.invalidate(id);
      if (noun === "tenant") cache.invalidateTenant(id);
      // `<tenant>:group:<id>`: another name, or gone
      const [tenantId = "", kind] = noun === "access-part" ? id.split(":", 2) : [];
      if (kind === "group") cache.invalidateTenant(tenantId);
    },
    onGap: () => cache.clear(),
  });
  return cache;
});

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
