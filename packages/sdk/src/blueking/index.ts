export {
  type AnswerContext,
  accessDenied,
  answerTo,
  type BkAnswer,
  type GuardOptions,
  type LoginPages,
  loginRequired,
  redirectToLogin,
} from "./answers.ts";
export {
  BkAuth,
  type BkAuthRequest,
  type BkOutcome,
  type BkRefused,
  type BkSignedIn,
  createBkAuth,
} from "./bk-auth.ts";
export { cookieOf } from "./cookies.ts";
export type { BkAttributes, DatabaseUsers, NewDatabaseUser } from "./database-users.ts";
export { optionsFromEnvironment } from "./environment.ts";
export { BkAuthError, type BkAuthErrorCode } from "./errors.ts";
export { type GatewayRequirement, requireGateway } from "./gateway-guard.ts";
export {
  dummyGatewayJwt,
  type GatewayApp,
  type GatewayIdentity,
  type GatewayJwtOptions,
  type GatewayJwtVerifier,
  type GatewayUser,
  type GatewayVerification,
  gatewayJwt,
} from "./gateway-jwt.ts";
export type { GatewayKey, GatewayKeySource, GatewayKeysOptions } from "./gateway-keys.ts";
export type { AdapterOptions, BkAuthSource } from "./http.ts";
export type { BkLogger } from "./log.ts";
export { LoginToken } from "./login-token.ts";
export type { BkAuthOptions, BkBackendType, BkSettings } from "./options.ts";
export { isProviderType, ProviderType } from "./providers.ts";
export { scrubData } from "./scrub.ts";
export { type BkSession, MemorySession } from "./session.ts";
export { currentTimeZone, isTimeZone, runInTimeZone, timeZoneOf, type ZonedUser } from "./time-zone.ts";
export {
  type BkRequestOut,
  type BkResponseIn,
  type BkTlsOptions,
  type BkTransport,
  nodeTransport,
} from "./transport.ts";
export type { DetailsCache } from "./user-details.ts";
export { type DecodedUserId, decodeUserId, encodeUserId } from "./user-id.ts";
export {
  type AccountFields,
  BkUserInfo,
  parseUserInfo,
  RtxUserInfo,
  UserInfo,
  type UserInfoJson,
} from "./user-info.ts";
export { AnonymousUser, BasicUser, DatabaseUser, User, type UserFields } from "./users.ts";
export type { BkAccount, BkVerification } from "./verify-ticket.ts";
