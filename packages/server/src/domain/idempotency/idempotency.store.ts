import type { Transaction } from "../../platform/database/types.ts";

/** Who sent which key. Keys of two callers never meet. */
export interface KeyOwner {
  tenantId: string;
  actor: string;
  key: string;
}

/** False when another request with this key is under way. Held until the end of the transaction. */
export async function tryLockKey(tx: Transaction, owner: KeyOwner): Promise<boolean> {
  const [row] = await tx.query<{ locked: boolean }>(
    "select pg_try_advisory_xact_lock(hashtextextended($1 || chr(10) || $2 || chr(10) || $3, 1)) as locked",
    [owner.tenantId, owner.actor, owner.key],
  );
  return row?.locked ?? false;
}

export interface StoredAnswer {
  requestHash: Buffer;
  status: number;
  headers: Record<string, string>;
  /** Sealed: the answer to a creation may show a secret. */
  body: string;
}

export async function selectAnswer(
  tx: Transaction,
  owner: KeyOwner,
  now: Date,
): Promise<StoredAnswer | undefined> {
  const [row] = await tx.query<StoredAnswer>(
    `select request_hash as "requestHash", status, headers, body from idempotency_keys
      where tenant_id = $1 and actor = $2 and key = $3 and expires_at > $4`,
    [owner.tenantId, owner.actor, owner.key, now],
  );
  return row;
}

export async function insertAnswer(
  tx: Transaction,
  owner: KeyOwner,
  answer: StoredAnswer,
  expiresAt: Date,
): Promise<void> {
  await tx.query(
    `insert into idempotency_keys (tenant_id, actor, key, request_hash, status, headers, body, expires_at)
     values ($1, $2, $3, $4, $5, $6::jsonb, $7, $8)
     on conflict (tenant_id, actor, key) do update
       set request_hash = excluded.request_hash, status = excluded.status, headers = excluded.headers,
           body = excluded.body, expires_at = excluded.expires_at`,
    [
      owner.tenantId,
      owner.actor,
      owner.key,
      answer.requestHash,
      answer.status,
      JSON.stringify(answer.headers),
      answer.body,
      expiresAt,
    ],
  );
}
