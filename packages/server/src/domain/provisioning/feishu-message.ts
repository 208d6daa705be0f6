import { IdentityError, type SentFeishuMessage } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { checkPermission } from "../access/index.ts";
import type { Application } from "../applications/index.ts";
import { recordEvent } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import { findBot } from "./feishu-bots.ts";
import { type FeishuMessage, httpFeishu } from "./feishu-connector.ts";
import { findFeishuIdentity } from "./feishu-identity.ts";
import { type PersonName, resolvePerson, type Viewer } from "./feishu-users.ts";

export type Recipient = PersonName | Pick<FeishuMessage, "receiveIdType" | "receiveId">;

/**
 * Sends a message as one of the tenant's Feishu bots, to one of our users, who must be active and the calling
 * application's, or to an id of Feishu's.
 *
 * @param application - the caller; null: our own API, which needs the permission `feishu-message:send`.
 *
 * @throws IdentityError `feishu.not_configured`, `feishu.user_not_found`, `user.suspended`, `feishu.refused`,
 *   `feishu.unreachable`
 */
export async function sendFeishuMessage(
  deps: Deps,
  context: RequestContext,
  application: Application | null,
  message: { botAppId: string; recipient: Recipient; messageType: string; content: object },
): Promise<SentFeishuMessage> {
  const { messageType, content, recipient } = message;
  // The application has shown its secret; anybody else needs the right to do so.
  if (application === null) checkPermission(context, "feishu-message:send");
  const viewer = { tenantId: context.tenantId, application };
  const bot = await findBot(deps, context.tenantId, message.botAppId);
  const to = "receiveId" in recipient ? recipient : await feishuIdOf(deps, viewer, recipient);
  const sent = await httpFeishu(deps).sendMessage(bot, { ...to, messageType, content });
  await deps.database.transaction((tx) =>
    recordEvent(deps, tx, context, {
      type: "feishu_message.sent",
      target: { type: "feishu-bot", id: bot.id },
      data: { messageId: sent.messageId, messageType },
    }),
  );
  return sent;
}

async function feishuIdOf(deps: Deps, viewer: Viewer, name: PersonName) {
  const person = await resolvePerson(deps, viewer, name);
  const { userId, openId, unionId } = await findFeishuIdentity(deps, viewer.tenantId, person.userId);
  if (userId) return { receiveIdType: "user_id", receiveId: userId } as const;
  if (openId) return { receiveIdType: "open_id", receiveId: openId } as const;
  if (unionId) return { receiveIdType: "union_id", receiveId: unionId } as const;
  throw new IdentityError("feishu.user_not_found", { reason: "has no Feishu identity" });
}
