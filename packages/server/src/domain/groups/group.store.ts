import type { Group, Membership } from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";
import { violatedConstraint } from "../../platform/database/unique-violation.ts";

type GroupRow = Omit<Group, "createdAt" | "updatedAt"> & { createdAt: Date; updatedAt: Date };

const COLUMNS = `id, serial, code, name, description, level, version, created_at as "createdAt",
  updated_at as "updatedAt"`;

function toGroup(row: GroupRow): Group {
  return { ...row, createdAt: row.createdAt.toISOString(), updatedAt: row.updatedAt.toISOString() };
}

export type NewGroup = Pick<Group, "id" | "code" | "name" | "description" | "level"> & {
  serial: number | undefined;
};

export async function insertGroup(
  tx: Transaction,
  tenantId: string,
  { id, serial, code, name, description, level }: NewGroup,
  now: Date,
): Promise<Group | "code taken" | "id taken"> {
  try {
    const [row] = await tx.query<GroupRow>(
      `insert into groups (tenant_id, id, serial, code, name, description, level, created_at, updated_at)
       values ($1, $2, coalesce($3::bigint, nextval(pg_get_serial_sequence('groups', 'serial'))), $4, $5, $6, $7, $8, $8)
       returning ${COLUMNS}`,
      [tenantId, id, serial ?? null, code, name, description, level, now],
    );
    if (serial !== undefined) {
      await tx.query(
        "select setval('groups_serial_seq', $1::bigint) from groups_serial_seq where last_value < $1::bigint",
        [serial],
      );
    }
    if (!row) throw new Error("an insertion without a row");
    return toGroup(row);
  } catch (error) {
    const constraint = violatedConstraint(error);
    if (constraint === "groups_tenant_id_code_key") return "code taken";
    if (constraint === "groups_pkey" || constraint === "groups_serial") return "id taken";
    throw error;
  }
}

export async function selectGroup(
  database: Queryable,
  tenantId: string,
  id: string,
): Promise<Group | undefined> {
  const [row] = await database.query<GroupRow>(
    `select ${COLUMNS} from groups where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return row && toGroup(row);
}

export async function lockGroup(tx: Transaction, tenantId: string, id: string): Promise<Group | undefined> {
  const [row] = await tx.query<GroupRow>(
    `select ${COLUMNS} from groups where tenant_id = $1 and id = $2 for update`,
    [tenantId, id],
  );
  return row && toGroup(row);
}

export interface GroupFilter {
  /** Only groups of which this user is a member. */
  userId?: string | undefined;
  /** Part of code or name, in any case. */
  search?: string | undefined;
}

/** Newest first, only ids below `after`. */
export async function selectGroups(
  database: Queryable,
  tenantId: string,
  { userId, search }: GroupFilter,
  after: string | undefined,
  limit: number,
): Promise<Group[]> {
  const rows = await database.query<GroupRow>(
    `select ${COLUMNS} from groups
      where tenant_id = $1 and ($2::text is null or id < $2)
        and ($3::text is null or position(lower($3) in lower(code || ' ' || name)) > 0)
        and ($4::text is null
             or id in (select group_id from group_members where tenant_id = $1 and user_id = $4))
      order by id desc limit $5`,
    [tenantId, after ?? null, search ?? null, userId ?? null, limit],
  );
  return rows.map(toGroup);
}

export async function writeGroup(
  tx: Transaction,
  tenantId: string,
  { id, code, name, description, level }: Group,
  now: Date,
): Promise<"written" | "taken"> {
  try {
    await tx.query(
      `update groups set code = $3, name = $4, description = $5, level = $6, version = version + 1, updated_at = $7
        where tenant_id = $1 and id = $2`,
      [tenantId, id, code, name, description, level, now],
    );
    return "written";
  } catch (error) {
    if (violatedConstraint(error) === "groups_tenant_id_code_key") return "taken";
    throw error;
  }
}

export async function deleteGroupRow(tx: Transaction, tenantId: string, id: string): Promise<void> {
  await tx.query("delete from groups where tenant_id = $1 and id = $2", [tenantId, id]);
}

/** Newest users first, only ids below `after`. */
export async function selectMembers(
  database: Queryable,
  tenantId: string,
  groupId: string,
  after: string | undefined,
  limit: number,
): Promise<Membership[]> {
  const rows = await database.query<{ userId: string; joinedAt: Date }>(
    `select user_id as "userId", created_at as "joinedAt" from group_members
      where tenant_id = $1 and group_id = $2 and ($3::text is null or user_id < $3)
      order by user_id desc limit $4`,
    [tenantId, groupId, after ?? null, limit],
  );
  return rows.map(({ userId, joinedAt }) => ({ userId, joinedAt: joinedAt.toISOString() }));
}

/** @returns which of the users are there and not deleted; they stay so until the end of the transaction. */
export async function holdUsers(
  tx: Transaction,
  tenantId: string,
  userIds: readonly string[],
): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `select id from users where tenant_id = $1 and id = any($2) and status <> 'deleted' order by id for key share`,
    [tenantId, userIds],
  );
  return rows.map(({ id }) => id);
}

/** @returns those who were no members before. */
export async function insertMembers(
  tx: Transaction,
  tenantId: string,
  groupId: string,
  userIds: readonly string[],
  now: Date,
): Promise<string[]> {
  const rows = await tx.query<{ userId: string }>(
    `insert into group_members (tenant_id, group_id, user_id, created_at)
     select $1, $2, u, $4 from unnest($3::text[]) as u on conflict do nothing returning user_id as "userId"`,
    [tenantId, groupId, userIds, now],
  );
  return rows.map(({ userId }) => userId);
}

/** @returns those who were members. */
export async function deleteMembers(
  tx: Transaction,
  tenantId: string,
  groupId: string,
  userIds: readonly string[],
): Promise<string[]> {
  const rows = await tx.query<{ userId: string }>(
    `delete from group_members where tenant_id = $1 and group_id = $2 and user_id = any($3)
     returning user_id as "userId"`,
    [tenantId, groupId, userIds],
  );
  return rows.map(({ userId }) => userId);
}

/** By code. */
export function selectGroupsOfUser(
  database: Queryable,
  tenantId: string,
  userId: string,
): Promise<{ serial: number; code: string; name: string }[]> {
  return database.query(
    `select g.serial, g.code, g.name from group_members m
       join groups g on g.tenant_id = m.tenant_id and g.id = m.group_id
      where m.tenant_id = $1 and m.user_id = $2 order by g.code`,
    [tenantId, userId],
  );
}

/** Those of a level or below it, the oldest first; groups without a level have `unset`. */
export async function selectGroupsFromLevel(
  database: Queryable,
  tenantId: string,
  level: number,
  unset: number,
  limit: number,
): Promise<Group[]> {
  const rows = await database.query<GroupRow>(
    `select ${COLUMNS} from groups where tenant_id = $1 and coalesce(level, $3::int) >= $2 order by serial limit $4`,
    [tenantId, level, unset, limit],
  );
  return rows.map(toGroup);
}

export async function hasGroups(database: Queryable, tenantId: string): Promise<boolean> {
  const [row] = await database.query<{ found: boolean }>(
    "select exists (select from groups where tenant_id = $1) as found",
    [tenantId],
  );
  return row?.found ?? false;
}

/** Locks the groups that a user is in, or that have one of these numbers, so that they stay until the end. */
export function lockGroupsOfUser(
  tx: Transaction,
  tenantId: string,
  userId: string,
  serials: readonly number[],
): Promise<{ id: string; serial: number; isMember: boolean }[]> {
  return tx.query(
    `select g.id, g.serial, exists (select from group_members m where m.tenant_id = g.tenant_id
              and m.group_id = g.id and m.user_id = $2) as "isMember"
       from groups g
      where g.tenant_id = $1 and (g.serial = any($3::bigint[]) or exists (
              select from group_members m where m.tenant_id = g.tenant_id and m.group_id = g.id and m.user_id = $2))
      order by g.id for share of g`,
    [tenantId, userId, serials],
  );
}
