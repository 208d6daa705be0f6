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

/**
 * @param grants - a new id for each role; roles that the user has already, or that are no more, are passed by.
 * @returns the names of the roles that were given.
 */
export async function insertAssignments(
  tx: Transaction,
  tenantId: string,
  userId: string,
  grants: readonly { id: string; roleId: string }[],
  now: Date,
): Promise<string[]> {
  const rows = await tx.query<{ name: string }>(
    `with given as (
       insert into access_grants (tenant_id, id, user_id, role_id, created_at, updated_at)
       select $1, g.id, $2, g.role_id, $5, $5 from unnest($3::text[], $4::text[]) as g(id, role_id)
         join roles r on r.tenant_id = $1 and r.id = g.role_id
       on conflict on constraint access_grants_once do nothing returning role_id)
     select case when r.namespace = 'default' then r.code else r.namespace || '/' || r.code end as name
       from given join roles r on r.tenant_id = $1 and r.id = given.role_id order by 1`,
    [tenantId, userId, grants.map(({ id }) => id), grants.map(({ roleId }) => roleId), now],
  );
  return rows.map(({ name }) => name);
}

/** Returns the ids of the grants that are no more. */
export async function deleteAssignments(
  tx: Transaction,
  tenantId: string,
  userId: string,
  roleIds: readonly string[],
): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `delete from access_grants where tenant_id = $1 and user_id = $2 and role_id = any($3) returning id`,
    [tenantId, userId, roleIds],
  );
  return rows.map(({ id }) => id);
}

/** Everything that a user was given or is a member of. */
export async function deleteAllRights(tx: Transaction, tenantId: string, userId: string): Promise<void> {
  for (const table of ["access_grants", "delegations", "group_members", "unit_members"]) {
    await tx.query(`delete from ${table} where tenant_id = $1 and user_id = $2`, [tenantId, userId]);
  }
}

export interface AssignedRole {
  id: string;
  /** `code`, or `namespace/code`. */
  name: string;
}

/** What was given to the user himself, switched off or not. */
export function selectAssignedRoles(
  database: Queryable,
  tenantId: string,
  userId: string,
): Promise<AssignedRole[]> {
  return database.query(
    `select r.id, case when r.namespace = 'default' then r.code else r.namespace || '/' || r.code end as name
       from access_grants a join roles r on r.tenant_id = a.tenant_id and r.id = a.role_id
      where a.tenant_id = $1 and a.user_id = $2 order by 2`,
    [tenantId, userId],
  );
}

/** Makes the others who change administrators of this tenant wait until the end of the transaction. */
export async function lockAdministrators(tx: Transaction, tenantId: string): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(hashtextextended('administrators:' || $1, 0))", [tenantId]);
}

/** Whether an active user has the role: himself, as a member of a group or unit, or of a sub-unit that inherits it. */
export async function hasActiveAdministrator(
  database: Queryable,
  tenantId: string,
  role: string,
): Promise<boolean> {
  const [row] = await database.query<{ found: boolean }>(
    `with recursive
       given as (
         select a.user_id, a.group_id, a.unit_id, a.inherit from roles r
           join access_grants a on a.tenant_id = r.tenant_id and a.role_id = r.id and a.enabled
          where r.tenant_id = $1 and r.namespace = 'default' and r.code = $2),
       below as (
         select unit_id as id, inherit from given where unit_id is not null
         union
         select u.id, true from below b join units u on u.tenant_id = $1 and u.parent_id = b.id where b.inherit)
     select exists (select from given g join users u on u.tenant_id = $1 and u.id = g.user_id where u.status = 'active')
         or exists (select from given g join group_members m on m.tenant_id = $1 and m.group_id = g.group_id
                      join users u on u.tenant_id = $1 and u.id = m.user_id where u.status = 'active')
         or exists (select from below b join unit_members m on m.tenant_id = $1 and m.unit_id = b.id
                      join users u on u.tenant_id = $1 and u.id = m.user_id where u.status = 'active') as found`,
    [tenantId, role],
  );
  return row?.found ?? false;
}
