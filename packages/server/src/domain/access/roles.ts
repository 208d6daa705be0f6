import {
  type CreateRole,
  IdentityError,
  type Page,
  type PageRequest,
  type Role,
  type UpdateRole,
} from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import type { Queryable } from "../../platform/database/types.ts";
import { recordEvent } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import { checkNoEscalation, checkPermission } from "./permissions.ts";
import {
  deleteRoleRow,
  insertRole,
  lockRole,
  type RoleFilter,
  selectRole,
  selectRoles,
  writeRole,
} from "./role.store.ts";

/** Code of the built-in role that may do everything. */
export const ADMINISTRATOR = "administrator";

/** What every tenant has from its first moment. Does nothing where it is there already. */
export async function createBuiltInRoles(tx: Queryable, tenantId: string, now: Date): Promise<void> {
  await insertRole(
    tx,
    tenantId,
    {
      id: newId(now),
      namespace: "default",
      code: ADMINISTRATOR,
      name: "Administrator",
      description: "May do everything",
      system: true,
      permissions: ["*"],
    },
    now,
  );
}

/** @throws IdentityError `permission.denied`, `permission.escalation`, `role.code_taken` */
export async function createRole(deps: Deps, context: RequestContext, input: CreateRole): Promise<Role> {
  checkPermission(context, "role:write");
  checkNoEscalation(context, input.permissions ?? []);
  const now = deps.clock.now();
  const role = {
    id: newId(now),
    namespace: input.namespace ?? "default",
    code: input.code,
    name: input.name ?? input.code,
    description: input.description ?? "",
    system: false,
    permissions: input.permissions ?? [],
  };
  return deps.database.transaction(async (tx) => {
    if (!(await insertRole(tx, context.tenantId, role, now))) throw new IdentityError("role.code_taken");
    await recordEvent(deps, tx, context, {
      type: "role.created",
      target: { type: "role", id: role.id },
      data: { namespace: role.namespace, code: role.code },
    });
    return { ...role, version: 1, createdAt: now.toISOString(), updatedAt: now.toISOString() };
  });
}

/** @throws IdentityError `permission.denied`, `role.not_found` */
export async function getRole(deps: Deps, context: RequestContext, id: string): Promise<Role> {
  checkPermission(context, "role:read");
  const role = await selectRole(deps.database, context.tenantId, id);
  if (!role) throw new IdentityError("role.not_found");
  return role;
}

/** Newest first. @throws IdentityError `permission.denied` */
export async function listRoles(
  deps: Deps,
  context: RequestContext,
  query: PageRequest & RoleFilter,
): Promise<Page<Role>> {
  checkPermission(context, "role:read");
  const limit = query.limit ?? 50;
  const rows = await selectRoles(deps.database, context.tenantId, query, query.after, limit + 1);
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/**
 * Who changes what a role permits needs everything that it permitted and will permit.
 *
 * @throws IdentityError `permission.denied`, `permission.escalation`, `role.not_found`, `role.system_protected`,
 *   `role.code_taken`, `precondition.failed`
 */
export async function updateRole(
  deps: Deps,
  context: RequestContext,
  id: string,
  change: UpdateRole,
  expectedVersion?: number,
): Promise<Role> {
  checkPermission(context, "role:write");
  const now = deps.clock.now();
  return deps.database.transaction(async (tx) => {
    const role = await changeableRole(tx, context, id, expectedVersion);
    if (change.permissions) checkNoEscalation(context, [...role.permissions, ...change.permissions]);
    const next = { ...role, ...change };
    const fields = Object.keys(change).filter((field) => differs(role, next, field as keyof UpdateRole));
    if (fields.length === 0) return role;
    if ((await writeRole(tx, context.tenantId, next, now)) === "taken") {
      throw new IdentityError("role.code_taken");
    }
    await recordEvent(
      deps,
      tx,
      context,
      { type: "role.updated", target: { type: "role", id }, data: { fields } },
      [`access:${context.tenantId}`],
    );
    return { ...next, version: role.version + 1, updatedAt: now.toISOString() };
  });
}

/**
 * Deletes a role and takes it from everybody.
 *
 * @throws IdentityError as `updateRole`
 */
export async function deleteRole(
  deps: Deps,
  context: RequestContext,
  id: string,
  expectedVersion?: number,
): Promise<void> {
  checkPermission(context, "role:write");
  await deps.database.transaction(async (tx) => {
    const role = await changeableRole(tx, context, id, expectedVersion);
    checkNoEscalation(context, role.permissions);
    await deleteRoleRow(tx, context.tenantId, id);
    await recordEvent(
      deps,
      tx,
      context,
      {
        type: "role.deleted",
        target: { type: "role", id },
        data: { namespace: role.namespace, code: role.code },
      },
      [`access:${context.tenantId}`],
    );
  });
}

async function changeableRole(
  tx: Parameters<typeof lockRole>[0],
  context: RequestContext,
  id: string,
  expectedVersion: number | undefined,
): Promise<Role> {
  const role = await lockRole(tx, context.tenantId, id);
  if (!role) throw new IdentityError("role.not_found");
  if (expectedVersion !== undefined && expectedVersion !== role.version) {
    throw new IdentityError("precondition.failed");
  }
  if (role.system) throw new IdentityError("role.system_protected");
  return role;
}

function differs(before: Role, after: Role, field: keyof UpdateRole): boolean {
  return JSON.stringify(before[field]) !== JSON.stringify(after[field]);
}
