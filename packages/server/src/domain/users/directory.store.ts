import type { Queryable } from "../../platform/database/types.ts";

/** Which users an application sees: all, or those assigned to it. Deleted and suspended ones are seen by nobody. */
export interface Visibility {
  tenantId: string;
  /** Null: everybody. */
  assignedTo: string | null;
}

const VISIBLE = `u.tenant_id = $1 and u.status = 'active'
  and ($2::text is null or exists (select 1 from application_assignments a
        where a.tenant_id = u.tenant_id and a.application_id = $2 and a.user_id = u.id))`;

/** Ids of users by serial, oldest first. @param keyword - part of username or nickname, in any case. */
export async function selectDirectoryPage(
  database: Queryable,
  { tenantId, assignedTo }: Visibility,
  keyword: string | null,
  offset: number,
  limit: number,
): Promise<string[]> {
  const rows = await database.query<{ id: string }>(
    `select u.id from users u
      where ${VISIBLE} and ($3::text is null or (u.search like $3
        and lower(coalesce(u.username, '') || ' ' || coalesce(u.nickname, '')) like $3))
      order by u.id offset $4 limit $5`,
    [tenantId, assignedTo, keyword, offset, limit],
  );
  return rows.map(({ id }) => id);
}

export async function countDirectory(
  database: Queryable,
  { tenantId, assignedTo }: Visibility,
  keyword: string | null,
): Promise<number> {
  const [row] = await database.query<{ count: number }>(
    `select count(*) as count from users u
      where ${VISIBLE} and ($3::text is null or (u.search like $3
        and lower(coalesce(u.username, '') || ' ' || coalesce(u.nickname, '')) like $3))`,
    [tenantId, assignedTo, keyword],
  );
  return row?.count ?? 0;
}

export function selectVisibleByUsername(
  database: Queryable,
  { tenantId, assignedTo }: Visibility,
  usernames: readonly string[],
): Promise<{ id: string; username: string }[]> {
  return database.query(
    `select u.id, lower(u.username) as username from users u where ${VISIBLE} and lower(u.username) = any($3)`,
    [tenantId, assignedTo, usernames],
  );
}

export async function selectIdBySerial(
  database: Queryable,
  tenantId: string,
  serial: number,
): Promise<string | undefined> {
  const [row] = await database.query<{ id: string }>(
    "select id from users where tenant_id = $1 and serial = $2::bigint",
    [tenantId, serial],
  );
  return row?.id;
}

export function selectVisibleBySerial(
  database: Queryable,
  { tenantId, assignedTo }: Visibility,
  serials: readonly number[],
): Promise<{ id: string; serial: number }[]> {
  return database.query(
    `select u.id, u.serial from users u where ${VISIBLE} and u.serial = any($3::bigint[])`,
    [tenantId, assignedTo, serials],
  );
}
