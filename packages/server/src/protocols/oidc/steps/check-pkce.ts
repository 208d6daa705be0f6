import { OAuthError } from "../errors.ts";
import { type Exchange, found } from "../exchange.ts";

/** base64url of 32 bytes (RFC 7636 §4.2). */
const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;

/**
 * Proof Key for Code Exchange, method S256 only. Every client needs it (RFC 9700 §2.1.1), but for a confidential
 * OpenID Connect client that sends a nonce, which protects it against injected codes as well.
 */
export function checkPkce(exchange: Exchange): void {
  const { code_challenge: challenge, code_challenge_method: method, nonce } = exchange.parameters;
  if (challenge === undefined) {
    if (method !== undefined) throw new OAuthError("invalid_request", "code_challenge is missing");
    const isPublic = found(exchange.application).tokenEndpointAuthMethod === "none";
    const hasNonce = nonce !== undefined && found(exchange.scopes).includes("openid");
    if (isPublic || !hasNonce)
      throw new OAuthError("invalid_request", "code_challenge is required (PKCE, S256)");
    exchange.codeChallenge = null;
    return;
  }
  // Absent means `plain` (RFC 7636 §4.3), which is no protection where the request can be read.
  if (method !== "S256") throw new OAuthError("invalid_request", "code_challenge_method must be S256");
  if (!CHALLENGE.test(challenge)) throw new OAuthError("invalid_request", "code_challenge is malformed");
  exchange.codeChallenge = challenge;
}
