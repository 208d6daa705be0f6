import { redeemCode } from "../../../domain/tokens/index.ts";
import { OAuthError } from "../errors.ts";
import { type Exchange, found } from "../exchange.ts";

/** RFC 7636 §4.1. */
const VERIFIER = /^[A-Za-z0-9\-._~]{43,128}$/;

/** Redeems the code: once, by its client, with its redirect URI and verifier. */
export async function redeemAuthorizationCode(exchange: Exchange): Promise<void> {
  const { deps, context, tenant, parameters } = exchange;
  const { code, redirect_uri: redirectUri, code_verifier: codeVerifier } = parameters;
  if (code === undefined) throw new OAuthError("invalid_request", "code is missing");
  if (codeVerifier !== undefined && !VERIFIER.test(codeVerifier)) {
    throw new OAuthError("invalid_grant", "code_verifier is malformed");
  }
  exchange.issue = await redeemCode(deps, context, tenant, {
    application: found(exchange.application),
    code,
    redirectUri: redirectUri ?? null,
    codeVerifier: codeVerifier ?? null,
  });
}
