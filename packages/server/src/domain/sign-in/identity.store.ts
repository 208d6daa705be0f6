import type { LinkedIdentity } from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";

type Row = Omit<LinkedIdentity, "linkedAt"> & { linkedAt: Date };

const COLUMNS = `id, provider, realm, kind, subject, created_at as "linkedAt"`;

const toIdentity = (row: Row): LinkedIdentity => ({ ...row, linkedAt: row.linkedAt.toISOString() });

export async function selectIdentities(
  database: Queryable,
  tenantId: string,
  userId: string,
): Promise<LinkedIdentity[]> {
  const rows = await database.query<Row>(
    `select ${COLUMNS} from federated_identities where tenant_id = $1 and user_id = $2
      order by created_at, provider, realm, kind`,
    [tenantId, userId],
  );
  return rows.map(toIdentity);
}

/** Who changes the identities of a user takes turns here; false when there is no such user. */
export async function lockUser(tx: Transaction, tenantId: string, userId: string): Promise<boolean> {
  const rows = await tx.query(
    "select 1 from users where tenant_id = $1 and id = $2 and status = 'active' for no key update",
    [tenantId, userId],
  );
  return rows.length === 1;
}

/** Undefined when the identity is somebody's already. */
export async function insertIdentity(
  tx: Transaction,
  tenantId: string,
  userId: string,
  identity: Pick<LinkedIdentity, "id" | "provider" | "realm" | "kind" | "subject">,
  now: Date,
): Promise<LinkedIdentity | undefined> {
  const { id, provider, realm, kind, subject } = identity;
  const [row] = await tx.query<Row>(
    `insert into federated_identities (tenant_id, id, user_id, provider, realm, kind, subject, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing returning ${COLUMNS}`,
    [tenantId, id, userId, provider, realm, kind, subject, now],
  );
  return row && toIdentity(row);
}

export async function deleteIdentity(
  tx: Transaction,
  tenantId: string,
  userId: string,
  id: string,
): Promise<LinkedIdentity | undefined> {
  const [row] = await tx.query<Row>(
    `delete from federated_identities where tenant_id = $1 and user_id = $2 and id = $3 returning ${COLUMNS}`,
    [tenantId, userId, id],
  );
  return row && toIdentity(row);
}

/** Gives one user's identities to another. */
export async function moveIdentities(
  tx: Transaction,
  tenantId: string,
  fromUserId: string,
  toUserId: string,
): Promise<LinkedIdentity[]> {
  const rows = await tx.query<Row>(
    `update federated_identities set user_id = $3 where tenant_id = $1 and user_id = $2 returning ${COLUMNS}`,
    [tenantId, fromUserId, toUserId],
  );
  return rows.map(toIdentity);
}

export async function insertAccountLink(
  database: Queryable,
  tenantId: string,
  link: { tokenHash: Buffer; userId: string; createdAt: Date; expiresAt: Date },
): Promise<void> {
  await database.query(
    `insert into account_links (tenant_id, token_hash, user_id, created_at, expires_at) values ($1, $2, $3, $4, $5)`,
    [tenantId, link.tokenHash, link.userId, link.createdAt, link.expiresAt],
  );
}

/** Uses a proof up. One statement decides between two. Returns whose it was, and since when. */
export async function consumeAccountLink(
  tx: Transaction,
  tenantId: string,
  tokenHash: Buffer,
  now: Date,
): Promise<{ userId: string; createdAt: Date } | undefined> {
  const [row] = await tx.query<{ userId: string; createdAt: Date }>(
    `delete from account_links where tenant_id = $1 and token_hash = $2 and expires_at > $3
     returning user_id as "userId", created_at as "createdAt"`,
    [tenantId, tokenHash, now],
  );
  return row;
}

export async function deleteExpiredAccountLinks(
  database: Queryable,
  now: Date,
  limit: number,
): Promise<number> {
  const rows = await database.query(
    `delete from account_links where (tenant_id, token_hash) in
       (select tenant_id, token_hash from account_links where expires_at < $1 limit $2) returning user_id`,
    [now, limit],
  );
  return rows.length;
}
