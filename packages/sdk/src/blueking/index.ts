export { BkAuthError, type BkAuthErrorCode } from "./errors.ts";
export { isProviderType, ProviderType } from "./providers.ts";
export { type DecodedUserId, decodeUserId, encodeUserId } from "./user-id.ts";
