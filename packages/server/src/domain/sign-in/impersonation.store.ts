import type { Queryable, Transaction } from "../../platform/database/types.ts";

export interface Impersonation {
  id: string;
  impersonatorId: string;
  userId: string;
  reason: string;
}

export async function insertImpersonation(
  tx: Transaction,
  tenantId: string,
  values: Impersonation & { tokenHash: Buffer; createdAt: Date; expiresAt: Date },
): Promise<void> {
  const { id, impersonatorId, userId, reason, tokenHash, createdAt, expiresAt } = values;
  await tx.query(
    `insert into impersonations (tenant_id, id, impersonator_id, user_id, reason, token_hash, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [tenantId, id, impersonatorId, userId, reason, tokenHash, createdAt, expiresAt],
  );
}

/** One that can still begin, for this administrator. */
export async function selectOpenImpersonation(
  database: Queryable,
  tenantId: string,
  tokenHash: Buffer,
  impersonatorId: string,
  now: Date,
): Promise<Impersonation | undefined> {
  const [row] = await database.query<Impersonation>(
    `select id, impersonator_id as "impersonatorId", user_id as "userId", reason from impersonations
      where tenant_id = $1 and token_hash = $2 and impersonator_id = $3 and used_at is null and expires_at > $4`,
    [tenantId, tokenHash, impersonatorId, now],
  );
  return row;
}

/** Uses it up. One statement decides between two tabs. */
export async function consumeImpersonation(
  tx: Transaction,
  tenantId: string,
  id: string,
  now: Date,
): Promise<boolean> {
  const rows = await tx.query(
    `update impersonations set used_at = $3
      where tenant_id = $1 and id = $2 and used_at is null and expires_at > $3 returning id`,
    [tenantId, id, now],
  );
  return rows.length === 1;
}

export async function deleteExpiredImpersonations(
  database: Queryable,
  now: Date,
  limit: number,
): Promise<number> {
  const rows = await database.query(
    `delete from impersonations where (tenant_id, id) in
       (select tenant_id, id from impersonations where expires_at < $1 limit $2) returning id`,
    [now, limit],
  );
  return rows.length;
}
