import { IdentityError, type SentFeishuMessage } from "@ostiary/contracts";
import { type Deps, onePerServer } from "../deps.ts";

export interface Bot {
  id: string;
  appId: string;
  baseUrl: string;
  version: number;
  secret: string;
}

export interface FeishuMessage {
  receiveIdType: "user_id" | "open_id" | "union_id";
  receiveId: string;
  messageType: string;
  content: object;
}

/** What we want of Feishu. */
export interface FeishuConnector {
  /** @throws IdentityError `feishu.refused` with Feishu's own code and words in `fields`, `feishu.unreachable` */
  sendMessage(bot: Bot, message: FeishuMessage): Promise<SentFeishuMessage>;
}

const TIMEOUT_MILLISECONDS = 10_000;
const ANSWER_BYTES = 256 * 1024;
/** Feishu renews a tenant token in its last half hour; ours is dropped a little before its end. */
const TOKEN_MARGIN_SECONDS = 120;
/** The tenant token is invalid or has expired: https://open.feishu.cn/document/server-docs/api-call-guide/generic-error-code */
const TOKEN_REFUSED = new Set([99991661, 99991663, 99991668]);

interface FeishuAnswer {
  code?: number;
  msg?: string;
  tenant_access_token?: string;
  expire?: number;
  data?: { message_id?: string; root_id?: string; parent_id?: string; create_time?: string };
}

const tokensOf = onePerServer(() => new Map<string, { token: string; until: number }>());

/** Feishu's open platform over HTTP. */
export function httpFeishu(deps: Deps): FeishuConnector {
  const tokens = tokensOf(deps);

  async function call(bot: Bot, path: string, body: object, token?: string): Promise<FeishuAnswer> {
    const answer = await deps.outgoing
      .send({
        method: "POST",
        url: bot.baseUrl.replace(/\/+$/, "") + path,
        headers: {
          "content-type": "application/json; charset=utf-8",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify(body),
        timeoutMilliseconds: TIMEOUT_MILLISECONDS,
        answerBytes: ANSWER_BYTES,
      })
      .catch((error: unknown) => {
        if (error instanceof IdentityError) throw error;
        throw new IdentityError("feishu.unreachable", { cause: error });
      });
    return parse(answer.body, answer.status);
  }

  async function tokenOf(bot: Bot): Promise<string> {
    const known = tokens.get(bot.id);
    const now = deps.clock.now().getTime();
    if (known && known.until > now && known.token.startsWith(`${bot.version} `))
      return known.token.split(" ")[1] ?? "";
    const path = "/open-apis/auth/v3/tenant_access_token/internal";
    const answer = await call(bot, path, { app_id: bot.appId, app_secret: bot.secret });
    if (answer.code !== 0 || !answer.tenant_access_token) throw refused(answer);
    const seconds = Math.max((answer.expire ?? 0) - TOKEN_MARGIN_SECONDS, 0);
    const token = answer.tenant_access_token;
    tokens.set(bot.id, { token: `${bot.version} ${token}`, until: now + seconds * 1_000 });
    return token;
  }

  async function sendMessage(bot: Bot, message: FeishuMessage, isSecond = false): Promise<SentFeishuMessage> {
    const answer = await call(
      bot,
      `/open-apis/im/v1/messages?receive_id_type=${message.receiveIdType}`,
      {
        receive_id: message.receiveId,
        msg_type: message.messageType,
        content: JSON.stringify(message.content),
      },
      await tokenOf(bot),
    );
    if (TOKEN_REFUSED.has(answer.code ?? 0) && !isSecond) {
      tokens.delete(bot.id);
      return sendMessage(bot, message, true);
    }
    if (answer.code !== 0 || !answer.data?.message_id) throw refused(answer);
    const { message_id: messageId, root_id, parent_id, create_time } = answer.data;
    return {
      messageId,
      rootId: root_id ?? null,
      parentId: parent_id ?? null,
      createTime: create_time ?? null,
    };
  }

  return { sendMessage: (bot, message) => sendMessage(bot, message) };
}

function parse(body: string, status: number): FeishuAnswer {
  try {
    const answer: unknown = JSON.parse(body);
    if (typeof answer === "object" && answer !== null && "code" in answer) return answer as FeishuAnswer;
  } catch {
    // said below
  }
  throw new IdentityError("feishu.unreachable", { reason: `answered ${status} without a code` });
}

function refused({ code, msg }: FeishuAnswer): IdentityError {
  const message = `Feishu ${code ?? "?"}: ${String(msg ?? "").slice(0, 500)}`;
  return new IdentityError("feishu.refused", { fields: [{ path: "", message }], reason: message });
}
