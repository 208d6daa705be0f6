import { claimsOfScopes, userClaims } from "../../../domain/tokens/index.ts";
import { OAuthError } from "../errors.ts";
import { type Exchange, found } from "../exchange.ts";

/** The claims of the token's scopes, and those that the `claims` parameter asked for (OpenID Connect Core §5.3.2). */
export function answerUserinfo(exchange: Exchange): void {
  const { claims, family, principal } = found(exchange.verified);
  if (!principal || !claims.scopes.has("openid")) {
    throw new OAuthError("insufficient_scope", "The access token was not granted the scope openid");
  }
  const names = [...claimsOfScopes(claims.scopes), ...family.userinfoClaims];
  exchange.answer = { kind: "json", body: { sub: principal.userId, ...userClaims(principal, names) } };
}
