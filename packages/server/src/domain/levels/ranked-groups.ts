import { type Group, IdentityError, type UpdateGroup } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { type Deps, within } from "../deps.ts";
import {
  addGroupMembers,
  createGroup,
  deleteGroup,
  removeGroupMembers,
  updateGroup,
} from "../groups/index.ts";
import { findTenantById } from "../tenants/index.ts";
import { checkLevel, DEFAULT_LEVEL } from "./levels.ts";
import { findPerson } from "./people.ts";

/**
 * A level is a right like others: nobody gives or takes one above his own. Whoever is no user of
 * the tenant (an API key, an administrator of all tenants) is bound by permissions alone, and everybody is where the tenant's `dangerIgnoreLevels` says so.
 *
 * @throws IdentityError `level.too_high`
 */
async function checkMayGive(
  deps: Deps,
  context: RequestContext,
  levels: readonly (number | null | undefined)[],
): Promise<void> {
  const tenant = await findTenantById(deps, context.tenantId);
  if (!tenant) throw new IdentityError("tenant.not_found");
  const highest = Math.min(...levels.map((level) => level ?? DEFAULT_LEVEL));
  if (tenant.settings.zibanu.dangerIgnoreLevels || highest >= DEFAULT_LEVEL) return;
  const { type, id } = context.actor;
  const actor = type === "user" && id !== null ? await findPerson(deps, tenant, { id }) : null;
  if (actor) checkLevel(actor.level, highest);
}

/** @throws IdentityError `level.too_high`, and what `createGroup` throws */
export async function createRankedGroup(
  deps: Deps,
  context: RequestContext,
  input: Parameters<typeof createGroup>[2],
): Promise<Group> {
  return deps.database.transaction(async (tx) => {
    const joined = within(deps, tx);
    const group = await createGroup(joined, context, input);
    await checkMayGive(joined, context, [group.level]);
    return group;
  });
}

/** @throws IdentityError `level.too_high`, and what `updateGroup` throws */
export async function updateRankedGroup(
  deps: Deps,
  context: RequestContext,
  id: string,
  change: UpdateGroup,
  expectedVersion?: number,
): Promise<Group> {
  return deps.database.transaction(async (tx) => {
    const joined = within(deps, tx);
    const before = await held(joined, context, id, expectedVersion);
    if (change.level !== undefined && change.level !== before.level) {
      await checkMayGive(joined, context, [before.level, change.level]);
    }
    return updateGroup(joined, context, id, change, expectedVersion);
  });
}

/** @throws IdentityError `level.too_high`, and what `deleteGroup` throws */
export const deleteRankedGroup = ofItsLevel(
  (deps: Deps, context: RequestContext, id: string, expectedVersion?: number) =>
    deleteGroup(deps, context, id, expectedVersion),
);

/** @throws IdentityError `level.too_high`, and what `addGroupMembers` throws */
export const addRankedMembers = ofItsLevel(addGroupMembers);

/** @throws IdentityError `level.too_high`, and what `removeGroupMembers` throws */
export const removeRankedMembers = ofItsLevel(removeGroupMembers);

/** What is done to a group as a whole needs its level. */
function ofItsLevel<Rest extends unknown[], Result>(
  effect: (deps: Deps, context: RequestContext, id: string, ...rest: Rest) => Promise<Result>,
): typeof effect {
  return (deps, context, id, ...rest) =>
    deps.database.transaction(async (tx) => {
      const joined = within(deps, tx);
      await checkMayGive(joined, context, [(await held(joined, context, id)).level]);
      return effect(joined, context, id, ...rest);
    });
}

/** A change of nothing: the group as it is, locked, for somebody who may change it. */
const held = (deps: Deps, context: RequestContext, id: string, expectedVersion?: number) =>
  updateGroup(deps, context, id, {}, expectedVersion);
