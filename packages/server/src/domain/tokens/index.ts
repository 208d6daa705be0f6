export {
  type Authorization,
  createAuthorizationCode,
  type Issue,
  type Redemption,
  redeemCode,
} from "./authorization-code.ts";
export { type Introspection, introspectToken } from "./introspect-token.ts";
export {
  type AccessTokenFacts,
  type IssuedAccessToken,
  issueAccessToken,
} from "./issue-access-token.ts";
export { type IdTokenFacts, issueIdToken } from "./issue-id-token.ts";
export { basePathOf, issuerOf } from "./issuer.ts";
export { findSigningKeys } from "./key-ring.ts";
export { publicJwks } from "./public-jwks.ts";
export { revokeFamily } from "./revoke-family.ts";
export { revokeToken } from "./revoke-token.ts";
export { rotateRefreshToken } from "./rotate-refresh-token.ts";
export {
  deleteSigningKey,
  listSigningKeys,
  rotateDueKeys,
  rotateSigningKeys,
  type SigningKey,
} from "./rotate-signing-keys.ts";
export { signJwt } from "./sign-jwt.ts";
export { deleteExpiredFamilies, type RequestedClaims, type TokenFamily } from "./token-family.store.ts";
export { useOnce } from "./use-once.ts";
export { claimsOfScopes, SUPPORTED_CLAIMS, userClaims } from "./user-claims.ts";
export { type AccessTokenClaims, type VerifiedToken, verifyAccessToken } from "./verify-access-token.ts";
export { type IdTokenHint, verifyIdTokenHint } from "./verify-id-token-hint.ts";
