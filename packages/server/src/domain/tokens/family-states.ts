import { LoadingCache } from "../../kernel/loading-cache.ts";
import { type Deps, isJoined, onePerServer } from "../deps.ts";
import { selectFamily } from "./token-family.store.ts";

/** Families whose state is kept; some hundred bytes each. */
const CAPACITY = 100_000;

type FamilyCondition = "good" | "revoked";

const conditions = onePerServer((feed) => {
  const cache = new LoadingCache<FamilyCondition>(CAPACITY, () => feed.live);
  feed.subscribe({
    onChange: (noun, id) => {
      if (noun === "family") cache.invalidate(id);
    },
    onGap: () => cache.clear(),
  });
  return cache;
});

/**
 * Whether a family may still be used; a plain value when it is known. A family without a row is good: client
 * credentials leave none, and a token only names a family that we have signed.
 */
export function findFamilyCondition(
  deps: Deps,
  tenantId: string,
  familyId: string,
): FamilyCondition | Promise<FamilyCondition> {
  const load = async () => {
    const family = await selectFamily(deps.database, tenantId, familyId);
    return family?.revokedAt ? "revoked" : "good";
  };
  return isJoined(deps) ? load() : conditions(deps).get(`${familyId}`, load);
}
