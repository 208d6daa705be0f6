import type { Group } from "@ostiary/contracts";
import type { Deps } from "../deps.ts";
import { hasGroups, selectGroupsFromLevel } from "./group.store.ts";

/** Groups of one answer. */
const LIST_LIMIT = 10_000;

/**
 * The groups of a level and below it, which every member of the tenant may see.
 *
 * @param unset - the level of groups that have none.
 * @returns null when the tenant has no groups at all.
 */
export async function listGroupsFromLevel(
  deps: Deps,
  tenantId: string,
  level: number,
  unset: number,
): Promise<Group[] | null> {
  const groups = await selectGroupsFromLevel(deps.database, tenantId, level, unset, LIST_LIMIT);
  return groups.length > 0 || (await hasGroups(deps.database, tenantId)) ? groups : null;
}
