import type { AccessGrant, Subject } from "@ostiary/contracts";
import { conditionsOf } from "../../platform/database/conditions.ts";
import type { Queryable, SqlValue, Transaction } from "../../platform/database/types.ts";

type GrantRow = Omit<AccessGrant, "createdAt" | "updatedAt" | "subject" | "kind"> & {
  subjectType: Subject["type"];
  subjectId: string;
  createdAt: Date;
  updatedAt: Date;
};

/** As the engine's `Grant`; of the row `g`. */
export const GRANT_JSON = `jsonb_strip_nulls(jsonb_build_object(
  'id', g.id, 'kind', case when g.role_id is not null then 'role' when g.policy_id is not null then 'policy'
                           else 'resource' end,
  'subject', jsonb_build_object('type', g.subject_type, 'id', g.subject_id), 'inherit', g.inherit,
  'enabled', g.enabled, 'roleId', g.role_id, 'policyId', g.policy_id, 'namespace', g.namespace,
  'resource', g.resource, 'actions', g.actions, 'effect', g.effect))`;

const COLUMNS = `id, subject_type as "subjectType", subject_id as "subjectId", role_id as "roleId",
  policy_id as "policyId", namespace, resource, actions, effect, inherit, enabled, version,
  created_at as "createdAt", updated_at as "updatedAt"`;

function toGrant({ subjectType, subjectId, ...row }: GrantRow): AccessGrant {
  return {
    ...row,
    subject: { type: subjectType, id: subjectId },
    kind: row.roleId !== null ? "role" : row.policyId !== null ? "policy" : "resource",
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

const SUBJECT_COLUMNS: Record<Subject["type"], string> = {
  user: "user_id",
  group: "group_id",
  unit: "unit_id",
  application: "application_id",
  role: "to_role_id",
};

export type NewGrant = Pick<
  AccessGrant,
  | "id"
  | "subject"
  | "roleId"
  | "policyId"
  | "namespace"
  | "resource"
  | "actions"
  | "effect"
  | "inherit"
  | "enabled"
>;

/** Undefined when the subject has been given this already. */
export async function insertGrant(
  tx: Transaction,
  tenantId: string,
  grant: NewGrant,
  now: Date,
): Promise<AccessGrant | undefined> {
  const { id, subject, roleId, policyId, namespace, resource, actions, effect, inherit, enabled } = grant;
  const [row] = await tx.query<GrantRow>(
    `insert into access_grants (tenant_id, id, ${SUBJECT_COLUMNS[subject.type]}, role_id, policy_id, namespace, resource,
                                actions, effect, inherit, enabled, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
     on conflict on constraint access_grants_once do nothing returning ${COLUMNS}`,
    [tenantId, id, subject.id, roleId, policyId, namespace, resource, actions, effect, inherit, enabled, now],
  );
  return row && toGrant(row);
}

/** The grant that stands in the way of the same one. */
export async function selectSameGrant(
  database: Queryable,
  tenantId: string,
  { subject, roleId, policyId, namespace, resource, effect }: NewGrant,
): Promise<AccessGrant | undefined> {
  const [row] = await database.query<GrantRow>(
    `select ${COLUMNS} from access_grants
      where tenant_id = $1 and subject_type = $2 and subject_id = $3 and role_id is not distinct from $4
        and policy_id is not distinct from $5 and namespace is not distinct from $6
        and resource is not distinct from $7 and effect is not distinct from $8`,
    [tenantId, subject.type, subject.id, roleId, policyId, namespace, resource, effect],
  );
  return row && toGrant(row);
}

export async function selectGrant(
  database: Queryable,
  tenantId: string,
  id: string,
): Promise<AccessGrant | undefined> {
  const [row] = await database.query<GrantRow>(
    `select ${COLUMNS} from access_grants where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return row && toGrant(row);
}

export async function lockGrant(
  tx: Transaction,
  tenantId: string,
  id: string,
): Promise<AccessGrant | undefined> {
  const [row] = await tx.query<GrantRow>(
    `select ${COLUMNS} from access_grants where tenant_id = $1 and id = $2 for update`,
    [tenantId, id],
  );
  return row && toGrant(row);
}

export interface GrantFilter {
  subjectType?: Subject["type"] | undefined;
  subjectId?: string | undefined;
  roleId?: string | undefined;
  policyId?: string | undefined;
  namespace?: string | undefined;
  resource?: string | undefined;
}

/** Newest first, only ids below `after`. The text has only the conditions asked for, so that their index is used. */
export async function selectGrants(
  database: Queryable,
  tenantId: string,
  filter: GrantFilter,
  after: string | undefined,
  limit: number,
): Promise<AccessGrant[]> {
  const values: SqlValue[] = [limit];
  const conditions = conditionsOf(values, [
    ["tenant_id =", tenantId],
    ["id <", after],
    ["subject_type =", filter.subjectType],
    ["subject_id =", filter.subjectId],
    ["role_id =", filter.roleId],
    ["policy_id =", filter.policyId],
    ["namespace =", filter.namespace],
    ["resource =", filter.resource],
  ]);
  const rows = await database.query<GrantRow>(
    `select ${COLUMNS} from access_grants where ${conditions} order by id desc limit $1`,
    values,
  );
  return rows.map(toGrant);
}

export async function writeGrant(
  tx: Transaction,
  tenantId: string,
  { id, actions, inherit, enabled }: AccessGrant,
  now: Date,
): Promise<void> {
  await tx.query(
    `update access_grants set actions = $3, inherit = $4, enabled = $5, version = version + 1, updated_at = $6
      where tenant_id = $1 and id = $2`,
    [tenantId, id, actions, inherit, enabled, now],
  );
}

export async function deleteGrantRow(tx: Transaction, tenantId: string, id: string): Promise<void> {
  await tx.query("delete from access_grants where tenant_id = $1 and id = $2", [tenantId, id]);
}

const SUBJECT_TABLES: Record<Subject["type"], string> = {
  user: "users",
  group: "groups",
  unit: "units",
  application: "applications",
  role: "roles",
};

/** Whether there is such a subject; it cannot go until the end of the transaction. Deleted users are none. */
export async function holdSubject(
  tx: Transaction,
  tenantId: string,
  { type, id }: Subject,
): Promise<boolean> {
  const rows = await tx.query<{ id: string }>(
    `select id from ${SUBJECT_TABLES[type]} where tenant_id = $1 and id = $2
      ${type === "user" ? "and status <> 'deleted'" : ""} for key share`,
    [tenantId, id],
  );
  return rows.length === 1;
}
