import type { Queryable } from "../../platform/database/types.ts";

/** Uses something up. False when it was used before. */
export async function insertSingleUse(
  database: Queryable,
  tenantId: string,
  use: { purpose: string; hash: Buffer; usedAt: Date; expiresAt: Date },
): Promise<boolean> {
  const rows = await database.query(
    `insert into single_uses (tenant_id, purpose, hash, used_at, expires_at) values ($1, $2, $3, $4, $5)
     on conflict do nothing returning purpose`,
    [tenantId, use.purpose, use.hash, use.usedAt, use.expiresAt],
  );
  return rows.length === 1;
}
