export { issuerOf } from "../tenants/index.ts";
export { createAuthorizationCode, type Issue, redeemCode } from "./authorization-code.ts";
export { checkOwner } from "./check-owner.ts";
export { signDialectJwt, verifyDialectJwt } from "./dialect-jwt.ts";
export {
  findActiveDialectKey,
  findDialectKeyById,
  findDialectKeys,
} from "./dialect-key-ring.ts";
export { deleteDialectKey, listDialectKeys, rotateDialectKeys } from "./dialect-keys.ts";
export { isFamilyAlive } from "./family-facts.ts";
export { type Introspection, introspectToken } from "./introspect-token.ts";
export { type IssuedAccessToken, issueAccessToken } from "./issue-access-token.ts";
export { issueDirectly } from "./issue-directly.ts";
export { type IssuedTokens, issueForSession, issueOfFamily } from "./issue-for-session.ts";
export { issueIdToken } from "./issue-id-token.ts";
export { LOGOUT_SENDER } from "./logout-token.ts";
export { publicJwks } from "./public-jwks.ts";
export { revokeToken } from "./revoke-token.ts";
export { rotateRefreshToken } from "./rotate-refresh-token.ts";
export {
  deleteSigningKey,
  listSigningKeys,
  rotateDueKeys,
  rotateSigningKeys,
} from "./rotate-signing-keys.ts";
export { signJwt } from "./sign-jwt.ts";
export {
  issueSlidingToken,
  refreshSlidingToken,
  type VerifiedSlidingToken,
  verifySlidingToken,
} from "./sliding-token.ts";
export { deleteExpiredFamilies, type RequestedClaims } from "./token-family.store.ts";
export { useOnce } from "./use-once.ts";
export { claimsOfScopes, SUPPORTED_CLAIMS, userClaims } from "./user-claims.ts";
export { type VerifiedToken, verifyAccessToken } from "./verify-access-token.ts";
export { type IdTokenHint, verifyIdTokenHint } from "./verify-id-token-hint.ts";
