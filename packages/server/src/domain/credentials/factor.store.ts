import type { Queryable, Transaction } from "../../platform/database/types.ts";

/** What of a user his factors hang on. Verified and unverified addresses; `backupEmail` only when it is verified. */
export interface Account {
  status: "active" | "suspended";
  /** What an authenticator app and a passkey show. */
  label: string;
  displayName: string;
  email: string | null;
  emailVerified: boolean;
  phone: string | null;
  phoneVerified: boolean;
  backupEmail: string | null;
  locale: string | null;
  password: boolean;
  totps: number;
  passkeys: number;
  recoveryCodes: number;
  /** He must choose another password, and when he chose the present one; null: he has none. */
  mustChangePassword: boolean;
  passwordChangedAt: Date | null;
  /** He has chosen to be signed in once only. */
  wantsOneSession: boolean;
}

export async function selectAccount(
  database: Queryable,
  tenantId: string,
  userId: string,
): Promise<Account | undefined> {
  const [row] = await database.query<Account>(
    `select u.status, coalesce(u.username, u.email, u.phone, u.id) as label,
            coalesce(u.nickname, u.name, u.username, u.email, u.phone, u.id) as "displayName",
            u.email, u.email_verified as "emailVerified", u.phone, u.phone_verified as "phoneVerified",
            case when u.backup_email_verified then u.backup_email end as "backupEmail",
            u.profile->>'locale' as locale,
            p.hash is not null as password, coalesce(p.must_change, false) as "mustChangePassword",
            p.changed_at as "passwordChangedAt",
            coalesce(u.preferences -> 'multipleLogin' = 'false'::jsonb, false) as "wantsOneSession",
            (select count(*) from totp_authenticators t
              where t.tenant_id = u.tenant_id and t.user_id = u.id and t.confirmed_at is not null) as totps,
            (select count(*) from passkeys k where k.tenant_id = u.tenant_id and k.user_id = u.id) as passkeys,
            (select count(*) from recovery_codes r
              where r.tenant_id = u.tenant_id and r.user_id = u.id and r.used_at is null) as "recoveryCodes"
       from users u left join passwords p on p.tenant_id = u.tenant_id and p.user_id = u.id
      where u.tenant_id = $1 and u.id = $2 and u.status <> 'deleted'`,
    [tenantId, userId],
  );
  return row;
}

/** Makes changes of one user's factors take turns. False when there is no such user. */
export async function lockFactors(tx: Transaction, tenantId: string, userId: string): Promise<boolean> {
  const rows = await tx.query(
    "select id from users where tenant_id = $1 and id = $2 and status <> 'deleted' for no key update",
    [tenantId, userId],
  );
  return rows.length === 1;
}

export interface FactorRow {
  id: string;
  kind: "totp" | "passkey";
  name: string;
  createdAt: Date;
  lastUsedAt: Date | null;
  backedUp: boolean | null;
}

/** The user's authenticator apps and passkeys, oldest first. */
export function selectFactors(database: Queryable, tenantId: string, userId: string): Promise<FactorRow[]> {
  return database.query<FactorRow>(
    `select id, 'totp' as kind, name, created_at as "createdAt", last_used_at as "lastUsedAt", null as "backedUp"
       from totp_authenticators where tenant_id = $1 and user_id = $2 and confirmed_at is not null
     union all
     select id, 'passkey', name, created_at, last_used_at, backed_up
       from passkeys where tenant_id = $1 and user_id = $2
      order by id`,
    [tenantId, userId],
  );
}

/** Undefined when the user has no such factor. */
export async function renameFactorRow(
  tx: Transaction,
  tenantId: string,
  userId: string,
  id: string,
  name: string,
): Promise<FactorRow["kind"] | undefined> {
  const [row] = await tx.query<{ kind: FactorRow["kind"] }>(
    `with totp as (update totp_authenticators set name = $4
                    where tenant_id = $1 and user_id = $2 and id = $3 and confirmed_at is not null returning id),
          passkey as (update passkeys set name = $4 where tenant_id = $1 and user_id = $2 and id = $3 returning id)
     select 'totp' as kind from totp union all select 'passkey' from passkey`,
    [tenantId, userId, id, name],
  );
  return row?.kind;
}

/** Undefined when the user has no such factor. */
export async function deleteFactorRow(
  tx: Transaction,
  tenantId: string,
  userId: string,
  id: string,
): Promise<{ kind: FactorRow["kind"]; name: string } | undefined> {
  const [row] = await tx.query<{ kind: FactorRow["kind"]; name: string }>(
    `with totp as (delete from totp_authenticators
                    where tenant_id = $1 and user_id = $2 and id = $3 and confirmed_at is not null returning name),
          passkey as (delete from passkeys where tenant_id = $1 and user_id = $2 and id = $3 returning name)
     select 'totp' as kind, name from totp union all select 'passkey', name from passkey`,
    [tenantId, userId, id],
  );
  return row;
}

/** Of a user who is being deleted, and of one whose factors an administrator resets. Returns how many factors went. */
export async function deleteAllFactors(tx: Transaction, tenantId: string, userId: string): Promise<number> {
  const [row] = await tx.query<{ gone: number }>(
    `with t as (delete from totp_authenticators where tenant_id = $1 and user_id = $2 returning confirmed_at),
          k as (delete from passkeys where tenant_id = $1 and user_id = $2 returning id),
          r as (delete from recovery_codes where tenant_id = $1 and user_id = $2 returning hash),
          d as (delete from known_devices where tenant_id = $1 and user_id = $2 returning id),
          c as (delete from one_time_codes where tenant_id = $1 and user_id = $2 returning purpose)
     select (select count(*) from t where confirmed_at is not null) + (select count(*) from k) as gone`,
    [tenantId, userId],
  );
  return row?.gone ?? 0;
}
