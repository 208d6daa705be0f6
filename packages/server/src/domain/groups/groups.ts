import {
  type CreateGroup,
  type Group,
  IdentityError,
  type Page,
  type PageRequest,
  type UpdateGroup,
} from "@ostiary/contracts";
import { checkVersion } from "../../kernel/check-version.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import type { Transaction } from "../../platform/database/types.ts";
import {
  checkAdministratorRemainsWithout,
  checkGives,
  checkPermission,
  loadRightsOf,
} from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import {
  deleteGroupRow,
  type GroupFilter,
  insertGroup,
  lockGroup,
  selectGroup,
  selectGroups,
  writeGroup,
} from "./group.store.ts";

/** `id` and `serial` only from the configuration file. */
export interface NewGroup extends CreateGroup {
  id?: string | undefined;
  serial?: number | undefined;
}

/** @throws IdentityError `permission.denied`, `group.code_taken`, `object.id_taken` */
export async function createGroup(deps: Deps, context: RequestContext, input: NewGroup): Promise<Group> {
  checkPermission(context, "group:write");
  const now = deps.clock.now();
  const { id = newId(now), serial, code, name = code, description = "", level = null } = input;
  return deps.database.transaction(async (tx) => {
    const made = await insertGroup(tx, context.tenantId, { id, serial, code, name, description, level }, now);
    if (made === "code taken") throw new IdentityError("group.code_taken");
    if (made === "id taken") throw new IdentityError("object.id_taken");
    const target = { type: "group", id };
    await recordEvent(deps, tx, context, { type: "group.created", target, data: { code } }, [
      `access-part:${context.tenantId}:group:${id}`,
    ]);
    return made;
  });
}

/** @throws IdentityError `permission.denied`, `group.not_found` */
export async function getGroup(deps: Deps, context: RequestContext, id: string): Promise<Group> {
  checkPermission(context, "group:read");
  const group = await selectGroup(deps.database, context.tenantId, id);
  if (!group) throw new IdentityError("group.not_found");
  return group;
}

/** Newest first. @throws IdentityError `permission.denied` */
export async function listGroups(
  deps: Deps,
  context: RequestContext,
  query: PageRequest & GroupFilter,
): Promise<Page<Group>> {
  checkPermission(context, "group:read");
  const limit = query.limit ?? 50;
  const rows = await selectGroups(deps.database, context.tenantId, query, query.after, limit + 1);
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/** @throws IdentityError `permission.denied`, `group.not_found`, `group.code_taken`, `precondition.failed` */
export async function updateGroup(
  deps: Deps,
  context: RequestContext,
  id: string,
  change: UpdateGroup,
  expectedVersion?: number,
): Promise<Group> {
  const now = deps.clock.now();
  return deps.database.transaction(async (tx) => {
    const group = await changeableGroup(tx, context, id, expectedVersion);
    const next = { ...group, ...change };
    const fields = (["code", "name", "description", "level"] as const).filter(
      (field) => group[field] !== next[field],
    );
    if (fields.length === 0) return group;
    if ((await writeGroup(tx, context.tenantId, next, now)) === "taken") {
      throw new IdentityError("group.code_taken");
    }
    const target = { type: "group", id };
    await recordEvent(deps, tx, context, { type: "group.updated", target, data: { fields } }, [
      `access-part:${context.tenantId}:group:${id}`,
    ]);
    return { ...next, version: group.version + 1, updatedAt: now.toISOString() };
  });
}

/**
 * Deletes a group; its members lose what was given to it, which the caller must have himself.
 *
 * @throws IdentityError `permission.denied`, `permission.escalation`, `group.not_found`, `user.last_administrator`,
 *   `precondition.failed`
 */
export async function deleteGroup(
  deps: Deps,
  context: RequestContext,
  id: string,
  expectedVersion?: number,
): Promise<void> {
  const { tenantId } = context;
  await deps.database.transaction(async (tx) => {
    const group = await changeableGroup(tx, context, id, expectedVersion);
    const rights = await loadRightsOf(tx, tenantId, { type: "group", id });
    await checkGives(within(deps, tx), context, rights);
    await deleteGroupRow(tx, tenantId, id);
    await checkAdministratorRemainsWithout(tx, tenantId, rights);
    const target = { type: "group", id };
    const data = { code: group.code };
    await recordEvent(deps, tx, context, { type: "group.deleted", target, data }, [
      `access:${tenantId}`,
      `access-part:${tenantId}:group:${id}`,
    ]);
  });
}

/** @throws IdentityError `permission.denied`, `group.not_found`, `precondition.failed` */
export async function changeableGroup(
  tx: Transaction,
  context: RequestContext,
  id: string,
  expectedVersion?: number,
): Promise<Group> {
  checkPermission(context, "group:write");
  const group = await lockGroup(tx, context.tenantId, id);
  if (!group) throw new IdentityError("group.not_found");
  checkVersion(group.version, expectedVersion);
  return group;
}
