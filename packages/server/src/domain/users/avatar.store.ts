import type { Queryable, Transaction } from "../../platform/database/types.ts";
import type { Picture } from "./picture.ts";

export interface Avatar {
  id: string;
  mediaType: Picture["mediaType"];
  bytes: Buffer;
}

const COLUMNS = `id, media_type as "mediaType", bytes`;

export async function selectAvatarOfUser(
  database: Queryable,
  tenantId: string,
  userId: string,
): Promise<Avatar | undefined> {
  const [row] = await database.query<Avatar>(
    `select ${COLUMNS} from avatars where tenant_id = $1 and user_id = $2`,
    [tenantId, userId],
  );
  return row;
}

export async function selectAvatar(
  database: Queryable,
  tenantId: string,
  id: string,
): Promise<Avatar | undefined> {
  const [row] = await database.query<Avatar>(
    `select ${COLUMNS} from avatars where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return row;
}

/** In place of the one before. */
export async function writeAvatar(
  tx: Transaction,
  tenantId: string,
  userId: string,
  { id, mediaType, bytes }: Avatar,
  now: Date,
): Promise<void> {
  await tx.query(
    `insert into avatars (tenant_id, user_id, id, media_type, bytes, created_at) values ($1, $2, $3, $4, $5, $6)
     on conflict (tenant_id, user_id) do update
        set id = excluded.id, media_type = excluded.media_type, bytes = excluded.bytes,
            created_at = excluded.created_at`,
    [tenantId, userId, id, mediaType, bytes, now],
  );
}

export async function deleteAvatar(tx: Transaction, tenantId: string, userId: string): Promise<boolean> {
  const rows = await tx.query("delete from avatars where tenant_id = $1 and user_id = $2 returning id", [
    tenantId,
    userId,
  ]);
  return rows.length > 0;
}
