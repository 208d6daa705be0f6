import type { Policy } from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";
import { violatedConstraint } from "../../platform/database/unique-violation.ts";

type PolicyRow = Omit<Policy, "createdAt" | "updatedAt"> & { createdAt: Date; updatedAt: Date };

const COLUMNS = `id, namespace, code, name, description, statements, system, version,
  created_at as "createdAt", updated_at as "updatedAt"`;

function toPolicy(row: PolicyRow): Policy {
  return { ...row, createdAt: row.createdAt.toISOString(), updatedAt: row.updatedAt.toISOString() };
}

export type NewPolicy = Omit<Policy, "version" | "createdAt" | "updatedAt">;

/** False when the namespace has one with this code. */
export async function insertPolicy(
  tx: Transaction,
  tenantId: string,
  policy: NewPolicy,
  now: Date,
): Promise<boolean> {
  const rows = await tx.query<{ id: string }>(
    `insert into policies (tenant_id, id, namespace, code, name, description, statements, system, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
     on conflict (tenant_id, namespace, code) do nothing returning id`,
    [
      tenantId,
      policy.id,
      policy.namespace,
      policy.code,
      policy.name,
      policy.description,
      JSON.stringify(policy.statements),
      policy.system,
      now,
    ],
  );
  return rows.length === 1;
}

export async function selectPolicy(
  database: Queryable,
  tenantId: string,
  id: string,
): Promise<Policy | undefined> {
  const [row] = await database.query<PolicyRow>(
    `select ${COLUMNS} from policies where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return row && toPolicy(row);
}

export async function lockPolicy(tx: Transaction, tenantId: string, id: string): Promise<Policy | undefined> {
  const [row] = await tx.query<PolicyRow>(
    `select ${COLUMNS} from policies where tenant_id = $1 and id = $2 for update`,
    [tenantId, id],
  );
  return row && toPolicy(row);
}

export interface PolicyFilter {
  namespace?: string | undefined;
  /** Part of code or name, in any case. */
  search?: string | undefined;
}

/** Newest first, only ids below `after`. */
export async function selectPolicies(
  database: Queryable,
  tenantId: string,
  filter: PolicyFilter,
  after: string | undefined,
  limit: number,
): Promise<Policy[]> {
  const rows = await database.query<PolicyRow>(
    `select ${COLUMNS} from policies
      where tenant_id = $1 and ($2::text is null or id < $2) and ($3::text is null or namespace = $3)
        and ($4::text is null or position(lower($4) in lower(code || ' ' || name)) > 0)
      order by id desc limit $5`,
    [tenantId, after ?? null, filter.namespace ?? null, filter.search ?? null, limit],
  );
  return rows.map(toPolicy);
}

/** Writes all that can change. "taken" when the namespace has one with this code. */
export async function writePolicy(
  tx: Transaction,
  tenantId: string,
  policy: Policy,
  now: Date,
): Promise<"written" | "taken"> {
  try {
    await tx.query(
      `update policies set code = $3, name = $5, description = $6, statements = $7,
              version = version + 1, updated_at = $4 where tenant_id = $1 and id = $2`,
      [
        tenantId,
        policy.id,
        policy.code,
        now,
        policy.name,
        policy.description,
        JSON.stringify(policy.statements),
      ],
    );
    return "written";
  } catch (error) {
    if (violatedConstraint(error) === "policies_tenant_id_namespace_code_key") return "taken";
    throw error;
  }
}

export async function deletePolicyRow(tx: Transaction, tenantId: string, id: string): Promise<void> {
  await tx.query("delete from policies where tenant_id = $1 and id = $2", [tenantId, id]);
}
