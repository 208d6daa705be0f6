import { type Static, Type } from "typebox";
import { RoleCodes } from "./access.ts";
import {
  Id,
  Line,
  ListQuery,
  Nullable,
  OneOf,
  Optionals,
  Serial,
  StrictObject,
  Timestamp,
  Version,
  WebAddress,
} from "./common.ts";
import { CreateUser, PasswordInput } from "./users.ts";

const { username, email, phone, nickname, name, externalId, status, profile } = CreateUser.properties;

/** A user as another system has him. */
export const SyncUser = StrictObject({
  username,
  email,
  phone,
  nickname,
  name,
  externalId,
  status,
  profile,
  password: Type.Optional(PasswordInput),
  roles: Type.Optional(RoleCodes),
});
export type SyncUser = Static<typeof SyncUser>;

export const MAXIMUM_SYNC_USERS = 1_000;

export const SyncUsers = StrictObject({
  users: Type.Array(SyncUser, { minItems: 1, maxItems: MAXIMUM_SYNC_USERS }),
});

const SyncFailure = Type.Object({
  index: Type.Integer({ minimum: 0, description: "Position in `users`" }),
  username: Type.Optional(Type.String()),
  code: Type.String(),
  message: Type.String(),
});
export type SyncFailure = Static<typeof SyncFailure>;

/** What became of a batch: each user for himself. */
export const SyncResult = Type.Object({
  total: Type.Integer(),
  created: Type.Integer(),
  skipped: Type.Integer({ description: "Were there already; they stay as they are" }),
  failed: Type.Integer(),
  errors: Type.Array(SyncFailure),
});
export type SyncResult = Static<typeof SyncResult>;

const Token = Type.String({ minLength: 1, maxLength: 16_384 });

export const CompareIdentity = StrictObject({ sourceToken: Token, targetToken: Token });
export const CompareIdentityResult = Type.Object({
  sameUser: Type.Boolean({ description: "The same user here, or the same person at Feishu" }),
});

const feishuFields = {
  userId: Line(128, { minLength: 1 }),
  openId: Line(128, { minLength: 1 }),
  unionId: Line(128, { minLength: 1 }),
  tenantKey: Line(128, { minLength: 1, description: "Where the ids are unique" }),
};

/** A person at Feishu (Lark). */
export const FeishuIdentity = StrictObject(Optionals(feishuFields));
export type FeishuIdentity = Static<typeof FeishuIdentity>;

export const FederatedUser = Type.Object({ id: Id, serial: Serial, created: Type.Boolean() });

export const SyncFeishuUser = StrictObject({
  ...SyncUser.properties,
  feishu: FeishuIdentity,
});

const botFields = {
  name: Line(128),
  baseUrl: WebAddress({ description: "Default `https://open.feishu.cn`" }),
};

/** A Feishu application in whose name messages are sent. */
export const FeishuBot = Type.Object({
  id: Id,
  appId: Type.String(),
  ...botFields,
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type FeishuBot = Static<typeof FeishuBot>;

const BotSecret = Type.String({ minLength: 1, maxLength: 256, pattern: "^[\\u0021-\\u007E]+$" });
export const CreateFeishuBot = StrictObject({
  appId: Type.String({ minLength: 1, maxLength: 64, pattern: "^[A-Za-z0-9_-]+$" }),
  ...Optionals(botFields),
  secret: BotSecret,
});
export type CreateFeishuBot = Static<typeof CreateFeishuBot>;
export const UpdateFeishuBot = StrictObject({ ...Optionals(botFields), secret: Type.Optional(BotSecret) });
export type UpdateFeishuBot = Static<typeof UpdateFeishuBot>;
export const FeishuBotQuery = StrictObject(ListQuery.properties);

/** To one of the tenant's users, or to an id of Feishu's. */
export const SendFeishuMessage = StrictObject({
  botAppId: CreateFeishuBot.properties.appId,
  to: Type.Union([
    StrictObject({ username: Line(128, { minLength: 1 }) }),
    StrictObject({ serial: Serial }),
    StrictObject({
      receiveIdType: OneOf(["user_id", "open_id", "union_id"]),
      receiveId: Line(256, { minLength: 1 }),
    }),
  ]),
  messageType: OneOf(["text", "post", "interactive"]),
  content: Type.Unsafe<object>({ type: "object", description: "As Feishu documents it for the type" }),
});
export type SendFeishuMessage = Static<typeof SendFeishuMessage>;

export const SentFeishuMessage = Type.Object({
  messageId: Type.String(),
  rootId: Nullable(Type.String()),
  parentId: Nullable(Type.String()),
  createTime: Nullable(Type.String(), { description: "Milliseconds since 1970" }),
});
export type SentFeishuMessage = Static<typeof SentFeishuMessage>;
