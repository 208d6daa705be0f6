import { type Static, Type } from "typebox";

/** A text or null. Not a union: a union's serializer would validate every value. */
const Text = Type.Unsafe<string | null>({ type: ["string", "null"] });

/** Numbers of bk-login and of BlueKing's gateway. Anything but 0 is a refusal to bkpaas-auth. */
export const CODES = {
  /** "Parameter not valid": the ticket is missing, malformed, unknown, or has ended. */
  invalid: 1302100,
  /** The user may not use the application: bkpaas-auth 4.x answers its browser with 403. */
  denied: 1302403,
  unavailable: 1302500,
  /** The application's code or secret is wrong. */
  caller: 1640101,
  /** The application is another tenant's. */
  otherTenant: 1640302,
} as const;

/** `is_login` v3, and what bkpaas-auth calls "esb". */
export const IsLoginReply = Type.Object({
  result: Type.Boolean(),
  code: Type.Integer(),
  message: Type.String(),
  data: Type.Object({ bk_username: Type.Optional(Type.String()) }),
});

/** `is_login` for tickets. */
export const TicketReply = Type.Object({
  ret: Type.Integer(),
  msg: Type.String(),
  data: Type.Object({ username: Type.Optional(Type.String()) }),
});

/** What the clients' calls show: of the application, and of the person. Each may be in a header or in the query. */
export interface Credentials {
  code: string;
  secret: string;
  bkToken: string;
  accessToken: string;
  username: string;
}

/** Body of the calls of the token service ("SSM"). Their clients send more, which is ignored. */
export const TokenCall = Type.Object({
  app_code: Type.Optional(Text),
  app_secret: Type.Optional(Text),
  grant_type: Type.Optional(Text),
  id_provider: Type.Optional(Text),
  bk_token: Type.Optional(Text),
  refresh_token: Type.Optional(Text),
  access_token: Type.Optional(Text),
});
export type TokenCall = Static<typeof TokenCall>;

export const VerifyGatewayTokenCall = Type.Object({ jwt: Type.String({ maxLength: 8_192 }) });
