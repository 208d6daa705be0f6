import type { Delegation, ScopeType, Subject } from "@ostiary/contracts";
import { conditionsOf } from "../../platform/database/conditions.ts";
import type { Queryable, SqlValue, Transaction } from "../../platform/database/types.ts";

type DelegationRow = Omit<Delegation, "createdAt" | "updatedAt" | "subject" | "scope"> & {
  subjectType: Subject["type"];
  subjectId: string;
  scopeType: ScopeType;
  scopeId: string;
  createdAt: Date;
  updatedAt: Date;
};

const COLUMNS = `id, subject_type as "subjectType", subject_id as "subjectId", scope_type as "scopeType",
  scope_id as "scopeId", permissions, version, created_at as "createdAt", updated_at as "updatedAt"`;

function toDelegation({ subjectType, subjectId, scopeType, scopeId, ...row }: DelegationRow): Delegation {
  return {
    ...row,
    subject: { type: subjectType, id: subjectId },
    scope: { type: scopeType, id: scopeId },
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

const SUBJECT_COLUMNS: Record<Subject["type"], string> = {
  user: "user_id",
  group: "group_id",
  unit: "unit_id",
  application: "application_id",
  role: "role_id",
};
const SCOPE_COLUMNS: Record<ScopeType, string> = {
  organization: "in_organization_id",
  unit: "in_unit_id",
  application: "in_application_id",
  namespace: "in_namespace",
};
const SCOPE_TABLES: Record<ScopeType, string> = {
  organization: "organizations where id",
  unit: "units where id",
  application: "applications where id",
  namespace: "namespaces where code",
};

/** Undefined when the subject has a delegation there. */
export async function insertDelegation(
  tx: Transaction,
  tenantId: string,
  { id, subject, scope, permissions }: Pick<Delegation, "id" | "subject" | "scope" | "permissions">,
  now: Date,
): Promise<Delegation | undefined> {
  const [row] = await tx.query<DelegationRow>(
    `insert into delegations (tenant_id, id, ${SUBJECT_COLUMNS[subject.type]}, ${SCOPE_COLUMNS[scope.type]},
                              permissions, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $6) on conflict on constraint delegations_once do nothing returning ${COLUMNS}`,
    [tenantId, id, subject.id, scope.id, permissions, now],
  );
  return row && toDelegation(row);
}

/** Whether there is such a place; it cannot go until the end of the transaction. */
export async function holdScope(
  tx: Transaction,
  tenantId: string,
  { type, id }: Delegation["scope"],
): Promise<boolean> {
  const rows = await tx.query<{ id: string }>(
    `select id from ${SCOPE_TABLES[type]} = $2 and tenant_id = $1 for key share`,
    [tenantId, id],
  );
  return rows.length === 1;
}

export async function selectDelegation(
  database: Queryable,
  tenantId: string,
  id: string,
): Promise<Delegation | undefined> {
  const [row] = await database.query<DelegationRow>(
    `select ${COLUMNS} from delegations where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return row && toDelegation(row);
}

export async function lockDelegation(
  tx: Transaction,
  tenantId: string,
  id: string,
): Promise<Delegation | undefined> {
  const [row] = await tx.query<DelegationRow>(
    `select ${COLUMNS} from delegations where tenant_id = $1 and id = $2 for update`,
    [tenantId, id],
  );
  return row && toDelegation(row);
}

export interface DelegationFilter {
  subjectType?: Subject["type"] | undefined;
  subjectId?: string | undefined;
  scopeType?: ScopeType | undefined;
  scopeId?: string | undefined;
}

/** Newest first, only ids below `after`. */
export async function selectDelegations(
  database: Queryable,
  tenantId: string,
  filter: DelegationFilter,
  after: string | undefined,
  limit: number,
): Promise<Delegation[]> {
  const values: SqlValue[] = [limit];
  const conditions = conditionsOf(values, [
    ["tenant_id =", tenantId],
    ["id <", after],
    ["subject_type =", filter.subjectType],
    ["subject_id =", filter.subjectId],
    ["scope_type =", filter.scopeType],
    ["scope_id =", filter.scopeId],
  ]);
  const rows = await database.query<DelegationRow>(
    `select ${COLUMNS} from delegations where ${conditions} order by id desc limit $1`,
    values,
  );
  return rows.map(toDelegation);
}

export async function writeDelegation(
  tx: Transaction,
  tenantId: string,
  { id, permissions }: Delegation,
  now: Date,
): Promise<void> {
  await tx.query(
    `update delegations set permissions = $3, version = version + 1, updated_at = $4
      where tenant_id = $1 and id = $2`,
    [tenantId, id, permissions, now],
  );
}

export async function deleteDelegationRow(tx: Transaction, tenantId: string, id: string): Promise<void> {
  await tx.query("delete from delegations where tenant_id = $1 and id = $2", [tenantId, id]);
}

/**
 * What was delegated to a user or application, also by way of groups, units with their ancestors, and roles.
 *
 * @param principals - `type:id` of all of these.
 */
export function selectDelegatedTo(
  database: Queryable,
  tenantId: string,
  principals: readonly string[],
): Promise<{ scopeType: ScopeType; scopeId: string; permissions: string[] }[]> {
  return database.query(
    `select scope_type as "scopeType", scope_id as "scopeId", permissions from delegations
      where tenant_id = $1 and (subject_type, subject_id) in (
        select split_part(p, ':', 1), split_part(p, ':', 2) from unnest($2::text[]) as p)`,
    [tenantId, principals],
  );
}

/** The units of a unit's or user's lines up to the root, and their organizations: `type:id`. */
export async function selectPlacesOf(
  database: Queryable,
  tenantId: string,
  of: { type: "unit" | "user"; id: string },
): Promise<string[]> {
  const rows = await database.query<{ id: string; organizationId: string }>(
    `with recursive lineage as (
       select u.id, u.organization_id, u.parent_id from units u
        where u.tenant_id = $1
          and u.id = any(array(select unit_id from unit_members where tenant_id = $1 and user_id = $3 and $2 = 'user'
                               union all select $3 where $2 = 'unit'))
       union
       select p.id, p.organization_id, p.parent_id
         from lineage l join units p on p.tenant_id = $1 and p.id = l.parent_id)
     select id, organization_id as "organizationId" from lineage`,
    [tenantId, of.type, of.id],
  );
  return rows.flatMap(({ id, organizationId }) => [`unit:${id}`, `organization:${organizationId}`]);
}
