import type { Queryable, Transaction } from "../../platform/database/types.ts";

export async function insertSetUpLink(
  database: Queryable,
  tenantId: string,
  hash: Buffer,
  expiresAt: Date,
): Promise<void> {
  await database.query(
    "insert into single_uses (tenant_id, purpose, hash, expires_at) values ($1, 'set-up', $2, $3)",
    [tenantId, hash, expiresAt],
  );
}

export async function isSetUpLinkOpen(
  database: Queryable,
  tenantId: string,
  hash: Buffer,
  now: Date,
): Promise<boolean> {
  const rows = await database.query(
    `select 1 from single_uses
      where tenant_id = $1 and purpose = 'set-up' and hash = $2 and used_at is null and expires_at > $3`,
    [tenantId, hash, now],
  );
  return rows.length === 1;
}

/** Uses the link up, and with it every other one. One statement decides between two browsers. */
export async function consumeSetUpLink(
  tx: Transaction,
  tenantId: string,
  hash: Buffer,
  now: Date,
): Promise<boolean> {
  const rows = await tx.query(
    `update single_uses set used_at = $3
      where tenant_id = $1 and purpose = 'set-up' and hash = $2 and used_at is null and expires_at > $3
      returning hash`,
    [tenantId, hash, now],
  );
  if (rows.length === 0) return false;
  await tx.query("delete from single_uses where tenant_id = $1 and purpose = 'set-up' and used_at is null", [
    tenantId,
  ]);
  return true;
}
