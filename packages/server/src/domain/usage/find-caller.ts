import { IdentityError, type Tenant } from "@ostiary/contracts";
import { LoadingCache } from "../../kernel/loading-cache.ts";
import { findApiKey } from "../api-keys/index.ts";
import { cachePerServer, type Deps } from "../deps.ts";
import { verifyAccessToken } from "../tokens/index.ts";
import { findUserByIdentifier } from "../users/index.ts";

/** Names kept in memory; some hundred bytes each. */
const CAPACITY = 10_000;

const cacheOf = cachePerServer(
  (isLive) => new LoadingCache<string | null>(CAPACITY, isLive),
  (cache, noun, id) => {
    if (noun === "user") cache.invalidateWhere((userId) => userId === id);
    if (noun === "tenant") cache.clear();
  },
);

/** The id of the user whom a reporter names, or null. */
export function findNamedUser(
  deps: Deps,
  tenantId: string,
  username: string,
): string | null | Promise<string | null> {
  const cache = cacheOf(deps);
  const key = `${tenantId} ${username}`;
  const found = cache.get(
    key,
    async () => (await findUserByIdentifier(deps, tenantId, username))?.id ?? null,
  );
  if (!(found instanceof Promise)) return found;
  return found.then((userId) => {
    if (userId === null) cache.invalidate(key); // he may be created tomorrow
    return userId;
  });
}

/**
 * The user of a token or an API key that came with a call, as far as it is good: a call with a bad token is a call all
 * the same.
 */
export async function findTokenUser(deps: Deps, tenant: Tenant, token: string): Promise<string | null> {
  try {
    if (token.startsWith("ak_")) {
      const key = await findApiKey(deps, token);
      return key?.tenantId === tenant.id ? key.userId : null;
    }
    return (await verifyAccessToken(deps, tenant, token)).principal?.userId ?? null;
  } catch (error) {
    if (error instanceof IdentityError && error.status < 500) return null;
    throw error;
  }
}
