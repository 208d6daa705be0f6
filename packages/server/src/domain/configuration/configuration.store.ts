import type { Queryable, Transaction } from "../../platform/database/types.ts";

// What a file and an export say about credentials is read here, across the modules' tables: their doors never hand
// out hashes. Everything is written through their doors.

/** Any constant; two applications of files take turns on it. */
const LOCK = 7_264_113_902;

/** Two files at once would each plan on what the other is changing. */
export async function lockConfiguration(tx: Transaction): Promise<void> {
  await tx.query("select pg_advisory_xact_lock($1)", [LOCK]);
}

/** All of the transaction's statements see one moment. Must be its first statement. */
export async function beginSnapshot(tx: Transaction): Promise<void> {
  await tx.query("set transaction isolation level repeatable read, read only");
}

export interface StoredPassword {
  userId: string;
  hash: string;
  /** `importedMark` of the hash that it came as. */
  imported: Buffer | null;
  mustChange: boolean;
}

export function selectPasswords(
  database: Queryable,
  tenantId: string,
  userIds: readonly string[],
): Promise<StoredPassword[]> {
  return database.query(
    `select user_id as "userId", hash, imported, must_change as "mustChange" from passwords
      where tenant_id = $1 and user_id = any($2::text[])`,
    [tenantId, userIds],
  );
}

export interface StoredSecret {
  id: string;
  hash: Buffer;
  hint: string;
  expiresAt: Date | null;
}

/** Those that still work, oldest first. */
export function selectSecrets(
  database: Queryable,
  tenantId: string,
  applicationId: string,
  now: Date,
): Promise<StoredSecret[]> {
  return database.query(
    `select id, hash, hint, expires_at as "expiresAt" from application_secrets
      where tenant_id = $1 and application_id = $2 and (expires_at is null or expires_at > $3) order by id`,
    [tenantId, applicationId, now],
  );
}

/** The key with this hash, in whichever tenant: its value is unique in the installation. */
export async function selectApiKeyByHash(
  database: Queryable,
  hash: Buffer,
): Promise<{ tenantId: string; id: string } | undefined> {
  const [row] = await database.query<{ tenantId: string; id: string }>(
    `select tenant_id as "tenantId", id from api_keys where hash = $1`,
    [hash],
  );
  return row;
}

export function selectApiKeyHashes(
  database: Queryable,
  tenantId: string,
  ids: readonly string[],
): Promise<{ id: string; hash: Buffer }[]> {
  return database.query("select id, hash from api_keys where tenant_id = $1 and id = any($2::text[])", [
    tenantId,
    ids,
  ]);
}
