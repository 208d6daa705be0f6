import {
  type CreateUnit,
  IdentityError,
  MAXIMUM_UNIT_DEPTH,
  type Page,
  type PageRequest,
  type Unit,
  type UpdateUnit,
} from "@ostiary/contracts";
import type { ChangeKey } from "../../kernel/changes.ts";
import { checkVersion } from "../../kernel/check-version.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { checkGives, checkPermissionIn, everything, loadRightsOf } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import { lockOrganization } from "./organization.store.ts";
import {
  deleteUnitRow,
  insertUnit,
  lockUnit,
  selectSubtree,
  selectUnit,
  selectUnits,
  type UnitFilter,
  writeUnit,
} from "./unit.store.ts";
import { checkMayEmpty } from "./unit-rights.ts";

/** So many changes at once are heard as one of the whole model. */
const MANY_UNITS = 200;

/**
 * Makes a unit below another one; without `parentId` below the organization itself.
 *
 * @throws IdentityError `permission.denied`, `organization.not_found`, `unit.not_found` (parent), `unit.code_taken`,
 *   `unit.parent_invalid`, `unit.too_deep`
 */
export async function createUnit(deps: Deps, context: RequestContext, input: CreateUnit): Promise<Unit> {
  const { tenantId } = context;
  const now = deps.clock.now();
  const { organizationId, code, name = code, names = {}, description = "", position = 0 } = input;
  return deps.database.transaction(async (tx) => {
    const unitId = input.parentId;
    await checkPermissionIn(within(deps, tx), context, "organization:write", { organizationId, unitId });
    const organization = await lockOrganization(tx, tenantId, organizationId);
    const parentId = input.parentId ?? organization?.rootUnitId;
    if (!organization || !parentId) throw new IdentityError("organization.not_found");
    const parent = await selectUnit(tx, tenantId, parentId);
    if (!parent) throw new IdentityError("unit.not_found");
    if (parent.organizationId !== organizationId) throw new IdentityError("unit.parent_invalid");
    if (parent.path.length >= MAXIMUM_UNIT_DEPTH) throw new IdentityError("unit.too_deep");
    const id = newId(now);
    const unit = { id, organizationId, parentId, code, name, names, description, position };
    if (!(await insertUnit(tx, tenantId, unit, now))) throw new IdentityError("unit.code_taken");
    const target = { type: "unit", id };
    await recordEvent(deps, tx, context, { type: "unit.created", target, data: { code, parentId } }, [
      partOf(tenantId, id),
    ]);
    return found(await selectUnit(tx, tenantId, id));
  });
}

/** @throws IdentityError `permission.denied`, `unit.not_found` */
export async function getUnit(deps: Deps, context: RequestContext, id: string): Promise<Unit> {
  await checkPermissionIn(deps, context, "organization:read", { unitId: id });
  return found(await selectUnit(deps.database, context.tenantId, id));
}

/** Newest first. @throws IdentityError `permission.denied` */
export async function listUnits(
  deps: Deps,
  context: RequestContext,
  query: PageRequest & UnitFilter,
): Promise<Page<Unit>> {
  const { organizationId, parentId: unitId } = query;
  await checkPermissionIn(deps, context, "organization:read", { organizationId, unitId });
  const limit = query.limit ?? 50;
  const rows = await selectUnits(deps.database, context.tenantId, query, query.after, limit + 1);
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/**
 * Changes a unit; another `parentId` moves it with all below it. Who moves it needs what its members then get.
 *
 * @throws IdentityError `permission.denied`, `permission.escalation`, `unit.not_found`, `unit.code_taken`,
 *   `unit.parent_invalid`, `unit.root_protected`, `unit.too_deep`, `user.last_administrator`, `precondition.failed`
 */
export async function updateUnit(
  deps: Deps,
  context: RequestContext,
  id: string,
  change: UpdateUnit,
  expectedVersion?: number,
): Promise<Unit> {
  const now = deps.clock.now();
  const { tenantId } = context;
  return deps.database.transaction(async (tx) => {
    const unit = await changeable(deps, tx, context, id, expectedVersion);
    const next = { ...unit, ...change };
    const fields = (["code", "name", "names", "description", "position", "parentId"] as const).filter(
      (field) => JSON.stringify(unit[field]) !== JSON.stringify(next[field]),
    );
    if (fields.length === 0) return unit;
    const moves = fields.includes("parentId");
    const checkRemains = moves ? await checkMove(deps, tx, context, unit, next.parentId) : undefined;
    if ((await writeUnit(tx, tenantId, next, now)) === "taken") throw new IdentityError("unit.code_taken");
    await checkRemains?.();
    const target = { type: "unit", id };
    const type = moves ? "unit.moved" : "unit.updated";
    const changes = moves ? ([`access:${tenantId}`, partOf(tenantId, id)] as const) : [partOf(tenantId, id)];
    await recordEvent(deps, tx, context, { type, target, data: { fields } }, changes);
    return found(await selectUnit(tx, tenantId, id));
  });
}

/**
 * Deletes a unit and all below it; their members lose what was given to them by it.
 *
 * @throws IdentityError `permission.denied`, `permission.escalation`, `unit.not_found`, `unit.root_protected`,
 *   `user.last_administrator`, `precondition.failed`
 */
export async function deleteUnit(
  deps: Deps,
  context: RequestContext,
  id: string,
  expectedVersion?: number,
): Promise<void> {
  const { tenantId } = context;
  await deps.database.transaction(async (tx) => {
    const unit = await changeable(deps, tx, context, id, expectedVersion);
    const checkRemains = await checkMayEmpty(within(deps, tx), tx, context, id);
    const units = await selectSubtree(tx, tenantId, id);
    await deleteUnitRow(tx, tenantId, id);
    await checkRemains();
    const target = { type: "unit", id };
    const data = { code: unit.code, units: units.length };
    const parts = units.map((gone) => partOf(tenantId, gone.id));
    await recordEvent(
      deps,
      tx,
      context,
      { type: "unit.deleted", target, data },
      units.length > MANY_UNITS ? everything(tenantId) : [`access:${tenantId}`, ...parts],
    );
  });
}

/** @throws IdentityError `permission.escalation`, `unit.parent_invalid`, `unit.too_deep` */
async function checkMove(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  unit: Unit,
  parentId: string | null,
): Promise<() => Promise<void>> {
  const { tenantId } = context;
  const joined = within(deps, tx);
  const parent = parentId === null ? undefined : await selectUnit(tx, tenantId, parentId);
  const below = await selectSubtree(tx, tenantId, unit.id);
  if (parent?.organizationId !== unit.organizationId || below.some(({ id }) => id === parent.id)) {
    throw new IdentityError("unit.parent_invalid");
  }
  await checkPermissionIn(joined, context, "organization:write", { unitId: parent.id });
  const height = Math.max(...below.map(({ depth }) => depth)) + 1;
  if (parent.path.length + height > MAXIMUM_UNIT_DEPTH) throw new IdentityError("unit.too_deep");
  // Its members lose what they inherit now, and get what they will.
  const checkRemains = await checkMayEmpty(joined, tx, context, unit.id);
  await checkGives(joined, context, await loadRightsOf(tx, tenantId, { type: "unit", id: parent.id }));
  return checkRemains;
}

async function changeable(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  id: string,
  expectedVersion: number | undefined,
): Promise<Unit> {
  await checkPermissionIn(within(deps, tx), context, "organization:write", { unitId: id });
  const { organizationId } = found(await selectUnit(tx, context.tenantId, id));
  await lockOrganization(tx, context.tenantId, organizationId);
  const unit = found(await lockUnit(tx, context.tenantId, id));
  checkVersion(unit.version, expectedVersion);
  if (unit.parentId === null) throw new IdentityError("unit.root_protected");
  return unit;
}

function partOf(tenantId: string, id: string): ChangeKey {
  return `access-part:${tenantId}:unit:${id}`;
}

function found(unit: Unit | undefined): Unit {
  if (!unit) throw new IdentityError("unit.not_found");
  return unit;
}
