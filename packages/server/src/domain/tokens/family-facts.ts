import { LoadingCache } from "../../kernel/loading-cache.ts";
import { cachePerServer, type Deps, isJoined } from "../deps.ts";
import { selectFamily } from "./token-family.store.ts";

/** What every request with a token of a family needs to know of it. */
export interface FamilyFacts {
  revoked: boolean;
  /** Names of claims that the `claims` parameter asked for at userinfo (OpenID Connect Core §5.5). */
  userinfoClaims: readonly string[];
}

const PLAIN: FamilyFacts = { revoked: false, userinfoClaims: [] };
const REVOKED: FamilyFacts = { revoked: true, userinfoClaims: [] };

/** Families kept; nearly all share one of the two objects above. */
const CAPACITY = 100_000;

const cacheOf = cachePerServer(
  (isLive) => new LoadingCache<FamilyFacts>(CAPACITY, isLive),
  (cache, noun, id) => {
    if (noun === "family") cache.invalidate(id);
  },
);

/** Whether the tokens of a family are not revoked. */
export async function isFamilyAlive(deps: Deps, tenantId: string, familyId: string): Promise<boolean> {
  return !(await findFamilyFacts(deps, tenantId, familyId)).revoked;
}

/**
 * What is known of a family; a plain value when it is in the cache. One without a row is good: client credentials
 * leave none, and only a token that we have signed names a family, so nobody can fill the cache with guesses.
 */
export function findFamilyFacts(
  deps: Deps,
  tenantId: string,
  familyId: string,
): FamilyFacts | Promise<FamilyFacts> {
  const load = async () => {
    const family = await selectFamily(deps.database, tenantId, familyId);
    if (family?.revokedAt) return REVOKED;
    const userinfoClaims = family?.details.claims?.userinfo;
    return userinfoClaims ? { revoked: false, userinfoClaims } : PLAIN;
  };
  return isJoined(deps) ? load() : cacheOf(deps).get(familyId, load);
}
