import type { Queryable } from "../../platform/database/types.ts";

export interface NumberedPermission {
  serial: number;
  code: string;
  name: string;
}

export async function insertPermissionNumbers(
  database: Queryable,
  tenantId: string,
  permissions: readonly { code: string; name: string }[],
): Promise<void> {
  await database.query(
    `insert into permission_numbers (tenant_id, code, name)
     select $1, p.code, p.name from unnest($2::text[], $3::text[]) as p(code, name)
      where not exists (select from permission_numbers n where n.tenant_id = $1 and n.code = p.code)
     on conflict do nothing`,
    [tenantId, permissions.map(({ code }) => code), permissions.map(({ name }) => name)],
  );
}

/** Codes of the roles in the namespace `default` that have no number yet. */
export async function selectUnnumbered(database: Queryable, tenantId: string): Promise<string[]> {
  const rows = await database.query<{ code: string }>(
    `select distinct p.code from roles r, unnest(r.permissions) as p(code)
      where r.tenant_id = $1 and r.namespace = 'default' and position('*' in p.code) = 0
        and not exists (select from permission_numbers n where n.tenant_id = $1 and n.code = p.code)
      order by 1`,
    [tenantId],
  );
  return rows.map(({ code }) => code);
}

export function selectPermissionNumbers(
  database: Queryable,
  tenantId: string,
): Promise<NumberedPermission[]> {
  return database.query(
    "select serial, code, name from permission_numbers where tenant_id = $1 order by serial",
    [tenantId],
  );
}

/** What was given to a user directly, by the names of the single-permission roles. */
export function selectDirectPermissions(
  database: Queryable,
  tenantId: string,
  userId: string,
  prefix: string,
): Promise<NumberedPermission[]> {
  return database.query(
    `select n.serial, n.code, n.name from access_grants a
       join roles r on r.tenant_id = a.tenant_id and r.id = a.role_id and r.namespace = 'default'
       join permission_numbers n on n.tenant_id = a.tenant_id and r.code = $3 || n.serial
      where a.tenant_id = $1 and a.user_id = $2 order by n.serial`,
    [tenantId, userId, prefix],
  );
}
