import type { BillingRule } from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";
import { violatedConstraint } from "../../platform/database/unique-violation.ts";
import type { ActiveRule } from "./match-rule.ts";

type Row = Omit<BillingRule, "createdAt" | "updatedAt"> & { createdAt: Date; updatedAt: Date };

const COLUMNS = `id, application_id as "applicationId", name, method, path, kind, trim_scale(price)::text as price,
  status, version, created_at as "createdAt", updated_at as "updatedAt"`;

function toRule(row: Row): BillingRule {
  return { ...row, createdAt: row.createdAt.toISOString(), updatedAt: row.updatedAt.toISOString() };
}

export type NewRule = Omit<BillingRule, "version" | "createdAt" | "updatedAt">;

/** Undefined when there is one for this application, method and path; "no application" when that does not exist. */
export async function insertRule(
  tx: Queryable,
  tenantId: string,
  rule: NewRule,
  now: Date,
): Promise<BillingRule | "exists" | "no application"> {
  try {
    const [row] = await tx.query<Row>(
      `insert into billing_rules (tenant_id, id, application_id, name, method, path, kind, price, status,
                                  created_at, updated_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10) on conflict do nothing returning ${COLUMNS}`,
      [
        tenantId,
        rule.id,
        rule.applicationId,
        rule.name,
        rule.method,
        rule.path,
        rule.kind,
        rule.price,
        rule.status,
        now,
      ],
    );
    return row ? toRule(row) : "exists";
  } catch (error) {
    if (violatedConstraint(error) === "billing_rules_tenant_id_application_id_fkey") return "no application";
    throw error;
  }
}

export async function selectRule(
  database: Queryable,
  tenantId: string,
  id: string,
): Promise<BillingRule | undefined> {
  const [row] = await database.query<Row>(
    `select ${COLUMNS} from billing_rules where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return row && toRule(row);
}

export async function lockRule(
  tx: Transaction,
  tenantId: string,
  id: string,
): Promise<BillingRule | undefined> {
  const [row] = await tx.query<Row>(
    `select ${COLUMNS} from billing_rules where tenant_id = $1 and id = $2 for update`,
    [tenantId, id],
  );
  return row && toRule(row);
}

/** The rule of exactly this application, method and path, whatever its status. */
export async function selectRuleByPath(
  database: Queryable,
  tenantId: string,
  { applicationId, method, path }: Pick<BillingRule, "applicationId" | "method" | "path">,
): Promise<BillingRule | undefined> {
  const [row] = await database.query<Row>(
    `select ${COLUMNS} from billing_rules
      where tenant_id = $1 and coalesce(application_id, '') = $2 and coalesce(method, '') = $3 and path = $4`,
    [tenantId, applicationId ?? "", method ?? "", path],
  );
  return row && toRule(row);
}

export interface RuleFilter {
  applicationId?: string | undefined;
  /** Part of name or path, in any case. */
  search?: string | undefined;
}

/** Newest first, only ids below `after`. */
export async function selectRules(
  database: Queryable,
  tenantId: string,
  filter: RuleFilter,
  after: string | undefined,
  limit: number,
): Promise<BillingRule[]> {
  const rows = await database.query<Row>(
    `select ${COLUMNS} from billing_rules
      where tenant_id = $1 and ($2::text is null or id < $2) and ($3::text is null or application_id = $3)
        and ($4::text is null or position(lower($4) in lower(name || ' ' || path)) > 0)
      order by id desc limit $5`,
    [tenantId, after ?? null, filter.applicationId ?? null, filter.search ?? null, limit],
  );
  return rows.map(toRule);
}

export function selectActiveRules(database: Queryable, tenantId: string): Promise<ActiveRule[]> {
  return database.query(
    `select id, application_id as "applicationId", method, path, kind, trim_scale(price)::text as price
       from billing_rules where tenant_id = $1 and status = 'active' order by id`,
    [tenantId],
  );
}

export async function countRules(
  database: Queryable,
  tenantId: string,
  applicationId: string,
): Promise<number> {
  const [row] = await database.query<{ count: number }>(
    "select count(*) as count from billing_rules where tenant_id = $1 and application_id = $2",
    [tenantId, applicationId],
  );
  return row?.count ?? 0;
}

export async function writeRule(
  tx: Transaction,
  tenantId: string,
  rule: Pick<BillingRule, "id" | "name" | "kind" | "price" | "status">,
  now: Date,
): Promise<void> {
  await tx.query(
    `update billing_rules set name = $3, kind = $4, price = $5, status = $6, version = version + 1, updated_at = $7
      where tenant_id = $1 and id = $2`,
    [tenantId, rule.id, rule.name, rule.kind, rule.price, rule.status, now],
  );
}

export async function deleteRuleRow(tx: Transaction, tenantId: string, id: string): Promise<void> {
  await tx.query("delete from billing_rules where tenant_id = $1 and id = $2", [tenantId, id]);
}
