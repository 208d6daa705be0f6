import type { Queryable, Transaction } from "../../platform/database/types.ts";
import type { AuditEntry } from "./entry-hash.ts";

export type UnsealedEvent = Omit<AuditEntry, "seq"> & { tenantId: string; xid: string; position: number };

/** Takes the right to seal until the end of the transaction; false when another process has it. */
export async function tryLockSealing(tx: Transaction): Promise<boolean> {
  const [row] = await tx.query<{ locked: boolean }>("select pg_try_advisory_xact_lock(7264113902) as locked");
  return row?.locked ?? false;
}

/**
 * The next events in order. Events of transactions that may still be running are left for later: their numbers are
 * already given, and passing them by would lose them.
 */
export function findUnsealedEvents(tx: Transaction, limit: number): Promise<UnsealedEvent[]> {
  return tx.query<UnsealedEvent>(
    `select e.tenant_id as "tenantId", e.xid::text as xid, e.position, e.id, e.type, e.occurred_at as "occurredAt",
            e.actor_type as "actorType", e.actor_id as "actorId", e.target_type as "targetType",
            e.target_id as "targetId", e.outcome, e.reason, e.ip, e.user_agent as "userAgent",
            e.trace_id as "traceId", e.data
       from events e, event_cursors c
      where c.reader = 'audit' and (e.xid, e.position) > (c.xid, c.position)
        and e.xid < pg_snapshot_xmin(pg_current_snapshot())
      order by e.xid, e.position limit $1`,
    [limit],
  );
}

export async function findHeads(
  tx: Transaction,
  tenantIds: readonly string[],
): Promise<Map<string, { seq: number; hash: Buffer }>> {
  const rows = await tx.query<{ tenantId: string; seq: number; hash: Buffer }>(
    `select tenant_id as "tenantId", seq, hash from audit_heads where tenant_id = any($1)`,
    [tenantIds],
  );
  return new Map(rows.map((row) => [row.tenantId, row]));
}

export type SealedEntry = AuditEntry & { tenantId: string; hash: Buffer };

/** Appends entries and moves heads and cursor, each in one statement. */
export async function appendEntries(
  tx: Transaction,
  entries: readonly SealedEntry[],
  cursor: { xid: string; position: number },
): Promise<void> {
  await tx.query(
    `insert into audit_entries (tenant_id, seq, id, type, occurred_at, actor_type, actor_id, target_type, target_id,
                                outcome, reason, ip, user_agent, trace_id, data, hash)
     select e."tenantId", e.seq, e.id, e.type, e."occurredAt", e."actorType", e."actorId", e."targetType",
            e."targetId", e.outcome, e.reason, e.ip, e."userAgent", e."traceId", e.data, decode(e.hash, 'hex')
       from jsonb_to_recordset($1::jsonb) as e("tenantId" text, seq bigint, id text, type text,
            "occurredAt" timestamptz, "actorType" text, "actorId" text, "targetType" text, "targetId" text,
            outcome text, reason text, ip text, "userAgent" text, "traceId" text, data jsonb, hash text)`,
    [JSON.stringify(entries.map((entry) => ({ ...entry, hash: entry.hash.toString("hex") })))],
  );
  await tx.query(
    `insert into audit_heads (tenant_id, seq, hash)
     select distinct on (e."tenantId") e."tenantId", e.seq, decode(e.hash, 'hex')
       from jsonb_to_recordset($1::jsonb) as e("tenantId" text, seq bigint, hash text)
      order by e."tenantId", e.seq desc
     on conflict (tenant_id) do update set seq = excluded.seq, hash = excluded.hash`,
    [
      JSON.stringify(
        entries.map(({ tenantId, seq, hash }) => ({ tenantId, seq, hash: hash.toString("hex") })),
      ),
    ],
  );
  await tx.query("update event_cursors set xid = $1::text::xid8, position = $2 where reader = 'audit'", [
    cursor.xid,
    cursor.position,
  ]);
}

/** Outbox rows that every reader has passed and that are older than `before`. Returns how many went. */
export async function deleteReadEvents(database: Queryable, before: Date, limit: number): Promise<number> {
  const rows = await database.query<{ position: number }>(
    `delete from events where position in (
       select e.position from events e
        where e.occurred_at < $1
          and (e.xid, e.position) <= (select c.xid, c.position from event_cursors c order by c.xid, c.position limit 1)
        order by e.xid, e.position limit $2) returning position`,
    [before, limit],
  );
  return rows.length;
}

export interface AuditFilter {
  type?: string | undefined;
  actorId?: string | undefined;
  targetId?: string | undefined;
  outcome?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
  /** Only entries older than this sequence number. */
  before?: number | undefined;
}

/** Newest first. */
export function findEntries(
  database: Queryable,
  tenantId: string,
  filter: AuditFilter,
  limit: number,
): Promise<(AuditEntry & { hash: Buffer })[]> {
  return database.query(
    `select seq, id, type, occurred_at as "occurredAt", actor_type as "actorType", actor_id as "actorId",
            target_type as "targetType", target_id as "targetId", outcome, reason, ip, user_agent as "userAgent",
            trace_id as "traceId", data, hash
       from audit_entries
      where tenant_id = $1 and ($2::text is null or type = $2) and ($3::text is null or actor_id = $3)
        and ($4::text is null or target_id = $4) and ($5::text is null or outcome = $5)
        and ($6::timestamptz is null or occurred_at >= $6) and ($7::timestamptz is null or occurred_at < $7)
        and ($8::bigint is null or seq < $8)
      order by seq desc limit $9`,
    [
      tenantId,
      filter.type ?? null,
      filter.actorId ?? null,
      filter.targetId ?? null,
      filter.outcome ?? null,
      filter.from ?? null,
      filter.to ?? null,
      filter.before ?? null,
      limit,
    ],
  );
}

/** Oldest first, for export and for checking the chain. */
export function findEntriesAfter(
  database: Queryable,
  tenantId: string,
  seq: number,
  limit: number,
): Promise<(AuditEntry & { hash: Buffer })[]> {
  return database.query(
    `select seq, id, type, occurred_at as "occurredAt", actor_type as "actorType", actor_id as "actorId",
            target_type as "targetType", target_id as "targetId", outcome, reason, ip, user_agent as "userAgent",
            trace_id as "traceId", data, hash
       from audit_entries where tenant_id = $1 and seq > $2 order by seq limit $3`,
    [tenantId, seq, limit],
  );
}

export async function findHead(
  database: Queryable,
  tenantId: string,
): Promise<{ seq: number; hash: Buffer } | undefined> {
  const [row] = await database.query<{ seq: number; hash: Buffer }>(
    "select seq, hash from audit_heads where tenant_id = $1",
    [tenantId],
  );
  return row;
}
