import type { DeliveryState, WebhookAttempt, WebhookDelivery } from "@ostiary/contracts";
import type { Queryable } from "../../platform/database/types.ts";

type DeliveryRow = Omit<WebhookDelivery, "nextAttemptAt" | "createdAt" | "finishedAt"> & {
  nextAttemptAt: Date;
  createdAt: Date;
  finishedAt: Date | null;
  body: string;
};

const COLUMNS = `id, webhook_id as "webhookId", event_id as "eventId", event, state, attempts,
  next_attempt_at as "nextAttemptAt", last_status as "lastStatus", last_error as "lastError",
  created_at as "createdAt", finished_at as "finishedAt"`;

function toDelivery({
  nextAttemptAt,
  createdAt,
  finishedAt,
  ...row
}: Omit<DeliveryRow, "body">): WebhookDelivery {
  return {
    ...row,
    nextAttemptAt: row.state === "pending" ? nextAttemptAt.toISOString() : null,
    createdAt: createdAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null,
  };
}

/** Newest first, only ids below `after`. */
export async function selectDeliveries(
  database: Queryable,
  tenantId: string,
  webhookId: string,
  state: DeliveryState | undefined,
  after: string | undefined,
  limit: number,
): Promise<WebhookDelivery[]> {
  const rows = await database.query<DeliveryRow>(
    `select ${COLUMNS} from webhook_deliveries
      where tenant_id = $1 and webhook_id = $2 and ($3::text is null or state = $3) and ($4::text is null or id < $4)
      order by id desc limit $5`,
    [tenantId, webhookId, state ?? null, after ?? null, limit],
  );
  return rows.map(toDelivery);
}

export async function selectDelivery(
  database: Queryable,
  tenantId: string,
  webhookId: string,
  id: string,
): Promise<(WebhookDelivery & { body: string }) | undefined> {
  const [row] = await database.query<DeliveryRow>(
    `select ${COLUMNS}, body from webhook_deliveries where tenant_id = $1 and webhook_id = $2 and id = $3`,
    [tenantId, webhookId, id],
  );
  return row && { ...toDelivery(row), body: row.body };
}

export async function selectAttempts(
  database: Queryable,
  tenantId: string,
  deliveryId: string,
): Promise<WebhookAttempt[]> {
  const rows = await database.query<Omit<WebhookAttempt, "at"> & { at: Date }>(
    `select number, at, milliseconds, status, response from webhook_attempts
      where tenant_id = $1 and delivery_id = $2 order by number`,
    [tenantId, deliveryId],
  );
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
}

export interface ReplayRange {
  /** One of them, or those that were made from `from` on and before `to`. */
  id?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
  state?: "delivered" | "dead" | undefined;
}

/** Puts finished deliveries into the queue again, oldest first. @returns how many. */
export async function requeueDeliveries(
  database: Queryable,
  tenantId: string,
  webhookId: string,
  range: ReplayRange,
  now: Date,
  limit: number,
): Promise<number> {
  const rows = await database.query(
    `update webhook_deliveries set state = 'pending', attempts = 0, next_attempt_at = $3, leased_until = null,
            finished_at = null
      where (tenant_id, id) in (
        select tenant_id, id from webhook_deliveries
         where tenant_id = $1 and webhook_id = $2 and state <> 'pending' and ($4::text is null or id = $4)
           and ($5::timestamptz is null or created_at >= $5) and ($6::timestamptz is null or created_at < $6)
           and ($7::text is null or state = $7)
         order by sequence limit $8)
     returning id`,
    [
      tenantId,
      webhookId,
      now,
      range.id ?? null,
      range.from ?? null,
      range.to ?? null,
      range.state ?? null,
      limit,
    ],
  );
  return rows.length;
}

/** The job: what was delivered before `delivered`, or given up before `dead`, goes with its log. */
export async function deleteFinishedDeliveries(
  database: Queryable,
  before: { delivered: Date; dead: Date },
  limit: number,
): Promise<number> {
  const rows = await database.query(
    `delete from webhook_deliveries where (tenant_id, id) in (
       select tenant_id, id from webhook_deliveries
        where finished_at < $1 and (state = 'delivered' or finished_at < $2) limit $3) returning id`,
    [before.delivered, before.dead, limit],
  );
  return rows.length;
}
