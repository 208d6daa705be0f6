import type { Queryable, Transaction } from "../../platform/database/types.ts";

/** Locks the user until the end of the transaction; false when there is no such user or it is deleted. */
export async function lockUser(tx: Transaction, tenantId: string, userId: string): Promise<boolean> {
  const rows = await tx.query<{ id: string }>(
    `select id from users where tenant_id = $1 and id = $2 and status <> 'deleted' for no key update`,
    [tenantId, userId],
  );
  return rows.length === 1;
}

/** The change is part of the user that others see, so it counts as one. */
export async function touchUser(tx: Transaction, tenantId: string, userId: string, now: Date): Promise<void> {
  await tx.query("update users set version = version + 1, updated_at = $3 where tenant_id = $1 and id = $2", [
    tenantId,
    userId,
    now,
  ]);
}

/** Returns the ids of the roles that the user did not have before. */
export async function insertAssignments(
  tx: Transaction,
  tenantId: string,
  userId: string,
  roleIds: readonly string[],
  now: Date,
): Promise<string[]> {
  const rows = await tx.query<{ roleId: string }>(
    `insert into role_assignments (tenant_id, role_id, user_id, created_at)
     select $1, r, $2, $4 from unnest($3::text[]) as r
     on conflict do nothing returning role_id as "roleId"`,
    [tenantId, userId, roleIds, now],
  );
  return rows.map((row) => row.roleId);
}

/** Returns the ids of the roles that the user had. */
export async function deleteAssignments(
  tx: Transaction,
  tenantId: string,
  userId: string,
  roleIds: readonly string[],
): Promise<string[]> {
  const rows = await tx.query<{ roleId: string }>(
    `delete from role_assignments where tenant_id = $1 and user_id = $2 and role_id = any($3)
     returning role_id as "roleId"`,
    [tenantId, userId, roleIds],
  );
  return rows.map((row) => row.roleId);
}

export async function deleteAllAssignments(tx: Transaction, tenantId: string, userId: string): Promise<void> {
  await tx.query("delete from role_assignments where tenant_id = $1 and user_id = $2", [tenantId, userId]);
}

export interface AssignedRole {
  id: string;
  /** `code`, or `namespace/code`. */
  name: string;
  permissions: string[];
}

export function selectAssignedRoles(
  database: Queryable,
  tenantId: string,
  userId: string,
): Promise<AssignedRole[]> {
  return database.query(
    `select r.id, case when r.namespace = 'default' then r.code else r.namespace || '/' || r.code end as name,
            r.permissions
       from role_assignments a join roles r on r.tenant_id = a.tenant_id and r.id = a.role_id
      where a.tenant_id = $1 and a.user_id = $2 order by 2`,
    [tenantId, userId],
  );
}

/** Makes the others who change administrators of this tenant wait until the end of the transaction. */
export async function lockAdministrators(tx: Transaction, tenantId: string): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(hashtextextended('administrators:' || $1, 0))", [tenantId]);
}

export async function hasActiveAdministrator(
  database: Queryable,
  tenantId: string,
  role: string,
): Promise<boolean> {
  const [row] = await database.query<{ found: boolean }>(
    `select exists (
       select 1 from roles r
         join role_assignments a on a.tenant_id = r.tenant_id and a.role_id = r.id
         join users u on u.tenant_id = a.tenant_id and u.id = a.user_id
        where r.tenant_id = $1 and r.namespace = 'default' and r.code = $2 and u.status = 'active') as found`,
    [tenantId, role],
  );
  return row?.found ?? false;
}
