import {
  type CreateRole,
  IdentityError,
  type Page,
  type PageRequest,
  type Role,
  type UpdateRole,
} from "@ostiary/contracts";
import type { ChangeKey } from "../../kernel/changes.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import { changeable } from "./changeable.ts";
import { holdNamespace, insertNamespace } from "./namespace.store.ts";
import { checkGives, checkPermissionIn } from "./places.ts";
import { DEFAULT_NAMESPACE, loadRightsOf, rightsOfCodes } from "./rights.ts";
import {
  deleteRoleRow,
  insertRole,
  lockParents,
  lockRole,
  type RoleFilter,
  selectChildren,
  selectLineage,
  selectRole,
  selectRoles,
  writeRole,
} from "./role.store.ts";

/** Code of the built-in role that may do everything. */
export const ADMINISTRATOR = "administrator";

/** What every tenant has from its first moment. Does nothing where it is there already. */
export async function createBuiltInRoles(tx: Queryable, tenantId: string, now: Date): Promise<void> {
  const namespace = {
    id: newId(now),
    code: DEFAULT_NAMESPACE,
    name: "Default",
    description: "",
    applicationId: null,
  };
  await insertNamespace(tx, tenantId, namespace, now);
  await insertRole(
    tx,
    tenantId,
    {
      id: newId(now),
      namespace: DEFAULT_NAMESPACE,
      code: ADMINISTRATOR,
      name: "Administrator",
      description: "May do everything",
      system: true,
      permissions: ["*"],
      parentId: null,
    },
    now,
  );
}

/**
 * Needs `role:write`, in the whole tenant or for the namespace, and all that the role is to give.
 *
 * @throws IdentityError `permission.denied`, `permission.escalation`, `namespace.not_found`, `role.code_taken`,
 *   `role.parent_invalid`
 */
export async function createRole(deps: Deps, context: RequestContext, input: CreateRole): Promise<Role> {
  const { namespace = DEFAULT_NAMESPACE, permissions = [], parentId = null } = input;
  await checkPermissionIn(deps, context, "role:write", { namespace });
  const now = deps.clock.now();
  const role = {
    id: newId(now),
    namespace,
    code: input.code,
    name: input.name ?? input.code,
    description: input.description ?? "",
    system: false,
    permissions,
    parentId,
  };
  return deps.database.transaction(async (tx) => {
    if (!(await holdNamespace(tx, context.tenantId, namespace)))
      throw new IdentityError("namespace.not_found");
    await checkGives(within(deps, tx), context, rightsOfCodes(namespace, permissions));
    await checkParent(within(deps, tx), tx, context, role);
    if (!(await insertRole(tx, context.tenantId, role, now))) throw new IdentityError("role.code_taken");
    await recordEvent(
      deps,
      tx,
      context,
      {
        type: "role.created",
        target: { type: "role", id: role.id },
        data: { namespace: role.namespace, code: role.code },
      },
      [partOf(context, role.id)],
    );
    return { ...role, version: 1, createdAt: now.toISOString(), updatedAt: now.toISOString() };
  });
}

/**
 * A parent is of the same namespace, is not the role itself nor one of its descendants, and what it gives is given.
 *
 * @throws IdentityError `role.parent_invalid`, `permission.escalation`
 */
async function checkParent(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  role: Pick<Role, "id" | "namespace" | "parentId">,
): Promise<void> {
  if (role.parentId === null) return;
  const { tenantId } = context;
  await lockParents(tx, tenantId);
  const parent = await selectRole(tx, tenantId, role.parentId);
  const lineage = await selectLineage(tx, tenantId, role.parentId);
  if (parent?.namespace !== role.namespace || lineage.includes(role.id)) {
    const fields = [
      { path: "/parentId", message: "must be another role of the namespace, not below this one" },
    ];
    throw new IdentityError("role.parent_invalid", { fields });
  }
  await checkGives(deps, context, await loadRightsOf(tx, tenantId, { type: "role", id: parent.id }));
}

function partOf({ tenantId }: RequestContext, id: string): ChangeKey {
  return `access-part:${tenantId}:role:${id}`;
}

/** @throws IdentityError `permission.denied`, `role.not_found` */
export async function getRole(deps: Deps, context: RequestContext, id: string): Promise<Role> {
  const role = await selectRole(deps.database, context.tenantId, id);
  await checkPermissionIn(deps, context, "role:read", { namespace: role?.namespace });
  if (!role) throw new IdentityError("role.not_found");
  return role;
}

/** Newest first. @throws IdentityError `permission.denied` */
export async function listRoles(
  deps: Deps,
  context: RequestContext,
  query: PageRequest & RoleFilter,
): Promise<Page<Role>> {
  await checkPermissionIn(deps, context, "role:read", { namespace: query.namespace });
  const limit = query.limit ?? 50;
  const rows = await selectRoles(deps.database, context.tenantId, query, query.after, limit + 1);
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/**
 * Who changes what a role gives needs everything that it gave and will give.
 *
 * @throws IdentityError `permission.denied`, `permission.escalation`, `role.not_found`, `role.system_protected`,
 *   `role.code_taken`, `role.parent_invalid`, `precondition.failed`
 */
export async function updateRole(
  deps: Deps,
  context: RequestContext,
  id: string,
  change: UpdateRole,
  expectedVersion?: number,
): Promise<Role> {
  const now = deps.clock.now();
  return deps.database.transaction(async (tx) => {
    const joined = within(deps, tx);
    const role = await changeableRole(joined, tx, context, id, expectedVersion);
    const next = { ...role, ...change };
    const fields = Object.keys(change).filter((field) => differs(role, next, field as keyof UpdateRole));
    if (fields.length === 0) return role;
    if (fields.includes("permissions") || fields.includes("parentId")) {
      const rights = await loadRightsOf(tx, context.tenantId, { type: "role", id });
      await checkGives(joined, context, [...rights, ...rightsOfCodes(role.namespace, next.permissions)]);
      if (fields.includes("parentId")) await checkParent(joined, tx, context, next);
    }
    if ((await writeRole(tx, context.tenantId, next, now)) === "taken") {
      throw new IdentityError("role.code_taken");
    }
    await recordEvent(
      deps,
      tx,
      context,
      { type: "role.updated", target: { type: "role", id }, data: { fields } },
      [`access:${context.tenantId}`, partOf(context, id)],
    );
    return { ...next, version: role.version + 1, updatedAt: now.toISOString() };
  });
}

/**
 * Deletes a role and takes it from everybody; roles below it lose what they had by it.
 *
 * @throws IdentityError as `updateRole`
 */
export async function deleteRole(
  deps: Deps,
  context: RequestContext,
  id: string,
  expectedVersion?: number,
): Promise<void> {
  const { tenantId } = context;
  await deps.database.transaction(async (tx) => {
    const joined = within(deps, tx);
    const role = await changeableRole(joined, tx, context, id, expectedVersion);
    await checkGives(joined, context, await loadRightsOf(tx, tenantId, { type: "role", id }));
    const children = await selectChildren(tx, tenantId, id);
    await deleteRoleRow(tx, tenantId, id);
    await recordEvent(
      deps,
      tx,
      context,
      {
        type: "role.deleted",
        target: { type: "role", id },
        data: { namespace: role.namespace, code: role.code },
      },
      [`access:${tenantId}`, ...[id, ...children].map((changed) => partOf(context, changed))],
    );
  });
}

async function changeableRole(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  id: string,
  expectedVersion: number | undefined,
): Promise<Role> {
  const found = await lockRole(tx, context.tenantId, id);
  const place = { namespace: found?.namespace };
  const rule = { permission: "role:write", place, missing: "role.not_found" as const, expectedVersion };
  const role = await changeable(deps, context, found, rule);
  if (role.system) throw new IdentityError("role.system_protected");
  return role;
}

function differs(before: Role, after: Role, field: keyof UpdateRole): boolean {
  return JSON.stringify(before[field]) !== JSON.stringify(after[field]);
}
