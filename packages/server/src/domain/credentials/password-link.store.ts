import type { Queryable, Transaction } from "../../platform/database/types.ts";

/** A new link of a user; those he had before are no more. */
export async function insertPasswordLink(
  tx: Transaction,
  tenantId: string,
  link: { hash: Buffer; userId: string; createdAt: Date; expiresAt: Date },
): Promise<void> {
  await tx.query("delete from password_links where tenant_id = $1 and user_id = $2", [tenantId, link.userId]);
  await tx.query(
    `insert into password_links (tenant_id, hash, user_id, created_at, expires_at) values ($1, $2, $3, $4, $5)`,
    [tenantId, link.hash, link.userId, link.createdAt, link.expiresAt],
  );
}

/** Whose a link is that works; undefined for all others. */
export async function selectPasswordLink(
  database: Queryable,
  tenantId: string,
  hash: Buffer,
  now: Date,
): Promise<string | undefined> {
  const [row] = await database.query<{ userId: string }>(
    `select user_id as "userId" from password_links where tenant_id = $1 and hash = $2 and expires_at > $3`,
    [tenantId, hash, now],
  );
  return row?.userId;
}

/** Uses a link up: of two at once one wins. */
export async function takePasswordLink(
  tx: Transaction,
  tenantId: string,
  hash: Buffer,
  now: Date,
): Promise<string | undefined> {
  const [row] = await tx.query<{ userId: string }>(
    `delete from password_links where tenant_id = $1 and hash = $2 and expires_at > $3
     returning user_id as "userId"`,
    [tenantId, hash, now],
  );
  return row?.userId;
}

/** Returns how many went; `limit` means that there may be more. */
export async function deleteExpiredPasswordLinks(
  database: Queryable,
  now: Date,
  limit: number,
): Promise<number> {
  const rows = await database.query(
    `delete from password_links where (tenant_id, hash) in (
       select tenant_id, hash from password_links where expires_at < $1 order by expires_at limit $2)
     returning hash`,
    [now, limit],
  );
  return rows.length;
}
