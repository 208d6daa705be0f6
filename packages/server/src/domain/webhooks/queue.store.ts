import type { JsonValue } from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";

export interface QueuedEvent {
  xid: string;
  position: number;
  tenantId: string;
  id: string;
  type: string;
  occurredAt: Date;
  actorType: string;
  actorId: string | null;
  targetType: string | null;
  targetId: string | null;
  outcome: string;
  data: { [key: string]: JsonValue };
}

/** One process at a time reads the outbox for the webhooks; the others wait their turn. */
export async function lockReading(tx: Transaction): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(7264113903)");
}

/** The next events in order, of transactions that have ended; see domain/audit. */
export function selectUnreadEvents(tx: Transaction, limit: number): Promise<QueuedEvent[]> {
  return tx.query<QueuedEvent>(
    `select e.xid::text as xid, e.position, e.tenant_id as "tenantId", e.id, e.type, e.occurred_at as "occurredAt",
            e.actor_type as "actorType", e.actor_id as "actorId", e.target_type as "targetType",
            e.target_id as "targetId", e.outcome, e.data
       from events e, event_cursors c
      where c.reader = 'webhooks' and (e.xid, e.position) > (c.xid, c.position)
        and e.xid < pg_snapshot_xmin(pg_current_snapshot())
      order by e.xid, e.position limit $1`,
    [limit],
  );
}

/** Whether events are left: of transactions that may still be running, or committed meanwhile. */
export async function hasUnreadEvents(database: Queryable): Promise<boolean> {
  const rows = await database.query(
    `select 1 as one from events e, event_cursors c
      where c.reader = 'webhooks' and (e.xid, e.position) > (c.xid, c.position) limit 1`,
  );
  return rows.length > 0;
}

export async function moveCursor(tx: Transaction, to: { xid: string; position: number }): Promise<void> {
  await tx.query("update event_cursors set xid = $1::text::xid8, position = $2 where reader = 'webhooks'", [
    to.xid,
    to.position,
  ]);
}

export interface NewDelivery {
  tenantId: string;
  id: string;
  webhookId: string;
  eventId: string;
  event: string;
  orderingKey: string;
  body: string;
}

/** In their order, in one statement. */
export async function insertDeliveries(
  tx: Transaction,
  deliveries: readonly NewDelivery[],
  now: Date,
): Promise<void> {
  await tx.query(
    `insert into webhook_deliveries (tenant_id, id, webhook_id, event_id, event, ordering_key, body, next_attempt_at,
                                     created_at)
     select d."tenantId", d.id, d."webhookId", d."eventId", d.event, d."orderingKey", d.body, $2, $2
       from rows from (jsonb_to_recordset($1::jsonb) as ("tenantId" text, id text, "webhookId" text, "eventId" text,
              event text, "orderingKey" text, body text)) with ordinality as d
      order by d.ordinality`,
    [JSON.stringify(deliveries), now],
  );
}

export interface Due {
  tenantId: string;
  webhookId: string;
  failures: number;
}

/** Active webhooks with deliveries that may be tried now. */
export function selectDue(database: Queryable, now: Date): Promise<Due[]> {
  return database.query<Due>(
    `select w.tenant_id as "tenantId", w.id as "webhookId", w.failures from webhooks w
      where w.status = 'active' and exists (
        select 1 from webhook_deliveries d
         where d.webhook_id = w.id and d.tenant_id = w.tenant_id and d.state = 'pending' and d.next_attempt_at <= $1
           and (d.leased_until is null or d.leased_until <= $1))`,
    [now],
  );
}

/** When the next delivery becomes due that is not due now; null: none waits. */
export async function selectNextDue(database: Queryable, now: Date): Promise<Date | null> {
  const [row] = await database.query<{ at: Date | null }>(
    `select least((select min(next_attempt_at) from webhook_deliveries where state = 'pending' and next_attempt_at > $1),
                  (select min(leased_until) from webhook_deliveries where leased_until > $1)) as at`,
    [now],
  );
  return row?.at ?? null;
}

export interface ClaimedDelivery {
  tenantId: string;
  id: string;
  event: string;
  body: string;
  /** Counts this one. */
  attempts: number;
}

/**
 * Takes the oldest delivery of a webhook that is due and is its target's turn: nothing older about the same target
 * waits. Nobody else gets it before `leasedUntil`.
 */
export async function claimDelivery(
  database: Queryable,
  due: Due,
  now: Date,
  leasedUntil: Date,
): Promise<ClaimedDelivery | undefined> {
  const [row] = await database.query<ClaimedDelivery>(
    `update webhook_deliveries d set leased_until = $4, attempts = d.attempts + 1
      where (d.tenant_id, d.id) = (
        select c.tenant_id, c.id from webhook_deliveries c
         where c.tenant_id = $1 and c.webhook_id = $2 and c.state = 'pending' and c.next_attempt_at <= $3
           and (c.leased_until is null or c.leased_until <= $3)
           and not exists (select 1 from webhook_deliveries e
                            where e.tenant_id = $1 and e.webhook_id = $2 and e.ordering_key = c.ordering_key
                              and e.state = 'pending' and e.sequence < c.sequence)
         order by c.sequence limit 1 for update skip locked)
      returning d.tenant_id as "tenantId", d.id, d.event, d.body, d.attempts`,
    [due.tenantId, due.webhookId, now, leasedUntil],
  );
  return row;
}

export async function extendLease(
  database: Queryable,
  { tenantId, id, attempts }: ClaimedDelivery,
  until: Date,
): Promise<void> {
  await database.query(
    `update webhook_deliveries set leased_until = $4
      where tenant_id = $1 and id = $2 and attempts = $3 and state = 'pending'`,
    [tenantId, id, attempts, until],
  );
}

export interface Outcome {
  state: "pending" | "delivered" | "dead";
  at: Date;
  milliseconds: number;
  status: number | null;
  response: string;
  error: string | null;
  nextAttemptAt: Date;
}

/** Writes what came of an attempt, unless the delivery was taken over or replayed meanwhile: one statement. */
export async function finishAttempt(
  database: Queryable,
  webhookId: string,
  delivery: ClaimedDelivery,
  outcome: Outcome,
): Promise<void> {
  await database.query(
    `with done as (
       update webhook_deliveries set state = $4::text, leased_until = null, next_attempt_at = $5, last_status = $6::int,
              last_error = $7, finished_at = case when $4::text = 'pending' then null else $8::timestamptz end
        where tenant_id = $1 and id = $2 and attempts = $3::int and state = 'pending' returning id),
     noted as (
       insert into webhook_attempts (tenant_id, delivery_id, number, at, milliseconds, status, response)
       select $1, $2, $3::int, $8::timestamptz, $9::int, $6::int, $10 from done
       on conflict (tenant_id, delivery_id, number) do update
         set at = excluded.at, milliseconds = excluded.milliseconds, status = excluded.status, response = excluded.response)
     update webhooks set failures = case when $4::text = 'delivered' then 0 else failures + 1 end
      where tenant_id = $1 and id = $11 and ($4::text <> 'delivered' or failures > 0)`,
    [
      delivery.tenantId,
      delivery.id,
      delivery.attempts,
      outcome.state,
      outcome.nextAttemptAt,
      outcome.status,
      outcome.error,
      outcome.at,
      outcome.milliseconds,
      outcome.response,
      webhookId,
    ],
  );
}

/** Gives back what a process has taken and will not finish. */
export async function releaseDeliveries(
  database: Queryable,
  deliveries: readonly ClaimedDelivery[],
): Promise<void> {
  await database.query(
    `update webhook_deliveries d set leased_until = null
       from unnest($1::text[], $2::text[], $3::int[]) as r(tenant_id, id, attempts)
      where d.tenant_id = r.tenant_id and d.id = r.id and d.attempts = r.attempts and d.state = 'pending'`,
    [
      deliveries.map(({ tenantId }) => tenantId),
      deliveries.map(({ id }) => id),
      deliveries.map(({ attempts }) => attempts),
    ],
  );
}
