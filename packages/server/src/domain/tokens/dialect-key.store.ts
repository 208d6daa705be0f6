import type { Queryable, Transaction } from "../../platform/database/types.ts";
import type { RotatingKey } from "./rotating-keys.ts";

export interface DialectKeyRow extends RotatingKey {
  purpose: string;
  algorithm: "RS512" | "HS512";
  /** RS512: PKCS #8 PEM, null once the key signs no more. HS512: the secret in base64url. */
  sealedSecret: Buffer | null;
  /** RS512: SPKI PEM. */
  publicKey: string | null;
  createdAt: Date;
}

const COLUMNS = `tenant_id as "tenantId", purpose, kid, algorithm, sealed_secret as "sealedSecret",
  public_key as "publicKey", status, created_at as "createdAt", activates_at as "activatesAt",
  expires_at as "expiresAt"`;

export function selectDialectKeys(database: Queryable, tenantId: string): Promise<DialectKeyRow[]> {
  return database.query<DialectKeyRow>(
    `select ${COLUMNS} from dialect_keys where tenant_id = $1 order by purpose, kid`,
    [tenantId],
  );
}

export async function insertDialectKey(tx: Transaction, row: DialectKeyRow): Promise<void> {
  await tx.query(
    `insert into dialect_keys
       (tenant_id, purpose, kid, algorithm, sealed_secret, public_key, status, created_at, activates_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      row.tenantId,
      row.purpose,
      row.kid,
      row.algorithm,
      row.sealedSecret,
      row.publicKey,
      row.status,
      row.createdAt,
      row.activatesAt,
    ],
  );
}

/** The key signs no more. A private half is destroyed; a shared secret is what verifies, so it stays. */
export async function retireDialectKey(tx: Transaction, key: DialectKeyRow, expiresAt: Date): Promise<void> {
  await tx.query(
    `update dialect_keys set status = 'retiring', expires_at = $4,
            sealed_secret = case when public_key is null then sealed_secret end
      where tenant_id = $1 and purpose = $2 and kid = $3 and status = 'active'`,
    [key.tenantId, key.purpose, key.kid, expiresAt],
  );
}

export async function activateDialectKey(tx: Transaction, key: DialectKeyRow, now: Date): Promise<void> {
  await tx.query(
    `update dialect_keys set status = 'active', activates_at = least(activates_at, $4)
      where tenant_id = $1 and purpose = $2 and kid = $3`,
    [key.tenantId, key.purpose, key.kid, now],
  );
}

export async function deleteDialectKey(tx: Transaction, key: DialectKeyRow): Promise<void> {
  await tx.query(
    "delete from dialect_keys where tenant_id = $1 and purpose = $2 and kid = $3 and status <> 'active'",
    [key.tenantId, key.purpose, key.kid],
  );
}

/** To be deleted, to be activated, or active and without a successor; of all tenants, as the job asks every minute. */
export function selectDialectKeysThatMayBeDue(
  database: Queryable,
  now: Date,
): Promise<{ tenantId: string }[]> {
  return database.query(
    `select tenant_id as "tenantId" from dialect_keys key
      where (status = 'retiring' and expires_at <= $1) or (status = 'next' and activates_at <= $1)
         or (status = 'active' and not exists (
               select 1 from dialect_keys successor
                where successor.tenant_id = key.tenant_id and successor.purpose = key.purpose
                  and successor.status = 'next'))`,
    [now],
  );
}
