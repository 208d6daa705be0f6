import { IdentityError, type Membership, type Page, type PageRequest } from "@ostiary/contracts";
import type { ChangeKey } from "../../kernel/changes.ts";
import type { RequestContext } from "../../kernel/context.ts";
import {
  checkAdministratorRemainsWithout,
  checkGives,
  checkPermission,
  loadRightsOf,
} from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import { deleteMembers, holdUsers, insertMembers, selectGroup, selectMembers } from "./group.store.ts";
import { changeableGroup } from "./groups.ts";

/** Newest users first. @throws IdentityError `permission.denied`, `group.not_found` */
export async function listGroupMembers(
  deps: Deps,
  context: RequestContext,
  groupId: string,
  query: PageRequest,
): Promise<Page<Membership>> {
  checkPermission(context, "group:read");
  if (!(await selectGroup(deps.database, context.tenantId, groupId)))
    throw new IdentityError("group.not_found");
  const limit = query.limit ?? 50;
  const rows = await selectMembers(deps.database, context.tenantId, groupId, query.after, limit + 1);
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.userId ?? null) : null };
}

/**
 * Makes users members; who is one already stays one. The caller must have what the group gives.
 *
 * @returns how many were none before.
 * @throws IdentityError `permission.denied`, `permission.escalation`, `group.not_found`, `user.not_found`
 */
export async function addGroupMembers(
  deps: Deps,
  context: RequestContext,
  groupId: string,
  userIds: readonly string[],
): Promise<number> {
  const { tenantId } = context;
  return deps.database.transaction(async (tx) => {
    await changeableGroup(tx, context, groupId);
    await checkGives(
      within(deps, tx),
      context,
      await loadRightsOf(tx, tenantId, { type: "group", id: groupId }),
    );
    const found = await holdUsers(tx, tenantId, userIds);
    if (found.length < new Set(userIds).size) throw new IdentityError("user.not_found");
    const added = await insertMembers(tx, tenantId, groupId, userIds, deps.clock.now());
    if (added.length === 0) return 0;
    const target = { type: "group", id: groupId };
    const data = { userIds: added };
    const changes = changesOf(tenantId, groupId, added);
    await recordEvent(deps, tx, context, { type: "group.member_added", target, data }, changes);
    return added.length;
  });
}

/**
 * Takes users out; who is no member is passed by.
 *
 * @returns how many were members.
 * @throws IdentityError `permission.denied`, `permission.escalation`, `group.not_found`, `user.last_administrator`
 */
export async function removeGroupMembers(
  deps: Deps,
  context: RequestContext,
  groupId: string,
  userIds: readonly string[],
): Promise<number> {
  const { tenantId } = context;
  return deps.database.transaction(async (tx) => {
    await changeableGroup(tx, context, groupId);
    const rights = await loadRightsOf(tx, tenantId, { type: "group", id: groupId });
    await checkGives(within(deps, tx), context, rights);
    const removed = await deleteMembers(tx, tenantId, groupId, userIds);
    if (removed.length === 0) return 0;
    await checkAdministratorRemainsWithout(tx, tenantId, rights);
    const target = { type: "group", id: groupId };
    const data = { userIds: removed };
    const changes = changesOf(tenantId, groupId, removed);
    await recordEvent(deps, tx, context, { type: "group.member_removed", target, data }, changes);
    return removed.length;
  });
}

export function changesOf(tenantId: string, groupId: string, userIds: readonly string[]): ChangeKey[] {
  return userIds.flatMap((userId): ChangeKey[] => [
    `user:${userId}`,
    `access-part:${tenantId}:group-member:${groupId}:${userId}`,
  ]);
}
