import { type FeishuBot, IdentityError } from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";
import { violatedConstraint } from "../../platform/database/unique-violation.ts";

export interface StoredBot extends Omit<FeishuBot, "createdAt" | "updatedAt"> {
  sealedSecret: Buffer;
  createdAt: Date;
  updatedAt: Date;
}

const COLUMNS = `id, app_id as "appId", name, base_url as "baseUrl", sealed_secret as "sealedSecret", version,
  created_at as "createdAt", updated_at as "updatedAt"`;

export function selectBots(
  database: Queryable,
  tenantId: string,
  after: string | undefined,
  limit: number,
): Promise<StoredBot[]> {
  return database.query<StoredBot>(
    `select ${COLUMNS} from feishu_bots where tenant_id = $1 and ($2::text is null or id < $2)
      order by id desc limit $3`,
    [tenantId, after ?? null, limit],
  );
}

export async function selectBot(
  database: Queryable,
  tenantId: string,
  id: string,
): Promise<StoredBot | undefined> {
  const [row] = await database.query<StoredBot>(
    `select ${COLUMNS} from feishu_bots where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return row;
}

export async function selectBotByApp(
  database: Queryable,
  tenantId: string,
  appId: string,
): Promise<StoredBot | undefined> {
  const [row] = await database.query<StoredBot>(
    `select ${COLUMNS} from feishu_bots where tenant_id = $1 and app_id = $2`,
    [tenantId, appId],
  );
  return row;
}

type BotValues = Pick<StoredBot, "id" | "appId" | "name" | "baseUrl" | "sealedSecret">;

/** @throws IdentityError `feishu.bot_taken` */
export async function insertBot(
  tx: Transaction,
  tenantId: string,
  bot: BotValues,
  now: Date,
): Promise<StoredBot> {
  const [row] = await tx
    .query<StoredBot>(
      `insert into feishu_bots (tenant_id, id, app_id, name, base_url, sealed_secret, created_at, updated_at)
       values ($1, $2, $3, $4, $5, $6, $7, $7) returning ${COLUMNS}`,
      [tenantId, bot.id, bot.appId, bot.name, bot.baseUrl, bot.sealedSecret, now],
    )
    .catch((error: unknown) => {
      if (violatedConstraint(error) === "feishu_bots_app") throw new IdentityError("feishu.bot_taken");
      throw error;
    });
  if (!row) throw new Error("insert returned no row");
  return row;
}

/** Undefined when there is none, or it has another version. */
export async function updateBotRow(
  tx: Transaction,
  tenantId: string,
  bot: Omit<BotValues, "appId">,
  expectedVersion: number | undefined,
  now: Date,
): Promise<StoredBot | undefined> {
  const [row] = await tx.query<StoredBot>(
    `update feishu_bots set name = $3, base_url = $4, sealed_secret = $5, updated_at = $6, version = version + 1
      where tenant_id = $1 and id = $2 and ($7::int is null or version = $7) returning ${COLUMNS}`,
    [tenantId, bot.id, bot.name, bot.baseUrl, bot.sealedSecret, now, expectedVersion ?? null],
  );
  return row;
}

export async function deleteBotRow(
  tx: Transaction,
  tenantId: string,
  id: string,
  expectedVersion: number | undefined,
): Promise<boolean> {
  const rows = await tx.query(
    `delete from feishu_bots where tenant_id = $1 and id = $2 and ($3::int is null or version = $3) returning id`,
    [tenantId, id, expectedVersion ?? null],
  );
  return rows.length === 1;
}
