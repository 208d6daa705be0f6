import {
  type CreateDelegation,
  type Delegation,
  IdentityError,
  type Page,
  type PageRequest,
  type UpdateDelegation,
} from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import { subjectMissing } from "./access-grants.ts";
import { changeable } from "./changeable.ts";
import {
  type DelegationFilter,
  deleteDelegationRow,
  holdScope,
  insertDelegation,
  lockDelegation,
  selectDelegation,
  selectDelegations,
  writeDelegation,
} from "./delegation.store.ts";
import { holdSubject } from "./grant.store.ts";
import { checkPermissionIn, mayIn, type Place } from "./places.ts";

/**
 * Lets somebody administer one place: the permissions hold there only. Needs `access-grant:write` and the permissions
 * themselves, in the whole tenant or for that place. Not every permission can be limited; one that cannot has no effect.
 *
 * @throws IdentityError `permission.denied`, `permission.escalation`, `delegation.exists`, `<subject>.not_found`,
 *   `<scope>.not_found`
 */
export async function createDelegation(
  deps: Deps,
  context: RequestContext,
  input: CreateDelegation,
): Promise<Delegation> {
  const { tenantId } = context;
  const now = deps.clock.now();
  const { subject, scope, permissions } = input;
  return deps.database.transaction(async (tx) => {
    const joined = within(deps, tx);
    await checkPermissionIn(joined, context, "access-grant:write", placeOf(scope));
    if (!(await holdScope(tx, tenantId, scope))) throw new IdentityError(`${scope.type}.not_found`);
    if (!(await holdSubject(tx, tenantId, subject))) throw subjectMissing(subject);
    await checkDelegates(joined, context, scope, permissions);
    const values = { id: newId(now), subject, scope, permissions };
    const made = await insertDelegation(tx, tenantId, values, now);
    if (!made) throw new IdentityError("delegation.exists");
    const target = { type: "delegation", id: made.id };
    const data = { subject, scope, permissions };
    await recordEvent(deps, tx, context, { type: "delegation.created", target, data });
    return made;
  });
}

/** @throws IdentityError `permission.denied`, `delegation.not_found` */
export async function getDelegation(deps: Deps, context: RequestContext, id: string): Promise<Delegation> {
  const delegation = await selectDelegation(deps.database, context.tenantId, id);
  await checkPermissionIn(deps, context, "access-grant:read", delegation ? placeOf(delegation.scope) : {});
  if (!delegation) throw new IdentityError("delegation.not_found");
  return delegation;
}

/** Newest first. With a filter by scope, a permission for that place is enough. */
export async function listDelegations(
  deps: Deps,
  context: RequestContext,
  query: PageRequest & DelegationFilter,
): Promise<Page<Delegation>> {
  const { scopeType, scopeId } = query;
  const place = scopeType && scopeId ? placeOf({ type: scopeType, id: scopeId }) : {};
  await checkPermissionIn(deps, context, "access-grant:read", place);
  const limit = query.limit ?? 50;
  const rows = await selectDelegations(deps.database, context.tenantId, query, query.after, limit + 1);
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/** @throws IdentityError `permission.denied`, `permission.escalation`, `delegation.not_found`, `precondition.failed` */
export async function updateDelegation(
  deps: Deps,
  context: RequestContext,
  id: string,
  { permissions }: UpdateDelegation,
  expectedVersion?: number,
): Promise<Delegation> {
  const now = deps.clock.now();
  return deps.database.transaction(async (tx) => {
    const delegation = await lockedForDelegationChange(deps, tx, context, id, expectedVersion);
    if (!permissions || permissions.join() === delegation.permissions.join()) return delegation;
    await checkDelegates(within(deps, tx), context, delegation.scope, permissions);
    const next = { ...delegation, permissions };
    await writeDelegation(tx, context.tenantId, next, now);
    const target = { type: "delegation", id };
    await recordEvent(deps, tx, context, { type: "delegation.updated", target, data: { permissions } });
    return { ...next, version: delegation.version + 1, updatedAt: now.toISOString() };
  });
}

/** @throws IdentityError as `updateDelegation` */
export async function deleteDelegation(
  deps: Deps,
  context: RequestContext,
  id: string,
  expectedVersion?: number,
): Promise<void> {
  await deps.database.transaction(async (tx) => {
    const { subject, scope } = await lockedForDelegationChange(deps, tx, context, id, expectedVersion);
    await deleteDelegationRow(tx, context.tenantId, id);
    const target = { type: "delegation", id };
    await recordEvent(deps, tx, context, { type: "delegation.deleted", target, data: { subject, scope } });
  });
}

async function lockedForDelegationChange(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  id: string,
  expectedVersion: number | undefined,
): Promise<Delegation> {
  const joined = within(deps, tx);
  const found = await lockDelegation(tx, context.tenantId, id);
  const place = found ? placeOf(found.scope) : {};
  const missing = "delegation.not_found" as const;
  const rule = { permission: "access-grant:write", place, missing, expectedVersion };
  const delegation = await changeable(joined, context, found, rule);
  await checkDelegates(joined, context, delegation.scope, delegation.permissions);
  return delegation;
}

/** @throws IdentityError `permission.escalation` */
async function checkDelegates(
  deps: Deps,
  context: RequestContext,
  scope: Delegation["scope"],
  permissions: readonly string[],
): Promise<void> {
  for (const code of permissions) {
    if (!(await mayIn(deps, context, code, placeOf(scope)))) {
      throw new IdentityError("permission.escalation", { reason: `lacks ${code} there` });
    }
  }
}

function placeOf({ type, id }: Delegation["scope"]): Place {
  if (type === "organization") return { organizationId: id };
  if (type === "unit") return { unitId: id };
  return type === "application" ? { applicationId: id } : { namespace: id };
}
