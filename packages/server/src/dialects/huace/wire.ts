import { type Static, type TSchema, Type } from "typebox";

/** A text or null. Not a union: a union's serializer would validate every value. */
export const Text = Type.Unsafe<string | null>({ type: ["string", "null"] });

/** Every answer has HTTP status 200: their client reads no body of any other, and `code` is all it looks at. */
const envelope = { code: Type.Integer(), message: Type.String() };

/** Endpoints 1 and 2 take the same body. Their samples pass on whatever the browser sent: nothing, too. */
export const TokenCallSchema = Type.Object({ token: Type.Optional(Text) });
export type TokenCall = Static<typeof TokenCallSchema>;

const TokenState = Type.Object({
  valid: Type.Boolean(),
  userId: Type.Optional(
    Type.String({ description: "The user's serial; a text here, a number in `/user/info`" }),
  ),
  username: Type.Optional(Type.String()),
  expiresAt: Type.Optional(Type.String({ description: "RFC 3339, in UTC" })),
});
export type TokenState = Static<typeof TokenState>;

/** A success with this `data`. */
export function ReplyOf<Data extends TSchema>(data: Data) {
  return Type.Object({ ...envelope, data });
}

export const TokenVerifyReply = ReplyOf(TokenState);

/** Their user object. Both spellings, as the client's versions read one or the other. */
export const UserInfo = Type.Object({
  id: Type.Integer(),
  username: Type.String(),
  nickname: Text,
  email: Text,
  phone: Text,
  avatar: Text,
  department: Text,
  company: Text,
  status: Text, // `active`; `disabled` in webhooks only
  roles: Type.Array(Type.String()),
  permissions: Type.Array(Type.String()),
  groups: Type.Array(Type.Object({ id: Type.Integer(), name: Type.String(), code: Type.String() })),
  is_admin: Type.Boolean(),
  isAdmin: Type.Boolean(),
  feishuUserId: Text,
  feishuOpenId: Text,
  feishuUnionId: Text,
  feishuTenantKey: Text,
});
export type UserInfo = Static<typeof UserInfo>;

export const UserInfoReply = ReplyOf(UserInfo);

/** A refusal. `data` is kept by client 1.1.62 and newer; it names the registered code and the trace. */
export interface Refusal {
  code: number;
  message: string;
  data: { code: string; traceId: string };
}
