import { LoadingCache } from "../../kernel/loading-cache.ts";
import { cachePerServer, type Deps, isJoined } from "../deps.ts";
import { selectActiveRules } from "./billing-rule.store.ts";
import { RuleBook } from "./match-rule.ts";

/** Tenants whose rules are kept; a rule is about half a kilobyte. */
const CAPACITY = 1_000;

const cacheOf = cachePerServer(
  (isLive) => new LoadingCache<RuleBook>(CAPACITY, isLive),
  (cache, noun, id) => {
    if (noun === "billing-rules" || noun === "tenant") cache.invalidate(id);
    // Deleting an application deletes its rules.
    if (noun === "application") cache.invalidateWhere((book) => book.concerns(id));
  },
);

/** The tenant's active rules, from the cache when they are there. */
export function findRules(deps: Deps, tenantId: string): RuleBook | Promise<RuleBook> {
  const load = async () => new RuleBook(await selectActiveRules(deps.database, tenantId));
  return isJoined(deps) ? load() : cacheOf(deps).get(tenantId, load);
}
