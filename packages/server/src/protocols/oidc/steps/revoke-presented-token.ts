import { revokeToken } from "../../../domain/tokens/index.ts";
import { OAuthError } from "../errors.ts";
import { type Exchange, found } from "../exchange.ts";

/** Revokes the token and with it the whole authorization; unknown tokens are no error (RFC 7009 §2.2). */
export async function revokePresentedToken(exchange: Exchange): Promise<void> {
  const { deps, context, tenant, parameters } = exchange;
  const { token } = parameters;
  if (token === undefined) throw new OAuthError("invalid_request", "token is missing");
  await revokeToken(deps, context, tenant, found(exchange.application), token);
  exchange.answer = { kind: "empty" };
}
