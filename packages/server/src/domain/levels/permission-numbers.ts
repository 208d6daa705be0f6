import { IdentityError, PERMISSIONS, type Tenant } from "@ostiary/contracts";
import { type RequestContext, systemContext } from "../../kernel/context.ts";
import { assignRoles, checkPermission, createRole, holds, unassignRoles } from "../access/index.ts";
import { type Deps, within } from "../deps.ts";
import { findPerson } from "./people.ts";
import {
  insertPermissionNumbers,
  type NumberedPermission,
  selectDirectPermissions,
  selectPermissionNumbers,
  selectUnnumbered,
} from "./permission-numbers.store.ts";

export type { NumberedPermission };

/** Codes of the roles that stand for one permission each; the rest is the permission's number. */
const SINGLE = "permission-";

/**
 * All permissions that there are in the namespace `default`, with a number each: ours and those of the tenant's roles.
 * For staff, and for who may read roles.
 *
 * @throws IdentityError `permission.denied`
 */
export async function listNumberedPermissions(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
): Promise<NumberedPermission[]> {
  const { id } = context.actor;
  const person =
    holds(context.permissions, "role:read") || !id ? null : await findPerson(deps, tenant, { id });
  if (!person?.isStaff) checkPermission(context, "role:read");
  return loadNumbers(deps, context.tenantId);
}

async function loadNumbers(deps: Deps, tenantId: string): Promise<NumberedPermission[]> {
  const known = await selectPermissionNumbers(deps.database, tenantId);
  const codes = new Set(known.map(({ code }) => code));
  const missing = [
    ...PERMISSIONS.filter((code) => !codes.has(code)),
    ...(await selectUnnumbered(deps.database, tenantId)),
  ];
  if (missing.length === 0) return known;
  const named = [...new Set(missing)].map((code) => ({ code, name: nameOf(code) }));
  await insertPermissionNumbers(deps.database, tenantId, named);
  return selectPermissionNumbers(deps.database, tenantId);
}

/** `user:read` is "Can read user"; front ends show it. */
function nameOf(code: string): string {
  const colon = code.indexOf(":");
  if (colon < 0) return code;
  return `Can ${code.slice(colon + 1).replaceAll("_", " ")} ${code.slice(0, colon).replaceAll(/[-_]/g, " ")}`;
}

/** What was given to the user himself and not by a group or another role. */
export function findDirectPermissions(
  deps: Deps,
  tenantId: string,
  userId: string,
): Promise<NumberedPermission[]> {
  return selectDirectPermissions(deps.database, tenantId, userId, SINGLE);
}

/**
 * Makes these the only permissions that a user has directly. Who gives or takes one must have it.
 *
 * @throws IdentityError `permission.not_found`, `permission.denied`, `permission.escalation`, `user.not_found`,
 *   `user.last_administrator`
 */
export async function setDirectPermissions(
  deps: Deps,
  context: RequestContext,
  userId: string,
  serials: readonly number[],
): Promise<void> {
  const { tenantId } = context;
  const wanted = new Set(serials);
  const all = await loadNumbers(deps, tenantId);
  const given = all.filter(({ serial }) => wanted.has(serial));
  if (given.length < wanted.size) throw new IdentityError("permission.not_found");
  await deps.database.transaction(async (tx) => {
    const joined = within(deps, tx);
    const before = await findDirectPermissions(joined, tenantId, userId);
    const fresh = given.filter(({ serial }) => !before.some((one) => one.serial === serial));
    const gone = before.filter(({ serial }) => !wanted.has(serial));
    for (const permission of fresh) await ensureRole(joined, context, permission);
    if (gone.length > 0) await unassignRoles(joined, context, userId, gone.map(roleOf));
    if (fresh.length > 0) await assignRoles(joined, context, userId, fresh.map(roleOf));
  });
}

const roleOf = ({ serial }: NumberedPermission) => `${SINGLE}${serial}`;

/** A role that nobody has gives nothing to anybody, so making it is the system's business. */
async function ensureRole(
  deps: Deps,
  context: RequestContext,
  permission: NumberedPermission,
): Promise<void> {
  const role = {
    code: roleOf(permission),
    name: permission.name.slice(0, 128),
    description: "One permission, for users who have it directly",
    permissions: [permission.code],
  };
  await ensure(deps, context, role);
}

/** The role that stands for a flag (`is_staff`), made when it is first needed. */
export async function ensureFlagRole(deps: Deps, context: RequestContext, code: string): Promise<void> {
  await ensure(deps, context, { code, name: code, permissions: [] });
}

async function ensure(
  deps: Deps,
  context: RequestContext,
  role: { code: string; name: string; permissions: string[] },
): Promise<void> {
  try {
    await createRole(deps, systemContext(context.tenantId, context.traceId), role);
  } catch (error) {
    if (!(error instanceof IdentityError && error.code === "role.code_taken")) throw error;
  }
}
