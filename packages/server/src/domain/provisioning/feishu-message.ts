import { IdentityError } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Application } from "../applications/index.ts";
import { recordEvent } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import { findBot } from "./feishu-bots.ts";
import { type FeishuMessage, httpFeishu, type SentFeishuMessage } from "./feishu-connector.ts";
import { findFeishuIdentity } from "./feishu-identity.ts";
import { type PersonName, resolvePerson } from "./feishu-users.ts";

export type Recipient = PersonName | Pick<FeishuMessage, "receiveIdType" | "receiveId">;

/**
 * Sends a message as one of the tenant's Feishu bots, to one of our users, who must be active and the calling
 * application's, or to an id of Feishu's.
 *
 * @throws IdentityError `feishu.not_configured`, `feishu.user_not_found`, `user.suspended`, `feishu.refused`,
 *   `feishu.unreachable`
 */
export async function sendFeishuMessage(
  deps: Deps,
  context: RequestContext,
  application: Application,
  message: { botAppId: string; recipient: Recipient; messageType: string; content: object },
): Promise<SentFeishuMessage> {
  const { messageType, content, recipient } = message;
  const bot = await findBot(deps, application.tenantId, message.botAppId);
  const to = "receiveId" in recipient ? recipient : await feishuIdOf(deps, application, recipient);
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

async function feishuIdOf(deps: Deps, application: Application, name: PersonName) {
  const person = await resolvePerson(deps, application, name);
  const { userId, openId, unionId } = await findFeishuIdentity(deps, application.tenantId, person.userId);
  if (userId) return { receiveIdType: "user_id", receiveId: userId } as const;
  if (openId) return { receiveIdType: "open_id", receiveId: openId } as const;
  if (unionId) return { receiveIdType: "union_id", receiveId: unionId } as const;
  throw new IdentityError("feishu.user_not_found", { reason: "has no Feishu identity" });
}
