import type { IdentifierKind } from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";
import type { ChangeFacts } from "./account-steps.ts";

export interface Change extends ChangeFacts {
  id: string;
  userId: string;
  kind: IdentifierKind;
  /** As it was when the change began. */
  oldValue: string | null;
  expiresAt: Date;
}

const COLUMNS = `id, user_id as "userId", kind, old_value as "oldValue", new_value as "newValue", asks_old as "asksOld",
  old_confirmed_at as "oldConfirmedAt", new_confirmed_at as "newConfirmedAt", expires_at as "expiresAt"`;

/** A user changes an address of a kind once at a time: the change before is given up. */
export async function insertChange(
  tx: Transaction,
  tenantId: string,
  change: Change,
  now: Date,
): Promise<void> {
  const { id, userId, kind, oldValue, newValue, asksOld, expiresAt } = change;
  await tx.query(
    `delete from identifier_changes where tenant_id = $1 and user_id = $2 and kind = $3 and applied_at is null`,
    [tenantId, userId, kind],
  );
  await tx.query(
    `insert into identifier_changes (tenant_id, id, user_id, kind, old_value, new_value, asks_old, created_at,
                                     expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [tenantId, id, userId, kind, oldValue, newValue, asksOld, now, expiresAt],
  );
}

/** The user's changes that wait for something. */
export function selectOpenChanges(
  database: Queryable,
  tenantId: string,
  userId: string,
  now: Date,
): Promise<Change[]> {
  return database.query<Change>(
    `select ${COLUMNS} from identifier_changes
      where tenant_id = $1 and user_id = $2 and applied_at is null and expires_at > $3 order by id`,
    [tenantId, userId, now],
  );
}

export async function selectOpenChange(
  database: Queryable,
  tenantId: string,
  userId: string,
  id: string,
  now: Date,
): Promise<Change | undefined> {
  const [row] = await database.query<Change>(
    `select ${COLUMNS} from identifier_changes
      where tenant_id = $1 and user_id = $2 and id = $3 and applied_at is null and expires_at > $4`,
    [tenantId, userId, id, now],
  );
  return row;
}

/** Notes what was confirmed. Undefined when another request has done so, or the change is over. */
export async function confirmChange(
  tx: Transaction,
  tenantId: string,
  { id, userId }: Change,
  which: "old" | "new",
  now: Date,
): Promise<Change | undefined> {
  const column = which === "old" ? "old_confirmed_at" : "new_confirmed_at";
  const [row] = await tx.query<Change>(
    `update identifier_changes set ${column} = $4
      where tenant_id = $1 and user_id = $2 and id = $3 and ${column} is null and applied_at is null
        and expires_at > $4
      returning ${COLUMNS}`,
    [tenantId, userId, id, now],
  );
  return row;
}

/** One statement decides between two that finish it. */
export async function finishChange(
  tx: Transaction,
  tenantId: string,
  { id, userId }: Change,
  now: Date,
): Promise<boolean> {
  const rows = await tx.query(
    `update identifier_changes set applied_at = $4
      where tenant_id = $1 and user_id = $2 and id = $3 and applied_at is null and expires_at > $4 returning id`,
    [tenantId, userId, id, now],
  );
  return rows.length === 1;
}

export async function deleteChange(
  database: Queryable,
  tenantId: string,
  userId: string,
  id: string,
): Promise<boolean> {
  const rows = await database.query(
    `delete from identifier_changes where tenant_id = $1 and user_id = $2 and id = $3 and applied_at is null
     returning id`,
    [tenantId, userId, id],
  );
  return rows.length === 1;
}

export async function deleteExpiredChanges(database: Queryable, now: Date, limit: number): Promise<number> {
  const rows = await database.query(
    `delete from identifier_changes where (tenant_id, id) in
       (select tenant_id, id from identifier_changes where expires_at < $1 limit $2) returning id`,
    [now, limit],
  );
  return rows.length;
}
