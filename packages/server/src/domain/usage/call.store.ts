import type { UsageCall } from "@ostiary/contracts";
import type { Queryable } from "../../platform/database/types.ts";

/** A call as it is written; texts are free of null characters and lone surrogates. */
export interface NewCall {
  userId: string | null;
  username: string | null;
  method: string;
  path: string;
  route: string;
  status: number;
  /** Whole microseconds. */
  duration: number;
  bucket: number;
  error: string | null;
  /** JSON. */
  parameters: string | null;
  responseHeaders: string | null;
  ruleId: string | null;
  /** An exact decimal. */
  cost: string;
  /** RFC 3339. */
  occurredAt: string;
}

/** Calls that came together, and are counted together or not at all. */
export interface NewBatch {
  tenantId: string;
  applicationId: string;
  traceId: string;
  calls: readonly NewCall[];
  /** Counted once for each reporter and key. */
  once: { reporter: string; key: string; hash: string } | null;
}

/** One statement for many batches: claims their keys, keeps the calls, and adds up what they bring. */
const INSERT = `
with given as materialized (
  select * from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
    as g(batch, tenant_id, application_id, trace_id, reporter, key, hash)),
fresh as (
  insert into usage_batches (tenant_id, reporter, key, hash, received_at)
  select tenant_id, reporter, key, hash, $8 from given where key is not null
   order by tenant_id, reporter, key
  on conflict do nothing returning tenant_id, reporter, key),
counted as materialized (
  select g.* from given g left join fresh f using (tenant_id, reporter, key)
   where g.key is null or f.key is not null),
taken as materialized (
  select c.*, g.tenant_id, g.application_id, g.trace_id
    from unnest($9::int[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::smallint[],
                $16::bigint[], $17::smallint[], $18::text[], $19::json[], $20::json[], $21::text[], $22::numeric[],
                $23::timestamptz[])
      as c(batch, user_id, username, method, path, route, status, duration, bucket, error, parameters,
           response_headers, rule_id, cost, occurred_at)
    join counted g using (batch)),
kept as (
  insert into usage_calls (tenant_id, application_id, user_id, username, method, path, route, status, duration, error,
                           parameters, response_headers, rule_id, cost, trace_id, occurred_at, received_at)
  select tenant_id, application_id, user_id, username, method, path, route, status, duration, error,
         parameters, response_headers, rule_id, cost, trace_id, occurred_at, $8 from taken),
summed as (
  insert into usage_deltas (tenant_id, at, application_id, user_id, method, route, status, rule_id, bucket,
                            calls, duration, cost)
  select tenant_id, date_trunc('minute', occurred_at, 'UTC') as at, application_id, coalesce(user_id, ''), method,
         route, status, coalesce(rule_id, ''), bucket, count(*), sum(duration), sum(cost)
    from taken group by tenant_id, at, application_id, coalesce(user_id, ''), method, route, status,
                        coalesce(rule_id, ''), bucket)
select batch from counted`;

/**
 * Writes batches; no two of them may have the same key.
 *
 * @returns the indexes of those that were counted: the others had been counted before.
 */
export async function insertCalls(
  database: Queryable,
  batches: readonly NewBatch[],
  receivedAt: Date,
): Promise<Set<number>> {
  const calls = batches.flatMap(({ calls }) => calls);
  const owners = batches.flatMap(({ calls }, index) => calls.map(() => index));
  const rows = await database.query<{ batch: number }>(INSERT, [
    [...batches.keys()],
    batches.map((batch) => batch.tenantId),
    batches.map((batch) => batch.applicationId),
    batches.map((batch) => batch.traceId),
    textArray(batches, (batch) => batch.once?.reporter ?? null),
    textArray(batches, (batch) => batch.once?.key ?? null),
    textArray(batches, (batch) => batch.once?.hash ?? null),
    receivedAt,
    plainArray(owners, (index) => index),
    plainArray(calls, (call) => call.userId ?? "NULL"),
    textArray(calls, (call) => call.username),
    textArray(calls, (call) => call.method),
    textArray(calls, (call) => call.path),
    textArray(calls, (call) => call.route),
    plainArray(calls, (call) => call.status),
    plainArray(calls, (call) => call.duration),
    plainArray(calls, (call) => call.bucket),
    textArray(calls, (call) => call.error),
    textArray(calls, (call) => call.parameters),
    textArray(calls, (call) => call.responseHeaders),
    plainArray(calls, (call) => call.ruleId ?? "NULL"),
    plainArray(calls, (call) => call.cost),
    plainArray(calls, (call) => `"${call.occurredAt}"`),
  ]);
  return new Set(rows.map(({ batch }) => batch));
}

/** An array in PostgreSQL's notation (manual §8.15.2): many times quicker than the driver's general way. */
function plainArray<T>(items: readonly T[], write: (item: T) => string | number): string {
  let text = "{";
  for (const item of items) text += text === "{" ? write(item) : `,${write(item)}`;
  return `${text}}`;
}

const QUOTED = /["\\]/;

function textArray<T>(items: readonly T[], read: (item: T) => string | null): string {
  return plainArray(items, (item) => {
    const value = read(item);
    if (value === null) return "NULL";
    return QUOTED.test(value) ? `"${value.replace(/["\\]/g, "\\$&")}"` : `"${value}"`;
  });
}

/** The fingerprint of what was counted under a key. */
export async function selectBatchHash(
  database: Queryable,
  tenantId: string,
  reporter: string,
  key: string,
): Promise<string | undefined> {
  const [row] = await database.query<{ hash: string }>(
    "select hash from usage_batches where tenant_id = $1 and reporter = $2 and key = $3",
    [tenantId, reporter, key],
  );
  return row?.hash;
}

export async function ensurePartition(database: Queryable, day: Date): Promise<void> {
  await database.query("select ensure_usage_partition(($1::timestamptz at time zone 'UTC')::date)", [day]);
}

export async function dropPartitions(database: Queryable, before: Date): Promise<void> {
  await database.query("select drop_usage_partitions(($1::timestamptz at time zone 'UTC')::date)", [before]);
}

export async function deleteBatches(database: Queryable, before: Date, limit: number): Promise<number> {
  const rows = await database.query(
    `delete from usage_batches where ctid = any(array(
       select ctid from usage_batches where received_at < $1 limit $2)) returning 1`,
    [before, limit],
  );
  return rows.length;
}

export interface CallFilter {
  applicationId?: string | undefined;
  userId?: string | undefined;
  status?: number | undefined;
  /** Part of the path. */
  search?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
  /** Only positions below. */
  before?: number | undefined;
}

type Row = Omit<UsageCall, "occurredAt" | "milliseconds"> & { occurredAt: Date; duration: number };

/** Newest first. */
export async function selectCalls(
  database: Queryable,
  tenantId: string,
  filter: CallFilter,
  limit: number,
): Promise<UsageCall[]> {
  const rows = await database.query<Row>(
    `select position::text as position, application_id as "applicationId", user_id as "userId", username, method,
            path, route, status, duration, error, parameters, response_headers as "responseHeaders",
            rule_id as "ruleId", trim_scale(cost)::text as cost, trace_id as "traceId", occurred_at as "occurredAt"
       from usage_calls
      where tenant_id = $1 and ($2::bigint is null or position < $2) and ($3::text is null or application_id = $3)
        and ($4::text is null or user_id = $4) and ($5::int is null or status = $5)
        and ($6::text is null or position(lower($6) in lower(path)) > 0)
        and ($7::timestamptz is null or occurred_at >= $7) and ($8::timestamptz is null or occurred_at < $8)
      order by position desc limit $9`,
    [
      tenantId,
      filter.before ?? null,
      filter.applicationId ?? null,
      filter.userId ?? null,
      filter.status ?? null,
      filter.search ?? null,
      filter.from ?? null,
      filter.to ?? null,
      limit,
    ],
  );
  return rows.map(({ duration, occurredAt, ...row }) => ({
    ...row,
    milliseconds: duration / 1_000,
    occurredAt: occurredAt.toISOString(),
  }));
}
