import type { SigningAlgorithm, SigningKey } from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";

export interface SigningKeyRow {
  tenantId: string;
  kid: string;
  algorithm: SigningAlgorithm;
  publicJwk: Record<string, unknown>;
  /** PKCS #8 PEM, sealed; null once the key signs no more. */
  sealedPrivate: Buffer | null;
  status: SigningKey["status"];
  createdAt: Date;
  activatesAt: Date;
  expiresAt: Date | null;
}

const COLUMNS = `tenant_id as "tenantId", kid, algorithm, public_jwk as "publicJwk",
  sealed_private as "sealedPrivate", status, created_at as "createdAt", activates_at as "activatesAt",
  expires_at as "expiresAt"`;

export function selectSigningKeys(database: Queryable, tenantId: string): Promise<SigningKeyRow[]> {
  return database.query<SigningKeyRow>(
    `select ${COLUMNS} from signing_keys where tenant_id = $1 order by kid`,
    [tenantId],
  );
}

/** Whoever changes a tenant's keys takes turns here, so that there is always exactly one active key an algorithm. */
export async function lockSigningKeys(tx: Transaction, tenantId: string): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(hashtextextended('signing-keys:' || $1, 0))", [tenantId]);
}

export async function insertSigningKey(tx: Transaction, row: SigningKeyRow): Promise<void> {
  await tx.query(
    `insert into signing_keys (tenant_id, kid, algorithm, public_jwk, sealed_private, status, created_at, activates_at)
     values ($1, $2, $3, $4::jsonb, $5, $6, $7, $8)`,
    [
      row.tenantId,
      row.kid,
      row.algorithm,
      JSON.stringify(row.publicJwk),
      row.sealedPrivate,
      row.status,
      row.createdAt,
      row.activatesAt,
    ],
  );
}

/** The key signs no more. Its private half is destroyed; what it signed stays good until `expiresAt`. */
export async function retireKey(
  tx: Transaction,
  tenantId: string,
  kid: string,
  expiresAt: Date,
): Promise<void> {
  await tx.query(
    `update signing_keys set status = 'retiring', expires_at = $3, sealed_private = null
      where tenant_id = $1 and kid = $2 and status = 'active'`,
    [tenantId, kid, expiresAt],
  );
}

export async function activateKey(tx: Transaction, tenantId: string, kid: string, now: Date): Promise<void> {
  await tx.query(
    "update signing_keys set status = 'active', activates_at = least(activates_at, $3) where tenant_id = $1 and kid = $2",
    [tenantId, kid, now],
  );
}

/**
 * The keys of all tenants for which something may have to be done: to be deleted, to be activated, or active and
 * without a successor. One statement for all tenants, as the job asks every minute.
 */
export function selectKeysThatMayBeDue(database: Queryable, now: Date): Promise<{ tenantId: string }[]> {
  return database.query(
    `select tenant_id as "tenantId" from signing_keys key
      where (status = 'retiring' and expires_at <= $1) or (status = 'next' and activates_at <= $1)
         or (status = 'active' and not exists (
               select 1 from signing_keys successor
                where successor.tenant_id = key.tenant_id and successor.algorithm = key.algorithm
                  and successor.status = 'next'))`,
    [now],
  );
}

export async function deleteKey(tx: Transaction, tenantId: string, kid: string): Promise<void> {
  await tx.query("delete from signing_keys where tenant_id = $1 and kid = $2 and status <> 'active'", [
    tenantId,
    kid,
  ]);
}
