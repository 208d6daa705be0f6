import type { UserStatus } from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";
import { BEST_MATCH, MATCHES_IDENTIFIER } from "../identifier.ts";

export interface SignInRow {
  userId: string;
  status: UserStatus;
  hash: string | null;
}

/** Whom an identifier means, with the hash to check: one statement. */
export async function selectForSignIn(
  database: Queryable,
  tenantId: string,
  identifier: string,
): Promise<SignInRow | undefined> {
  const [row] = await database.query<SignInRow>(
    `select u.id as "userId", u.status, p.hash
       from users u left join passwords p on p.tenant_id = u.tenant_id and p.user_id = u.id
      where ${MATCHES_IDENTIFIER} order by ${BEST_MATCH} limit 1`,
    [tenantId, identifier],
  );
  return row;
}

/** Hashes of the tenant's first and last hundred users; null for one of ours, and for who has none. */
export async function selectSomeHashes(database: Queryable, tenantId: string): Promise<(string | null)[]> {
  const some = (order: "asc" | "desc") =>
    `(select u.id, p.hash from users u left join passwords p on p.tenant_id = u.tenant_id and p.user_id = u.id
       where u.tenant_id = $1 and u.status <> 'deleted' order by u.id ${order} limit 100)`;
  const rows = await database.query<{ hash: string | null }>(
    `select case when hash not like '$argon2id$%' then hash end as hash from (${some("asc")} union ${some("desc")}) s`,
    [tenantId],
  );
  return rows.map(({ hash }) => hash);
}

export interface PasswordRow {
  status: UserStatus;
  /** Whether his password must be a secure one; see `isSecurePassword`. */
  secure: boolean;
  /** Names and addresses of the user, which his password must not contain. */
  identifiers: string[];
  hash: string | null;
  mustChange: boolean;
  changedAt: Date | null;
  /** Earlier hashes, newest first. */
  history: string[];
}

export async function selectPassword(
  database: Queryable,
  tenantId: string,
  userId: string,
): Promise<PasswordRow | undefined> {
  const [row] = await database.query<PasswordRow>(
    `select u.status, array_remove(array[u.username, u.email, u.phone, u.nickname], null) as identifiers,
            coalesce((u.preferences -> 'securePassword')::bool, false) as secure,
            p.hash, coalesce(p.must_change, false) as "mustChange", p.changed_at as "changedAt", coalesce(p.history, '{}') as history
       from users u left join passwords p on p.tenant_id = u.tenant_id and p.user_id = u.id
      where u.tenant_id = $1 and u.id = $2 and u.status <> 'deleted'`,
    [tenantId, userId],
  );
  return row;
}

/** Sets the hash and puts the one before into the history, which keeps `historyLength` of them. */
export async function writePassword(
  tx: Transaction,
  tenantId: string,
  userId: string,
  password: { hash: string; imported: Buffer | null; mustChange: boolean; historyLength: number },
  now: Date,
): Promise<void> {
  await tx.query(
    `insert into passwords (tenant_id, user_id, hash, must_change, changed_at, imported)
     values ($1, $2, $3, $4, $6, $7)
     on conflict (tenant_id, user_id) do update
       set history = (array_prepend(passwords.hash, passwords.history))[1:$5::int], hash = excluded.hash,
           must_change = excluded.must_change, changed_at = excluded.changed_at, imported = excluded.imported`,
    [tenantId, userId, password.hash, password.mustChange, password.historyLength, now, password.imported],
  );
}

/** Replaces a hash by a better one of the same password; false when the password was changed meanwhile. */
export async function replaceHash(
  tx: Transaction,
  tenantId: string,
  userId: string,
  before: string,
  after: string,
): Promise<boolean> {
  const rows = await tx.query<{ userId: string }>(
    `update passwords set hash = $4 where tenant_id = $1 and user_id = $2 and hash = $3
     returning user_id as "userId"`,
    [tenantId, userId, before, after],
  );
  return rows.length === 1;
}

export async function deletePassword(tx: Transaction, tenantId: string, userId: string): Promise<void> {
  await tx.query("delete from passwords where tenant_id = $1 and user_id = $2", [tenantId, userId]);
}
