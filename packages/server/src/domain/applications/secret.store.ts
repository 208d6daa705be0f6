import type { ApplicationSecret } from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";

type Row = { id: string; hint: string; createdAt: Date; expiresAt: Date | null };

function toSecret(row: Row): ApplicationSecret {
  return {
    id: row.id,
    hint: row.hint,
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt?.toISOString() ?? null,
  };
}

/** Oldest first, expired ones included. */
export async function findSecrets(
  database: Queryable,
  tenantId: string,
  applicationId: string,
): Promise<ApplicationSecret[]> {
  const rows = await database.query<Row>(
    `select id, hint, created_at as "createdAt", expires_at as "expiresAt" from application_secrets
      where tenant_id = $1 and application_id = $2 order by id`,
    [tenantId, applicationId],
  );
  return rows.map(toSecret);
}

export async function insertSecret(
  tx: Transaction,
  tenantId: string,
  applicationId: string,
  secret: { id: string; hash: Buffer; hint: string; createdAt: Date; expiresAt: Date | null },
): Promise<ApplicationSecret> {
  await tx.query(
    `insert into application_secrets (tenant_id, application_id, id, hash, hint, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [tenantId, applicationId, secret.id, secret.hash, secret.hint, secret.createdAt, secret.expiresAt],
  );
  return toSecret(secret);
}

/** An earlier end stays as it is. */
export async function expireSecrets(
  tx: Transaction,
  tenantId: string,
  applicationId: string,
  at: Date,
): Promise<void> {
  await tx.query(
    `update application_secrets set expires_at = least(expires_at, $3)
      where tenant_id = $1 and application_id = $2`,
    [tenantId, applicationId, at],
  );
}

export async function deleteExpiredSecrets(
  tx: Transaction,
  tenantId: string,
  applicationId: string,
  now: Date,
): Promise<void> {
  await tx.query(
    "delete from application_secrets where tenant_id = $1 and application_id = $2 and expires_at <= $3",
    [tenantId, applicationId, now],
  );
}

/** One secret, or all when `id` is absent. Returns how many went. */
export async function deleteSecretRows(
  tx: Transaction,
  tenantId: string,
  applicationId: string,
  id?: string,
): Promise<number> {
  const rows = await tx.query<{ id: string }>(
    `delete from application_secrets
      where tenant_id = $1 and application_id = $2 and ($3::text is null or id = $3) returning id`,
    [tenantId, applicationId, id ?? null],
  );
  return rows.length;
}
