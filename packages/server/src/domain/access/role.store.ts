import type { Role } from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";
import { violatedConstraint } from "../../platform/database/unique-violation.ts";

type RoleRow = Omit<Role, "createdAt" | "updatedAt"> & { createdAt: Date; updatedAt: Date };

const COLUMNS = `id, namespace, code, name, description, system, permissions, parent_id as "parentId", version,
  created_at as "createdAt", updated_at as "updatedAt"`;

function toRole(row: RoleRow): Role {
  return { ...row, createdAt: row.createdAt.toISOString(), updatedAt: row.updatedAt.toISOString() };
}

export type NewRole = Pick<
  Role,
  "id" | "namespace" | "code" | "name" | "description" | "system" | "permissions" | "parentId"
>;

/** False when the namespace has a role with this code. */
export async function insertRole(
  tx: Queryable,
  tenantId: string,
  role: NewRole,
  now: Date,
): Promise<boolean> {
  const rows = await tx.query<{ id: string }>(
    `insert into roles (tenant_id, id, namespace, code, name, description, system, permissions, parent_id, created_at,
                        updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
     on conflict (tenant_id, namespace, code) do nothing returning id`,
    [
      tenantId,
      role.id,
      role.namespace,
      role.code,
      role.name,
      role.description,
      role.system,
      role.permissions,
      role.parentId,
      now,
    ],
  );
  return rows.length === 1;
}

export async function selectRole(
  database: Queryable,
  tenantId: string,
  id: string,
): Promise<Role | undefined> {
  const [row] = await database.query<RoleRow>(
    `select ${COLUMNS} from roles where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return row && toRole(row);
}

export async function lockRole(tx: Transaction, tenantId: string, id: string): Promise<Role | undefined> {
  const [row] = await tx.query<RoleRow>(
    `select ${COLUMNS} from roles where tenant_id = $1 and id = $2 for update`,
    [tenantId, id],
  );
  return row && toRole(row);
}

export interface RoleFilter {
  namespace?: string | undefined;
  /** Part of code or name, in any case. */
  search?: string | undefined;
}

/** Newest first, only ids below `after`. */
export async function selectRoles(
  database: Queryable,
  tenantId: string,
  filter: RoleFilter,
  after: string | undefined,
  limit: number,
): Promise<Role[]> {
  const rows = await database.query<RoleRow>(
    `select ${COLUMNS} from roles
      where tenant_id = $1 and ($2::text is null or id < $2) and ($3::text is null or namespace = $3)
        and ($4::text is null or position(lower($4) in lower(code || ' ' || name)) > 0)
      order by id desc limit $5`,
    [tenantId, after ?? null, filter.namespace ?? null, filter.search ?? null, limit],
  );
  return rows.map(toRole);
}

/** The roles of these names: `code`, or `namespace/code`. */
export function selectRolesByName(
  database: Queryable,
  tenantId: string,
  names: readonly string[],
): Promise<{ id: string; name: string }[]> {
  return database.query(
    `select id, case when namespace = 'default' then code else namespace || '/' || code end as name
       from roles
      where tenant_id = $1
        and (namespace, code) in (
          select case when position('/' in n) = 0 then 'default' else split_part(n, '/', 1) end,
                 case when position('/' in n) = 0 then n else split_part(n, '/', 2) end
            from unnest($2::text[]) as n)`,
    [tenantId, names],
  );
}

/** Writes a role's changeable fields. "taken" when the namespace has a role with this code. */
export async function writeRole(
  tx: Transaction,
  tenantId: string,
  role: Pick<Role, "id" | "code" | "name" | "description" | "permissions" | "parentId">,
  now: Date,
): Promise<"written" | "taken"> {
  try {
    await tx.query(
      `update roles set code = $3, name = $4, description = $5, permissions = $6, parent_id = $7,
              version = version + 1, updated_at = $8 where tenant_id = $1 and id = $2`,
      [tenantId, role.id, role.code, role.name, role.description, role.permissions, role.parentId, now],
    );
    return "written";
  } catch (error) {
    if (violatedConstraint(error) === "roles_tenant_id_namespace_code_key") return "taken";
    throw error;
  }
}

export async function deleteRoleRow(tx: Transaction, tenantId: string, id: string): Promise<void> {
  await tx.query("delete from roles where tenant_id = $1 and id = $2", [tenantId, id]);
}

/** Those who give roles parents in this tenant take turns until the end of the transaction: two could make a circle. */
export async function lockParents(tx: Transaction, tenantId: string): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(hashtextextended('role-parents:' || $1, 0))", [tenantId]);
}

/** The role and its ancestors, nearest first. */
export async function selectLineage(database: Queryable, tenantId: string, id: string): Promise<string[]> {
  const rows = await database.query<{ id: string }>(
    `with recursive lineage as (
       select id, parent_id, 0 as step from roles where tenant_id = $1 and id = $2
       union all
       select r.id, r.parent_id, l.step + 1 from lineage l
         join roles r on r.tenant_id = $1 and r.id = l.parent_id where l.step < 1000)
     select id from lineage order by step`,
    [tenantId, id],
  );
  return rows.map((row) => row.id);
}

export async function selectChildren(
  database: Queryable,
  tenantId: string,
  parentId: string,
): Promise<string[]> {
  const rows = await database.query<{ id: string }>(
    "select id from roles where tenant_id = $1 and parent_id = $2",
    [tenantId, parentId],
  );
  return rows.map((row) => row.id);
}
