import { IdentityError } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Transaction } from "../../platform/database/types.ts";
import {
  checkAdministratorRemainsWithout,
  checkGives,
  checkPermission,
  loadRightsOf,
} from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import { deleteMembers, holdUsers, insertMembers, lockGroupsOfUser } from "./group.store.ts";
import { changesOf } from "./group-members.ts";

/**
 * Makes these the groups of a user, as `setRoles` does with roles: it changes the user and not the groups. What a group
 * gives the caller must have, to put him in or to take him out.
 *
 * @param serials - of the groups.
 * @throws IdentityError `permission.denied`, `permission.escalation`, `user.not_found`, `group.not_found`,
 *   `user.last_administrator`
 */
export async function setGroupsOfUser(
  deps: Deps,
  context: RequestContext,
  userId: string,
  serials: readonly number[],
): Promise<void> {
  checkPermission(context, "user:write");
  const wanted = new Set(serials);
  await deps.database.transaction(async (tx) => {
    const [held] = await holdUsers(tx, context.tenantId, [userId]);
    if (held === undefined) throw new IdentityError("user.not_found");
    const groups = await lockGroupsOfUser(tx, context.tenantId, userId, [...wanted]);
    if (groups.filter(({ serial }) => wanted.has(serial)).length < wanted.size) {
      throw new IdentityError("group.not_found");
    }
    for (const { id, serial, isMember } of groups) {
      if (isMember !== wanted.has(serial)) await move(deps, tx, context, id, userId, !isMember);
    }
  });
}

async function move(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  groupId: string,
  userId: string,
  isIn: boolean,
): Promise<void> {
  const { tenantId } = context;
  const rights = await loadRightsOf(tx, tenantId, { type: "group", id: groupId });
  await checkGives(within(deps, tx), context, rights);
  if (isIn) await insertMembers(tx, tenantId, groupId, [userId], deps.clock.now());
  else await deleteMembers(tx, tenantId, groupId, [userId]);
  if (!isIn) await checkAdministratorRemainsWithout(tx, tenantId, rights);
  const type = isIn ? "group.member_added" : "group.member_removed";
  const event = { type, target: { type: "group", id: groupId }, data: { userIds: [userId] } } as const;
  await recordEvent(deps, tx, context, event, changesOf(tenantId, groupId, [userId]));
}
