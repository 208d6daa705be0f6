import type { Transaction } from "../../platform/database/types.ts";

/** Makes these the user's only recovery codes. */
export async function replaceRecoveryCodes(
  tx: Transaction,
  tenantId: string,
  userId: string,
  hashes: readonly Buffer[],
  now: Date,
): Promise<void> {
  await tx.query("delete from recovery_codes where tenant_id = $1 and user_id = $2", [tenantId, userId]);
  await tx.query(
    `insert into recovery_codes (tenant_id, user_id, hash, created_at)
     select $1, $2, h, $4 from unnest($3::bytea[]) as h`,
    [tenantId, userId, hashes, now],
  );
}

/** Uses a code up; returns how many are left. One statement decides between two requests. */
export async function consumeRecoveryCode(
  tx: Transaction,
  tenantId: string,
  userId: string,
  hash: Buffer,
  now: Date,
): Promise<number | undefined> {
  const rows = await tx.query(
    `update recovery_codes set used_at = $4
      where tenant_id = $1 and user_id = $2 and hash = $3 and used_at is null returning hash`,
    [tenantId, userId, hash, now],
  );
  if (rows.length === 0) return undefined;
  const [left] = await tx.query<{ n: number }>(
    "select count(*) as n from recovery_codes where tenant_id = $1 and user_id = $2 and used_at is null",
    [tenantId, userId],
  );
  return left?.n ?? 0;
}
