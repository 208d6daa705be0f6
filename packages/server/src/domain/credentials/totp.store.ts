import type { Queryable, Transaction } from "../../platform/database/types.ts";

export interface TotpAuthenticator {
  id: string;
  name: string;
  sealedSecret: Buffer;
  lastStep: number;
}

/** Begins one in place of any that the user has begun before and not confirmed. */
export async function putBegunTotp(
  tx: Transaction,
  tenantId: string,
  totp: { id: string; userId: string; name: string; sealedSecret: Buffer },
  now: Date,
): Promise<void> {
  await tx.query(
    "delete from totp_authenticators where tenant_id = $1 and user_id = $2 and confirmed_at is null",
    [tenantId, totp.userId],
  );
  await tx.query(
    `insert into totp_authenticators (tenant_id, id, user_id, name, sealed_secret, created_at)
     values ($1, $2, $3, $4, $5, $6)`,
    [tenantId, totp.id, totp.userId, totp.name, totp.sealedSecret, now],
  );
}

/** One that was begun after `since` and is not confirmed. */
export async function selectBegunTotp(
  database: Queryable,
  tenantId: string,
  userId: string,
  id: string,
  since: Date,
): Promise<TotpAuthenticator | undefined> {
  const [row] = await database.query<TotpAuthenticator>(
    `select id, name, sealed_secret as "sealedSecret", last_step as "lastStep" from totp_authenticators
      where tenant_id = $1 and user_id = $2 and id = $3 and confirmed_at is null and created_at > $4`,
    [tenantId, userId, id, since],
  );
  return row;
}

/** Makes it a factor, with the step that proved it used up. False when another request has. */
export async function confirmTotpRow(
  tx: Transaction,
  tenantId: string,
  userId: string,
  id: string,
  step: number,
  now: Date,
): Promise<boolean> {
  const rows = await tx.query(
    `update totp_authenticators set confirmed_at = $5, last_step = $4, last_used_at = $5
      where tenant_id = $1 and user_id = $2 and id = $3 and confirmed_at is null returning id`,
    [tenantId, userId, id, step, now],
  );
  return rows.length === 1;
}

export function selectTotps(
  database: Queryable,
  tenantId: string,
  userId: string,
): Promise<TotpAuthenticator[]> {
  return database.query<TotpAuthenticator>(
    `select id, name, sealed_secret as "sealedSecret", last_step as "lastStep" from totp_authenticators
      where tenant_id = $1 and user_id = $2 and confirmed_at is not null order by id`,
    [tenantId, userId],
  );
}

/** Uses a step up. One statement decides between two requests; a step before the newest one is used up too. */
export async function consumeStep(
  tx: Transaction,
  tenantId: string,
  id: string,
  step: number,
  now: Date,
): Promise<boolean> {
  const rows = await tx.query(
    `update totp_authenticators set last_step = $3, last_used_at = $4
      where tenant_id = $1 and id = $2 and last_step < $3 and confirmed_at is not null returning id`,
    [tenantId, id, step, now],
  );
  return rows.length === 1;
}

/** Those that were begun before `before` and never confirmed. */
export async function deleteBegunTotps(database: Queryable, before: Date, limit: number): Promise<number> {
  const rows = await database.query(
    `delete from totp_authenticators where (tenant_id, id) in
       (select tenant_id, id from totp_authenticators where confirmed_at is null and created_at < $1 limit $2)
     returning id`,
    [before, limit],
  );
  return rows.length;
}
