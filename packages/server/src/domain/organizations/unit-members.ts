import {
  IdentityError,
  type Page,
  type PageRequest,
  type PutUnitMember,
  type UnitMember,
} from "@ostiary/contracts";
import type { ChangeKey } from "../../kernel/changes.ts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Transaction } from "../../platform/database/types.ts";
import {
  checkAdministratorRemainsWithout,
  checkGives,
  checkPermissionIn,
  loadRightsOf,
} from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import {
  deleteUnitMember,
  lockUnit,
  lockUser,
  selectUnit,
  selectUnitMember,
  selectUnitMembers,
  selectUnitsOfUser,
  writeUnitMember,
} from "./unit.store.ts";

/** Newest users first. @throws IdentityError `permission.denied`, `unit.not_found` */
export async function listUnitMembers(
  deps: Deps,
  context: RequestContext,
  unitId: string,
  query: PageRequest,
): Promise<Page<UnitMember>> {
  await checkPermissionIn(deps, context, "organization:read", { unitId });
  if (!(await selectUnit(deps.database, context.tenantId, unitId))) throw new IdentityError("unit.not_found");
  const limit = query.limit ?? 50;
  const rows = await selectUnitMembers(deps.database, context.tenantId, unitId, query.after, limit + 1);
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.userId ?? null) : null };
}

/** The main one first; of oneself everybody may know. @throws IdentityError `permission.denied` */
export async function listUnitsOfUser(
  deps: Deps,
  context: RequestContext,
  userId: string,
): Promise<UnitMember[]> {
  if (!(context.actor.type === "user" && context.actor.id === userId)) {
    await checkPermissionIn(deps, context, "organization:read", { userId });
  }
  return selectUnitsOfUser(deps.database, context.tenantId, userId);
}

/**
 * Makes a user a member, or changes his position or main unit. The caller must have what the unit gives.
 *
 * @throws IdentityError `permission.denied`, `permission.escalation`, `unit.not_found`, `user.not_found`
 */
export async function putUnitMember(
  deps: Deps,
  context: RequestContext,
  unitId: string,
  userId: string,
  values: PutUnitMember,
): Promise<UnitMember> {
  return deps.database.transaction(async (tx) => {
    await changeableUnit(deps, tx, context, unitId);
    return joinUnit(deps, tx, context, unitId, userId, values, (rights) =>
      checkGives(within(deps, tx), context, rights),
    );
  });
}

/** @param mayGive - asked, for a new member, with what the unit gives. */
export async function joinUnit(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  unitId: string,
  userId: string,
  { main, position }: PutUnitMember,
  mayGive: (rights: Awaited<ReturnType<typeof loadRightsOf>>) => Promise<void>,
): Promise<UnitMember> {
  const { tenantId } = context;
  const now = deps.clock.now();
  if (!(await lockUser(tx, tenantId, userId))) throw new IdentityError("user.not_found");
  const before = await selectUnitMember(tx, tenantId, unitId, userId);
  const next = {
    unitId,
    userId,
    main: main ?? before?.main ?? false,
    position: position ?? before?.position ?? "",
  };
  if (before && before.main === next.main && before.position === next.position) return before;
  if (!before) await mayGive(await loadRightsOf(tx, tenantId, { type: "unit", id: unitId }));
  await writeUnitMember(tx, tenantId, next, now);
  const type = before ? "unit.member_updated" : "unit.member_added";
  await recordEvent(
    deps,
    tx,
    context,
    {
      type,
      target: { type: "unit", id: unitId },
      data: { userId, main: next.main, position: next.position },
    },
    before ? [] : changesOf(tenantId, unitId, userId),
  );
  return { ...next, joinedAt: before?.joinedAt ?? now.toISOString() };
}

/**
 * @throws IdentityError `permission.denied`, `permission.escalation`, `unit.not_found`, `member.not_found`,
 *   `user.last_administrator`
 */
export async function removeUnitMember(
  deps: Deps,
  context: RequestContext,
  unitId: string,
  userId: string,
): Promise<void> {
  const { tenantId } = context;
  await deps.database.transaction(async (tx) => {
    await changeableUnit(deps, tx, context, unitId);
    const rights = await loadRightsOf(tx, tenantId, { type: "unit", id: unitId });
    await checkGives(within(deps, tx), context, rights);
    if (!(await deleteUnitMember(tx, tenantId, unitId, userId))) throw new IdentityError("member.not_found");
    await checkAdministratorRemainsWithout(tx, tenantId, rights);
    const target = { type: "unit", id: unitId };
    const changes = changesOf(tenantId, unitId, userId);
    await recordEvent(deps, tx, context, { type: "unit.member_removed", target, data: { userId } }, changes);
  });
}

async function changeableUnit(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  unitId: string,
): Promise<void> {
  await checkPermissionIn(within(deps, tx), context, "organization:write", { unitId });
  if (!(await lockUnit(tx, context.tenantId, unitId))) throw new IdentityError("unit.not_found");
}

function changesOf(tenantId: string, unitId: string, userId: string): ChangeKey[] {
  return [`user:${userId}`, `access-part:${tenantId}:unit-member:${unitId}:${userId}`];
}
