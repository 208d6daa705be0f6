import type { UserStatus } from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";
import { MATCHES_IDENTIFIER } from "../identifier.ts";

export interface UserAddresses {
  status: UserStatus;
  email: string | null;
  emailVerified: boolean;
  phone: string | null;
  phoneVerified: boolean;
  backupEmail: string | null;
  backupEmailVerified: boolean;
}

/** Where a user can be reached. Deleted users are not found. */
export async function selectAddresses(
  database: Queryable,
  tenantId: string,
  id: string,
  lock: boolean,
): Promise<UserAddresses | undefined> {
  const [row] = await database.query<UserAddresses>(
    `select status, email, email_verified as "emailVerified", phone, phone_verified as "phoneVerified",
            backup_email as "backupEmail", backup_email_verified as "backupEmailVerified"
       from users where tenant_id = $1 and id = $2 and status <> 'deleted' ${lock ? "for no key update" : ""}`,
    [tenantId, id],
  );
  return row;
}

export async function writeBackupEmail(
  tx: Transaction,
  tenantId: string,
  id: string,
  value: string | null,
  now: Date,
): Promise<void> {
  await tx.query(
    `update users set backup_email = $3, backup_email_verified = $3::text is not null, version = version + 1,
            updated_at = $4
      where tenant_id = $1 and id = $2`,
    [tenantId, id, value, now],
  );
}

/** Whether an identifier may mean another user than this one. */
export async function isSomebodyElsesIdentifier(
  database: Queryable,
  tenantId: string,
  id: string,
  identifier: string,
): Promise<boolean> {
  const rows = await database.query(
    `select 1 as one from users u where ${MATCHES_IDENTIFIER} and u.id <> $3 limit 1`,
    [tenantId, identifier, id],
  );
  return rows.length > 0;
}
