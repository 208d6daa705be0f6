import { type FeishuIdentity, IdentityError } from "@ostiary/contracts";
import type { FastifyPluginAsync } from "fastify";
import { Type } from "typebox";
import type { Deps } from "../../domain/deps.ts";
import {
  issueFeishuToken,
  type Recipient,
  sendFeishuMessage,
  syncFeishuUser,
} from "../../domain/provisioning/index.ts";
import { callerOf, contextOf, succeed } from "./calls.ts";
import { toSyncUser } from "./sync-user.ts";
import { toUsername } from "./translate.ts";
import { Text } from "./wire.ts";

/** Seconds. */
const TOKEN_SECONDS = 86_400;

const Name = Type.Optional(Type.Union([Type.String({ maxLength: 128 }), Type.Null()]));
const identity = { feishuUserId: Name, feishuOpenId: Name, feishuUnionId: Name, feishuTenantKey: Name };

const Person = Type.Object({
  ...identity,
  username: Type.Optional(Text),
  nickname: Type.Optional(Text),
  department: Type.Optional(Text),
  company: Type.Optional(Text),
  email: Type.Optional(Text),
  phone: Type.Optional(Text),
  avatar: Type.Optional(Text),
  status: Type.Optional(Text),
});
type Person = Type.Static<typeof Person>;

const Issue = Type.Object({
  ...identity,
  userId: Type.Optional(Type.Union([Type.Integer({ minimum: 1 }), Type.Null()])),
  username: Type.Optional(Text),
  expiresIn: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
});

const Message = Type.Object({
  botAppId: Type.String({ minLength: 1, maxLength: 64 }),
  recipientType: Type.String({ maxLength: 32 }),
  recipient: Type.Unsafe<string | number>({ type: ["string", "integer"], maxLength: 256 }),
  messageType: Type.String({ maxLength: 32 }),
  content: Type.Unsafe<object>({ type: "object" }),
});

const MESSAGE_TYPES: ReadonlySet<string> = new Set(["text", "post", "interactive"]);

function toIdentity(their: Partial<Record<keyof typeof identity, string | null>>): FeishuIdentity {
  const { feishuUserId, feishuOpenId, feishuUnionId, feishuTenantKey } = their;
  return {
    ...(feishuUserId ? { userId: feishuUserId } : {}),
    ...(feishuOpenId ? { openId: feishuOpenId } : {}),
    ...(feishuUnionId ? { unionId: feishuUnionId } : {}),
    ...(feishuTenantKey ? { tenantKey: feishuTenantKey } : {}),
  };
}

function toRecipient(type: string, recipient: string | number): Recipient {
  const text = String(recipient);
  switch (type) {
    case "auth_user_id":
      return { serial: Number(text), feishu: {} };
    case "username":
      return { username: text, feishu: {} };
    case "feishu_user_id":
      return { receiveIdType: "user_id", receiveId: text };
    case "feishu_open_id":
      return { receiveIdType: "open_id", receiveId: text };
    case "feishu_union_id":
      return { receiveIdType: "union_id", receiveId: text };
    default: {
      const message = "must be auth_user_id, username, feishu_user_id, feishu_open_id or feishu_union_id";
      throw new IdentityError("request.invalid", { fields: [{ path: "/recipientType", message }] });
    }
  }
}

/** Endpoints 19 to 21: people at Feishu. */
export function feishuRoutes(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    app.post<{ Body: Person }>(
      "/feishu/identity/users/sync",
      { schema: { body: Person } },
      async (request) => {
        const caller = await callerOf(deps, request);
        const feishu = toIdentity(request.body);
        // Checked as every user who is brought in; the name may follow from Feishu's.
        const user = toSyncUser({ ...request.body });
        const synced = await syncFeishuUser(deps, contextOf(request, caller), user, feishu);
        return succeed({
          success: true,
          created: synced.created,
          userId: synced.serial,
          user_id: synced.serial,
        });
      },
    );

    app.post<{ Body: Type.Static<typeof Issue> }>(
      "/feishu/identity/users/token",
      { schema: { body: Issue } },
      async (request) => {
        const caller = await callerOf(deps, request);
        const { userId, username, expiresIn } = request.body;
        const issued = await issueFeishuToken(deps, contextOf(request, caller), request.tenant, {
          application: caller,
          person: {
            ...(userId ? { serial: userId } : {}),
            ...(username ? { username } : {}),
            feishu: toIdentity(request.body),
          },
          expiresIn: expiresIn ?? TOKEN_SECONDS,
        });
        return succeed({
          accessToken: issued.accessToken,
          tokenType: "Bearer",
          expiresAt: issued.expiresAt.toISOString(),
          userId: issued.user.serial,
          username: toUsername(issued.user),
        });
      },
    );

    app.post<{ Body: Type.Static<typeof Message> }>(
      "/feishu/message",
      { schema: { body: Message } },
      async (request) => {
        const caller = await callerOf(deps, request);
        const { botAppId, recipientType, recipient, messageType, content } = request.body;
        if (!MESSAGE_TYPES.has(messageType)) {
          const message = "must be text, post or interactive";
          throw new IdentityError("request.invalid", { fields: [{ path: "/messageType", message }] });
        }
        const to = toRecipient(recipientType, recipient);
        const message = { botAppId, recipient: to, messageType, content };
        const sent = await sendFeishuMessage(deps, contextOf(request, caller), caller, message);
        return succeed({
          message_id: sent.messageId,
          status: "sent",
          ...(sent.rootId === null ? {} : { root_id: sent.rootId }),
          ...(sent.parentId === null ? {} : { parent_id: sent.parentId }),
          ...(sent.createTime === null ? {} : { create_time: sent.createTime }),
        });
      },
    );
  };
}
