import type { JsonValue, User, UserPreferences, UserProfile, UserStatus } from "@ostiary/contracts";
import type { Database, Queryable, SqlValue, Transaction } from "../../platform/database/types.ts";
import { violatedConstraint } from "../../platform/database/unique-violation.ts";
import { BEST_MATCH, MATCHES_IDENTIFIER } from "../identifier.ts";

type UserRow = Omit<User, "createdAt" | "updatedAt" | "lastLoginAt"> & {
  createdAt: Date;
  updatedAt: Date;
  lastLoginAt: Date | null;
};

const ROLE_NAME = "case when r.namespace = 'default' then r.code else r.namespace || '/' || r.code end";

const SELECT_USER = `
  select u.id, u.serial, u.username, u.email, u.email_verified as "emailVerified", u.phone,
         u.phone_verified as "phoneVerified", u.external_id as "externalId", u.nickname, u.name, u.status, u.profile,
         u.custom, u.preferences, u.register_source as "registerSource", u.logins_count as "loginsCount",
         u.last_login_at as "lastLoginAt", u.last_ip as "lastIp", u.version, u.created_at as "createdAt",
         u.updated_at as "updatedAt",
         array(select ${ROLE_NAME} from access_grants a
                 join roles r on r.tenant_id = a.tenant_id and r.id = a.role_id
                where a.tenant_id = u.tenant_id and a.user_id = u.id order by 1) as roles,
         exists (select 1 from passwords p where p.tenant_id = u.tenant_id and p.user_id = u.id) as "hasPassword"
    from users u`;

function toUser(row: UserRow): User {
  return {
    ...row,
    lastLoginAt: row.lastLoginAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

/** Deleted users are not found. */
export async function selectUser(
  database: Queryable,
  tenantId: string,
  id: string,
): Promise<User | undefined> {
  const [row] = await database.query<UserRow>(
    `${SELECT_USER} where u.tenant_id = $1 and u.id = $2 and u.status <> 'deleted'`,
    [tenantId, id],
  );
  return row && toUser(row);
}

/** Locks the row first, so that what is read is what will be changed. */
export async function lockUser(tx: Transaction, tenantId: string, id: string): Promise<User | undefined> {
  const locked = await tx.query<{ id: string }>(
    "select id from users where tenant_id = $1 and id = $2 and status <> 'deleted' for no key update",
    [tenantId, id],
  );
  return locked.length === 0 ? undefined : selectUser(tx, tenantId, id);
}

export async function selectUserByIdentifier(
  database: Queryable,
  tenantId: string,
  identifier: string,
): Promise<User | undefined> {
  const [row] = await database.query<UserRow>(
    `${SELECT_USER} where ${MATCHES_IDENTIFIER} order by ${BEST_MATCH} limit 1`,
    [tenantId, identifier],
  );
  return row && toUser(row);
}

export async function selectIdsByUsername(
  database: Queryable,
  tenantId: string,
  username: string,
): Promise<{ id: string; serial: number } | undefined> {
  const [row] = await database.query<{ id: string; serial: number }>(
    "select id, serial from users where tenant_id = $1 and lower(username) = lower($2) and status <> 'deleted'",
    [tenantId, username],
  );
  return row;
}

export interface UserFilter {
  /** Part of username, e-mail, phone, nickname or name, in any case. */
  search?: string | undefined;
  /** Default: all but deleted ones. */
  status?: UserStatus | undefined;
  /** `code`, or `namespace/code`. */
  role?: string | undefined;
  externalId?: string | undefined;
}

/** In the text, so that PostgreSQL plans for each: almost all users are active, few are suspended. */
const HAS_STATUS: Record<UserStatus, string> = {
  active: "u.status = 'active'",
  suspended: "u.status = 'suspended'",
  deleted: "u.status = 'deleted'",
};

/**
 * The index knows groups of three characters. A shorter text is looked for where words begin, which the index knows
 * too; anywhere else it would cost a scan of all users.
 */
function searchPatterns(text: string): { anywhere: string } | { atStart: string; atWord: string } {
  const escaped = text.toLowerCase().replace(/[\\%_]/g, "\\$&");
  return [...text].length >= 3
    ? { anywhere: `%${escaped}%` }
    : { atStart: `${escaped}%`, atWord: `% ${escaped}%` };
}

/**
 * Newest first, only ids below `after`. The text has only the conditions that are asked for: a condition that may
 * be absent would keep PostgreSQL from using its index.
 */
export async function selectUsers(
  database: Database,
  tenantId: string,
  filter: UserFilter,
  after: string | undefined,
  limit: number,
): Promise<User[]> {
  const values: SqlValue[] = [tenantId, limit];
  const conditions = [
    "u.tenant_id = $1",
    filter.status ? HAS_STATUS[filter.status] : "u.status <> 'deleted'",
  ];
  const parameter = (value: string) => `$${values.push(value)}`;
  if (after !== undefined) conditions.push(`u.id < ${parameter(after)}`);
  if (filter.externalId !== undefined) conditions.push(`u.external_id = ${parameter(filter.externalId)}`);
  if (filter.search !== undefined) {
    const patterns = Object.values(searchPatterns(filter.search));
    conditions.push(`(${patterns.map((pattern) => `u.search like ${parameter(pattern)}`).join(" or ")})`);
  }
  if (filter.role !== undefined) {
    conditions.push(
      `exists (select 1 from access_grants a join roles r on r.tenant_id = a.tenant_id and r.id = a.role_id
                where a.tenant_id = u.tenant_id and a.user_id = u.id and ${ROLE_NAME} = ${parameter(filter.role)})`,
    );
  }
  const text = `${SELECT_USER} where ${conditions.join(" and ")} order by u.id desc limit $2`;
  const rows =
    filter.search === undefined
      ? await database.query<UserRow>(text, values)
      : await queryPlanned<UserRow>(database, text, values);
  return rows.map(toUser);
}

/**
 * Plans for these values: whether the index of texts or the order of ids is better depends on how many users the
 * searched text has. A plan for all values takes 350 ms instead of 2 for a text that all of 300,000 users have.
 */
function queryPlanned<Row extends object>(
  database: Database,
  text: string,
  values: readonly SqlValue[],
): Promise<Row[]> {
  return database.transaction(async (tx) => {
    await tx.query("set local plan_cache_mode = force_custom_plan");
    return tx.query<Row>(text, values);
  });
}

/** The columns that creations and changes write. */
export interface UserFields {
  username: string | null;
  email: string | null;
  emailVerified: boolean;
  phone: string | null;
  phoneVerified: boolean;
  externalId: string | null;
  nickname: string | null;
  name: string | null;
  status: UserStatus;
  profile: UserProfile;
  custom: Record<string, JsonValue>;
  preferences: UserPreferences;
}

const FIELD_COLUMNS = [
  "username",
  "email",
  "email_verified",
  "phone",
  "phone_verified",
  "external_id",
  "nickname",
  "name",
  "status",
  "profile",
  "custom",
  "preferences",
];

function fieldValues(user: UserFields): SqlValue[] {
  return [
    user.username,
    user.email,
    user.emailVerified,
    user.phone,
    user.phoneVerified,
    user.externalId,
    user.nickname,
    user.name,
    user.status,
    JSON.stringify(user.profile),
    JSON.stringify(user.custom),
    JSON.stringify(user.preferences),
  ];
}

const UNIQUE = {
  users_username: "username",
  users_email: "email",
  users_phone: "phone",
  users_external_id: "externalId",
  users_serial: "serial",
  users_pkey: "id",
} as const;

/** What another user has already. */
export type TakenField = (typeof UNIQUE)[keyof typeof UNIQUE];

async function takenField(write: Promise<unknown>): Promise<TakenField | undefined> {
  try {
    await write;
    return undefined;
  } catch (error) {
    const taken = UNIQUE[violatedConstraint(error) as keyof typeof UNIQUE];
    if (taken) return taken;
    throw error;
  }
}

/** Inserts a user; the field that another one has already, if any. */
export async function insertUser(
  tx: Transaction,
  tenantId: string,
  user: UserFields & { id: string; serial: number | undefined; registerSource: string },
  now: Date,
): Promise<TakenField | undefined> {
  const parameters = FIELD_COLUMNS.map((_, index) => `$${index + 6}`);
  const taken = await takenField(
    tx.query(
      `insert into users (tenant_id, id, serial, register_source, created_at, updated_at, ${FIELD_COLUMNS.join(", ")})
       values ($1, $2, coalesce($3::bigint, nextval(pg_get_serial_sequence('users', 'serial'))), $4, $5, $5,
               ${parameters.join(", ")})`,
      [tenantId, user.id, user.serial ?? null, user.registerSource, now, ...fieldValues(user)],
    ),
  );
  if (taken === undefined && user.serial !== undefined) await passSerial(tx, user.serial);
  return taken;
}

/** The numbers that are given out from now on are above this one. */
async function passSerial(tx: Transaction, serial: number): Promise<void> {
  await tx.query(
    "select setval('users_serial_seq', $1::bigint) from users_serial_seq where last_value < $1::bigint",
    [serial],
  );
}

/** Writes all fields of a user; the field that another one has already, if any. */
export function updateUserRow(
  tx: Transaction,
  tenantId: string,
  id: string,
  user: UserFields,
  now: Date,
): Promise<TakenField | undefined> {
  const assignments = FIELD_COLUMNS.map((column, index) => `${column} = $${index + 4}`);
  return takenField(
    tx.query(
      `update users set ${assignments.join(", ")}, version = version + 1, updated_at = $3
        where tenant_id = $1 and id = $2`,
      [tenantId, id, now, ...fieldValues(user)],
    ),
  );
}

/** Leaves of a deleted user only what tells that there was one: id, serial and times. */
export async function eraseUser(tx: Transaction, tenantId: string, id: string, now: Date): Promise<void> {
  await tx.query(
    `update users set status = 'deleted', username = null, email = null, email_verified = false, phone = null,
            phone_verified = false, backup_email = null, backup_email_verified = false, external_id = null,
            nickname = null, name = null, profile = '{}', custom = '{}',
            preferences = '{}', last_ip = null, version = version + 1, updated_at = $3
      where tenant_id = $1 and id = $2`,
    [tenantId, id, now],
  );
  await tx.query("delete from federated_identities where tenant_id = $1 and user_id = $2", [tenantId, id]);
  await tx.query("delete from avatars where tenant_id = $1 and user_id = $2", [tenantId, id]);
}

/** Not a change of the user that anybody must hear of: neither version nor notice. */
export async function countSignIn(
  database: Queryable,
  tenantId: string,
  id: string,
  ip: string | null,
  now: Date,
): Promise<boolean> {
  const rows = await database.query(
    `update users set logins_count = logins_count + 1, last_login_at = $4, last_ip = $3
      where tenant_id = $1 and id = $2 and status = 'active' returning id`,
    [tenantId, id, ip, now],
  );
  return rows.length === 1;
}
