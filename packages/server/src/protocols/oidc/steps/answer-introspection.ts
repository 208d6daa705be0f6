import { type Introspection, introspectToken } from "../../../domain/tokens/index.ts";
import { OAuthError } from "../errors.ts";
import { type Exchange, found } from "../exchange.ts";

/** Whether a token is active, and what it says (RFC 7662). The hint is not needed: the forms differ. */
export function answerIntrospection(exchange: Exchange): void | Promise<void> {
  const { deps, tenant, parameters } = exchange;
  const { token } = parameters;
  if (token === undefined) throw new OAuthError("invalid_request", "token is missing");
  const described = introspectToken(deps, tenant, found(exchange.application), token);
  const answer = (body: Introspection) => {
    exchange.answer = { kind: "json", body };
  };
  return described instanceof Promise ? described.then(answer) : answer(described);
}
