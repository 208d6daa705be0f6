import type { JsonValue, UserProfile, UserStatus } from "@ostiary/contracts";
import { LoadingCache } from "../../kernel/loading-cache.ts";
import { cachePerServer, type Deps, isJoined } from "../deps.ts";
import { selectPrincipal } from "./principal.store.ts";
import { loadEffectiveRights } from "./rights.ts";

/** A user as every request about him needs it: who he is, whether he may act, and what he may do. */
export interface Principal {
  tenantId: string;
  userId: string;
  serial: number;
  username: string | null;
  email: string | null;
  emailVerified: boolean;
  phone: string | null;
  phoneVerified: boolean;
  nickname: string | null;
  name: string | null;
  /** Address of the user's picture; `profile` has it too. */
  picture: string | null;
  profile: UserProfile;
  /** Values of custom fields. */
  custom?: Record<string, JsonValue>;
  /** `deleted` too, so that callers can tell a deleted user from one that never was. */
  status: UserStatus;
  createdAt: Date;
  updatedAt: Date;
  /** Codes; `namespace/code` outside of the namespace `default`. Also by way of groups, units and child roles. */
  roles: readonly string[];
  /** In the namespace `default`, as far as codes can say it. */
  permissions: ReadonlySet<string>;
  permissionCodes: readonly string[];
}

/** Principals kept in a process; about 2 kB each. */
const CAPACITY = 50_000;

/** Ids are unique, but a configuration file may give two tenants the same one: the entry says whose it is. */
interface Entry {
  tenantId: string;
  principal: Principal | null;
}

const cacheOf = cachePerServer(
  (isLive) => new LoadingCache<Entry>(CAPACITY, isLive),
  (cache, noun, id) => {
    if (noun === "user") cache.invalidate(id);
    if (noun === "access" || noun === "tenant") cache.invalidateWhere((entry) => entry.tenantId === id);
  },
);

/** The user with his rights, from the cache when it is there (a plain value then); null when there never was one. */
export function findPrincipal(
  deps: Deps,
  tenantId: string,
  userId: string,
): Principal | null | Promise<Principal | null> {
  if (isJoined(deps)) return load(deps, tenantId, userId);
  const cache = cacheOf(deps);
  const entry = cache.get(userId, async () => ({
    tenantId,
    principal: await load(deps, tenantId, userId),
  }));
  const ours = (found: Entry) =>
    found.tenantId === tenantId ? found.principal : load(deps, tenantId, userId);
  return entry instanceof Promise ? entry.then(ours) : ours(entry);
}

async function load(deps: Deps, tenantId: string, userId: string): Promise<Principal | null> {
  const [row, rights] = await Promise.all([
    selectPrincipal(deps.database, tenantId, userId),
    loadEffectiveRights(deps, tenantId, { type: "user", id: userId }),
  ]);
  if (!row) return null;
  return {
    tenantId,
    userId,
    ...row,
    picture: row.profile.picture ?? null,
    roles: rights.roles,
    permissionCodes: rights.permissions,
    permissions: new Set(rights.permissions),
  };
}
