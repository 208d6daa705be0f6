import {
  type CreateFeishuBot,
  type FeishuBot,
  IdentityError,
  type Page,
  type PageRequest,
  type UpdateFeishuBot,
} from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { checkPermission } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import {
  deleteBotRow,
  insertBot,
  type StoredBot,
  selectBot,
  selectBotByApp,
  selectBots,
  updateBotRow,
} from "./feishu-bot.store.ts";
import type { Bot } from "./feishu-connector.ts";

const purposeOf = (tenantId: string, id: string) => `feishu-bot:${tenantId}:${id}`;
const BASE_URL = "https://open.feishu.cn";

function toBot({ sealedSecret: _secret, createdAt, updatedAt, ...bot }: StoredBot): FeishuBot {
  return { ...bot, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() };
}

/** @throws IdentityError `permission.denied`, `feishu.bot_taken` */
export async function createFeishuBot(
  deps: Deps,
  context: RequestContext,
  input: CreateFeishuBot,
): Promise<FeishuBot> {
  checkPermission(context, "settings:write");
  const now = deps.clock.now();
  const { appId, name = "", baseUrl = BASE_URL, secret } = input;
  const id = newId(now);
  const bot = {
    id,
    appId,
    name,
    baseUrl,
    sealedSecret: deps.secrets.seal(secret, purposeOf(context.tenantId, id)),
  };
  return deps.database.transaction(async (tx) => {
    const stored = await insertBot(tx, context.tenantId, bot, now);
    await record(deps, tx, context, "feishu_bot.created", stored.id);
    return toBot(stored);
  });
}

/** @throws IdentityError `permission.denied`, `feishu.bot_not_found` */
export async function getFeishuBot(deps: Deps, context: RequestContext, id: string): Promise<FeishuBot> {
  checkPermission(context, "settings:read");
  const stored = await selectBot(deps.database, context.tenantId, id);
  if (!stored) throw new IdentityError("feishu.bot_not_found");
  return toBot(stored);
}

/** Newest first. @throws IdentityError `permission.denied` */
export async function listFeishuBots(
  deps: Deps,
  context: RequestContext,
  { limit = 50, after }: PageRequest = {},
): Promise<Page<FeishuBot>> {
  checkPermission(context, "settings:read");
  const rows = await selectBots(deps.database, context.tenantId, after, limit + 1);
  const items = rows.slice(0, limit).map(toBot);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/** @throws IdentityError `permission.denied`, `feishu.bot_not_found`, `precondition.failed` */
export async function updateFeishuBot(
  deps: Deps,
  context: RequestContext,
  id: string,
  { secret, ...patch }: UpdateFeishuBot,
  expectedVersion?: number,
): Promise<FeishuBot> {
  checkPermission(context, "settings:write");
  return deps.database.transaction(async (tx) => {
    const current = await selectBot(tx, context.tenantId, id);
    if (!current) throw new IdentityError("feishu.bot_not_found");
    const sealed =
      secret === undefined
        ? {}
        : { sealedSecret: deps.secrets.seal(secret, purposeOf(context.tenantId, id)) };
    const next = { ...current, ...patch, ...sealed };
    const stored = await updateBotRow(tx, context.tenantId, next, expectedVersion, deps.clock.now());
    if (!stored) throw new IdentityError("precondition.failed");
    await record(deps, tx, context, "feishu_bot.updated", id);
    return toBot(stored);
  });
}

/** @throws IdentityError `permission.denied`, `feishu.bot_not_found`, `precondition.failed` */
export async function deleteFeishuBot(
  deps: Deps,
  context: RequestContext,
  id: string,
  expectedVersion?: number,
): Promise<void> {
  checkPermission(context, "settings:write");
  await deps.database.transaction(async (tx) => {
    if (!(await selectBot(tx, context.tenantId, id))) throw new IdentityError("feishu.bot_not_found");
    if (!(await deleteBotRow(tx, context.tenantId, id, expectedVersion))) {
      throw new IdentityError("precondition.failed");
    }
    await record(deps, tx, context, "feishu_bot.deleted", id);
  });
}

function record(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  type: "feishu_bot.created" | "feishu_bot.updated" | "feishu_bot.deleted",
  id: string,
): Promise<void> {
  return recordEvent(deps, tx, context, { type, target: { type: "feishu-bot", id } });
}

/** What the connector needs of a bot. @throws IdentityError `feishu.not_configured` */
export async function findBot(deps: Deps, tenantId: string, appId: string): Promise<Bot> {
  const stored = await selectBotByApp(deps.database, tenantId, appId);
  if (!stored) throw new IdentityError("feishu.not_configured", { reason: "no such bot" });
  const { id, baseUrl, version, sealedSecret } = stored;
  return { id, appId, baseUrl, version, secret: deps.secrets.unseal(sealedSecret, purposeOf(tenantId, id)) };
}
