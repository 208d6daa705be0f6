import type { LedgerDimension, LedgerRow, UsageDimension, UsageRow } from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";
import { millisecondsOf } from "./latency.ts";

/** Whether this transaction may roll up: one at a time does. */
export async function tryLockRollUp(tx: Transaction): Promise<boolean> {
  const [row] = await tx.query<{ locked: boolean }>(
    "select pg_try_advisory_xact_lock(hashtext('usage_roll_up')) as locked",
  );
  return row?.locked ?? false;
}

/** Takes a deleted tenant's sums away and moves the others' to where they stay. Returns how many rows were moved. */
export async function moveDeltas(tx: Transaction, limit: number): Promise<number> {
  const [row] = await tx.query<{ moved: number }>(
    `with moved as (
       delete from usage_deltas where ctid = any(array(select ctid from usage_deltas limit $1 for update skip locked))
       returning *),
     known as materialized (select m.* from moved m where exists (select from tenants t where t.id = m.tenant_id)),
     rolled as (
       insert into usage_rollups (tenant_id, grain, at, application_id, user_id, method, route, status, rule_id, bucket,
                                  calls, duration, cost)
       select tenant_id, grain, date_trunc(grain, at, 'UTC') as start, application_id, user_id, method, route, status,
              rule_id, bucket, sum(calls), sum(duration), sum(cost)
         from known cross join (values ('minute'), ('hour'), ('day')) as g(grain)
        group by tenant_id, grain, start, application_id, user_id, method, route, status, rule_id, bucket
       on conflict (tenant_id, grain, at, application_id, user_id, method, route, status, rule_id, bucket) do update
         set calls = usage_rollups.calls + excluded.calls, duration = usage_rollups.duration + excluded.duration,
             cost = usage_rollups.cost + excluded.cost),
     charged as (
       insert into ledger_entries (tenant_id, day, application_id, user_id, rule_id, calls, amount)
       select tenant_id, (at at time zone 'UTC')::date as day, application_id, user_id, rule_id, sum(calls), sum(cost)
         from known group by tenant_id, day, application_id, user_id, rule_id
       on conflict (tenant_id, day, application_id, user_id, rule_id) do update
         set calls = ledger_entries.calls + excluded.calls, amount = ledger_entries.amount + excluded.amount)
     select count(*) as moved from moved`,
    [limit],
  );
  return row?.moved ?? 0;
}

/** Deletes sums of a grain that are older. */
export async function deleteRollups(
  database: Queryable,
  grain: "minute" | "hour",
  before: Date,
  limit: number,
): Promise<number> {
  const rows = await database.query(
    `delete from usage_rollups where ctid = any(array(
       select ctid from usage_rollups where grain = $1 and at < $2 limit $3)) returning 1`,
    [grain, before, limit],
  );
  return rows.length;
}

interface Range {
  tenantId: string;
  applicationId: string | undefined;
  userId: string | undefined;
  limit: number;
}

/** Column and name of each dimension; only these get into statements. */
const COLUMNS: Record<UsageDimension, [column: string, name: string]> = {
  application: ["application_id", "applicationId"],
  user: ["user_id", "userId"],
  method: ["method", "method"],
  route: ["route", "route"],
  status: ["status", "status"],
  rule: ["rule_id", "ruleId"],
};

interface SummaryRow {
  p50: number;
  p95: number;
  p99: number;
}

/**
 * Sums by time and dimensions, what was committed a moment ago too: what is not rolled up yet is read beside it, in
 * the same snapshot.
 *
 * @param grain - of the sums that are read.
 * @param timed - whether each minute, hour or day has rows of its own.
 */
export async function selectSummary(
  database: Queryable,
  range: Range & { from: Date; to: Date },
  grain: "minute" | "hour" | "day",
  timed: boolean,
  by: readonly UsageDimension[],
): Promise<UsageRow[]> {
  const columns = by.map((dimension) => COLUMNS[dimension][0]);
  const keys = [...(timed ? ["at"] : []), ...columns];
  const names = [
    ...(timed ? [`to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at`] : []),
    ...by.map((dimension) => {
      const [column, name] = COLUMNS[dimension];
      return `${column === "status" ? "status::int" : /_id$/.test(column) ? `nullif(${column}, '')` : column} as "${name}"`;
    }),
  ];
  const list = (items: readonly string[]) => items.map((item) => `${item}, `).join("");
  const where = `tenant_id = $1 and ($2::text is null or application_id = $2) and ($3::text is null or user_id = $3)`;
  const measured = "bucket, calls, duration, cost, status as code";
  const groups = keys.length === 0 ? "having count(*) > 0" : `group by ${keys.join(", ")}`;
  const rows = await database.query<UsageRow & SummaryRow>(
    `with facts as (
       select ${list(keys)}${measured} from usage_rollups
        where ${where} and grain = '${grain}' and at >= $4 and at < $5
       union all
       select ${list(keys.map((key) => (key === "at" ? "start" : key)))}${measured}
         from (select *, date_trunc('${grain}', d.at, 'UTC') as start from usage_deltas d) s
        where ${where} and start >= $4 and start < $5),
     buckets as (
       select ${list(keys)}bucket, sum(calls) as calls, sum(calls) filter (where code >= 400) as failures,
              sum(duration) as duration, sum(cost) as cost from facts group by ${list(keys)}bucket),
     ranked as (
       select *, sum(calls) over (partition by ${list(keys)}true order by bucket) as upto,
              sum(calls) over (partition by ${list(keys)}true) as total from buckets)
     select ${list(names)}sum(calls)::bigint as calls, coalesce(sum(failures), 0)::bigint as failures,
            trim_scale(sum(cost))::text as cost, round(sum(duration) / sum(calls) / 1000, 3)::float8 as average,
            min(bucket) filter (where upto >= 0.5 * total) as p50, min(bucket) filter (where upto >= 0.95 * total) as p95,
            min(bucket) filter (where upto >= 0.99 * total) as p99
       from ranked ${groups}
      order by ${timed ? "ranked.at, " : ""}sum(calls) desc limit $6`,
    [range.tenantId, range.applicationId ?? null, range.userId ?? null, range.from, range.to, range.limit],
  );
  return rows.map((row) => ({
    ...row,
    p50: millisecondsOf(row.p50),
    p95: millisecondsOf(row.p95),
    p99: millisecondsOf(row.p99),
  }));
}

const LEDGER_COLUMNS: Record<LedgerDimension, [column: string, shown: string]> = {
  day: ["day", `to_char(day, 'YYYY-MM-DD') as day`],
  application: ["application_id", `application_id as "applicationId"`],
  user: ["user_id", `nullif(user_id, '') as "userId"`],
  rule: ["rule_id", `nullif(rule_id, '') as "ruleId"`],
};

/** Entries of the ledger, and what is on its way there. @param range.from, range.to - days, both inclusive. */
export function selectLedger(
  database: Queryable,
  range: Range & { from: string | undefined; to: string | undefined },
  by: readonly LedgerDimension[],
): Promise<LedgerRow[]> {
  const keys = by.map((dimension) => LEDGER_COLUMNS[dimension][0]).join(", ");
  const shown = by.map((dimension) => LEDGER_COLUMNS[dimension][1]).join(", ");
  return database.query<LedgerRow>(
    `with facts as (
       select tenant_id, day, application_id, user_id, rule_id, calls, amount from ledger_entries where tenant_id = $1
       union all
       select tenant_id, (at at time zone 'UTC')::date, application_id, user_id, rule_id, calls, cost
         from usage_deltas where tenant_id = $1)
     select ${shown}, sum(calls)::bigint as calls, trim_scale(sum(amount))::text as amount from facts
      where ($2::text is null or application_id = $2) and ($3::text is null or user_id = $3)
        and ($4::date is null or day >= $4) and ($5::date is null or day <= $5)
      group by ${keys} order by ${keys} limit $6`,
    [
      range.tenantId,
      range.applicationId ?? null,
      range.userId ?? null,
      range.from ?? null,
      range.to ?? null,
      range.limit,
    ],
  );
}
