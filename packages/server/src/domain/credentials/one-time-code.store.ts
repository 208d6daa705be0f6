import type { Queryable } from "../../platform/database/types.ts";

export type CodeChannel = "email" | "sms";

export interface OneTimeCode {
  purpose: string;
  subject: string;
  userId: string | null;
  /** Keyed hash of what was typed. */
  account: string;
  channel: CodeChannel;
  target: string | null;
  codeHash: Buffer;
  createdAt: Date;
  expiresAt: Date;
}

/**
 * Keeps a code in place of the one before it.
 *
 * @param replaceable - one that was made later than this stays.
 * @returns false when it stayed: of two requests at once one sends.
 */
export async function putCode(
  database: Queryable,
  tenantId: string,
  code: OneTimeCode,
  replaceable: Date,
): Promise<boolean> {
  const rows = await database.query(
    `insert into one_time_codes as c
            (tenant_id, purpose, subject, user_id, account, channel, target, code_hash, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict (tenant_id, purpose, subject) do update
        set user_id = excluded.user_id, account = excluded.account, channel = excluded.channel,
            target = excluded.target, code_hash = excluded.code_hash, attempts = 0,
            created_at = excluded.created_at, expires_at = excluded.expires_at
      where c.created_at <= $11 or c.created_at > excluded.created_at
     returning purpose`,
    [
      tenantId,
      code.purpose,
      code.subject,
      code.userId,
      code.account,
      code.channel,
      code.target,
      code.codeHash,
      code.createdAt,
      code.expiresAt,
      replaceable,
    ],
  );
  return rows.length === 1;
}

/** When the code of this purpose and subject was made, if there is one. */
export async function selectCodeTime(
  database: Queryable,
  tenantId: string,
  purpose: string,
  subject: string,
): Promise<Date | undefined> {
  const [row] = await database.query<{ createdAt: Date }>(
    `select created_at as "createdAt" from one_time_codes where tenant_id = $1 and purpose = $2 and subject = $3`,
    [tenantId, purpose, subject],
  );
  return row?.createdAt;
}

export interface Attempt {
  /** Including this one. */
  attempts: number;
  right: boolean;
  alive: boolean;
  userId: string | null;
  account: string;
  channel: CodeChannel;
  target: string | null;
  createdAt: Date;
  expiresAt: Date;
}

/** Counts an attempt, before anybody learns whether it was right; by itself, so that no roll-back undoes it. */
export async function countAttempt(
  database: Queryable,
  tenantId: string,
  purpose: string,
  subject: string,
  codeHash: Buffer,
  now: Date,
): Promise<Attempt | undefined> {
  const [row] = await database.query<Attempt>(
    `update one_time_codes set attempts = attempts + 1
      where tenant_id = $1 and purpose = $2 and subject = $3
      returning attempts, code_hash = $4 as right, expires_at > $5 as alive, user_id as "userId", account, channel,
                target, created_at as "createdAt", expires_at as "expiresAt"`,
    [tenantId, purpose, subject, codeHash, now],
  );
  return row;
}

/** A user's addresses have changed: codes and links on their way to the old ones are worth nothing. */
export async function dropSent(database: Queryable, tenantId: string, userId: string): Promise<void> {
  await database.query(
    `with codes as (delete from one_time_codes where tenant_id = $1 and user_id = $2)
     delete from password_links where tenant_id = $1 and user_id = $2`,
    [tenantId, userId],
  );
}

/** A user's password has changed: codes and links to set it anew that were sent before are worth nothing. */
export async function dropRecoveries(database: Queryable, tenantId: string, userId: string): Promise<void> {
  await database.query(
    `with codes as (delete from one_time_codes where tenant_id = $1 and user_id = $2 and purpose = 'recovery')
     delete from password_links where tenant_id = $1 and user_id = $2`,
    [tenantId, userId],
  );
}

export async function deleteExpiredCodes(database: Queryable, now: Date, limit: number): Promise<number> {
  const rows = await database.query(
    `delete from one_time_codes where (tenant_id, purpose, subject) in
       (select tenant_id, purpose, subject from one_time_codes where expires_at < $1 limit $2) returning purpose`,
    [now, limit],
  );
  return rows.length;
}
