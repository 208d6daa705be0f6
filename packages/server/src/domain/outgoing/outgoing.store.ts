import type { Queryable } from "../../platform/database/types.ts";

export interface StoredMessage {
  tenantId: string;
  id: string;
  sealedPayload: Buffer;
  /** Counts the one that was claimed. */
  attempts: number;
  expiresAt: Date;
}

export async function insertMessage(
  database: Queryable,
  message: { tenantId: string; id: string; kind: string; sealedPayload: Buffer; expiresAt: Date },
  now: Date,
): Promise<void> {
  await database.query(
    `insert into outgoing_messages (tenant_id, id, kind, sealed_payload, next_attempt_at, expires_at, created_at)
     values ($1, $2, $3, $4, $6, $5, $6)`,
    [message.tenantId, message.id, message.kind, message.sealedPayload, message.expiresAt, now],
  );
}

/** Takes messages that are due, oldest first; nobody else gets them before `leasedUntil`. */
export function claimMessages(
  database: Queryable,
  kind: string,
  now: Date,
  leasedUntil: Date,
  limit: number,
): Promise<StoredMessage[]> {
  return database.query<StoredMessage>(
    `update outgoing_messages m set attempts = m.attempts + 1, next_attempt_at = $3
      where (m.tenant_id, m.id) in (
        select tenant_id, id from outgoing_messages where kind = $1 and next_attempt_at <= $2
         order by next_attempt_at limit $4 for update skip locked)
      returning m.tenant_id as "tenantId", m.id, m.sealed_payload as "sealedPayload", m.attempts,
                m.expires_at as "expiresAt"`,
    [kind, now, leasedUntil, limit],
  );
}

/** Its place in the queue after a failure; not when somebody else has it by now. */
export async function postponeMessage(
  database: Queryable,
  { tenantId, id, attempts }: StoredMessage,
  until: Date,
): Promise<void> {
  await database.query(
    "update outgoing_messages set next_attempt_at = $4 where tenant_id = $1 and id = $2 and attempts = $3",
    [tenantId, id, attempts, until],
  );
}

export async function deleteMessage(database: Queryable, { tenantId, id }: StoredMessage): Promise<void> {
  await database.query("delete from outgoing_messages where tenant_id = $1 and id = $2", [tenantId, id]);
}

/** When the next message of these kinds becomes due; null: none waits. */
export async function selectNextDue(database: Queryable, kinds: readonly string[]): Promise<Date | null> {
  const [row] = await database.query<{ at: Date | null }>(
    "select min(next_attempt_at) as at from outgoing_messages where kind = any($1)",
    [kinds],
  );
  return row?.at ?? null;
}
