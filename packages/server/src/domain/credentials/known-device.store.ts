import type { Queryable, Transaction } from "../../platform/database/types.ts";

export interface KnownDeviceRow {
  id: string;
  name: string;
  ip: string | null;
  userAgent: string | null;
  createdAt: Date;
  lastSeenAt: Date;
  rememberedUntil: Date | null;
}

const COLUMNS = `id, name, ip, user_agent as "userAgent", created_at as "createdAt",
  last_seen_at as "lastSeenAt", remembered_until as "rememberedUntil"`;

/** The device that one of a cookie's secrets belongs to. */
export async function selectKnownDevice(
  database: Queryable,
  tenantId: string,
  userId: string,
  secrets: readonly { id: string; hash: Buffer }[],
): Promise<KnownDeviceRow | undefined> {
  const [row] = await database.query<KnownDeviceRow>(
    `select ${COLUMNS} from known_devices d
       join unnest($3::text[], $4::bytea[]) as s(secret_of, hash) on s.secret_of = d.id and s.hash = d.secret_hash
      where d.tenant_id = $1 and d.user_id = $2 limit 1`,
    [tenantId, userId, secrets.map(({ id }) => id), secrets.map(({ hash }) => hash)],
  );
  return row;
}

export async function insertKnownDevice(
  database: Queryable,
  tenantId: string,
  userId: string,
  secretHash: Buffer,
  device: KnownDeviceRow,
): Promise<void> {
  await database.query(
    `insert into known_devices (tenant_id, id, user_id, secret_hash, name, ip, user_agent, created_at, last_seen_at,
                                remembered_until)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      tenantId,
      device.id,
      userId,
      secretHash,
      device.name,
      device.ip,
      device.userAgent,
      device.createdAt,
      device.lastSeenAt,
      device.rememberedUntil,
    ],
  );
}

/** Keeps the user's `most` that were seen last. */
export async function deleteOldestDevices(
  database: Queryable,
  tenantId: string,
  userId: string,
  most: number,
): Promise<void> {
  await database.query(
    `delete from known_devices where tenant_id = $1 and user_id = $2 and id in
       (select id from known_devices where tenant_id = $1 and user_id = $2
         order by last_seen_at desc, id desc offset $3)`,
    [tenantId, userId, most],
  );
}

/** @param remember - null: as before. */
export async function touchKnownDevice(
  database: Queryable,
  tenantId: string,
  id: string,
  seen: { now: Date; ip: string | null; remember: Date | null },
): Promise<void> {
  await database.query(
    `update known_devices set last_seen_at = $3, ip = $4, remembered_until = coalesce($5, remembered_until)
      where tenant_id = $1 and id = $2`,
    [tenantId, id, seen.now, seen.ip, seen.remember],
  );
}

/** Newest first. */
export function selectKnownDevices(
  database: Queryable,
  tenantId: string,
  userId: string,
): Promise<KnownDeviceRow[]> {
  return database.query<KnownDeviceRow>(
    `select ${COLUMNS} from known_devices where tenant_id = $1 and user_id = $2 order by last_seen_at desc, id desc`,
    [tenantId, userId],
  );
}

export async function deleteKnownDevice(
  tx: Transaction,
  tenantId: string,
  userId: string,
  id: string,
): Promise<boolean> {
  const rows = await tx.query(
    "delete from known_devices where tenant_id = $1 and user_id = $2 and id = $3 returning id",
    [tenantId, userId, id],
  );
  return rows.length === 1;
}

/** All of them need the second factor again. They stay known. */
export async function forgetRememberedDevices(
  tx: Transaction,
  tenantId: string,
  userId: string,
): Promise<void> {
  await tx.query(
    `update known_devices set remembered_until = null
      where tenant_id = $1 and user_id = $2 and remembered_until is not null`,
    [tenantId, userId],
  );
}

/** Those that were last seen before `before`. */
export async function deleteUnseenDevices(database: Queryable, before: Date, limit: number): Promise<number> {
  const rows = await database.query(
    `delete from known_devices where (tenant_id, id) in
       (select tenant_id, id from known_devices where last_seen_at < $1 limit $2) returning id`,
    [before, limit],
  );
  return rows.length;
}
