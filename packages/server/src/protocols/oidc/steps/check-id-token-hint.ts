import { verifyIdTokenHint } from "../../../domain/tokens/index.ts";
import { OAuthError } from "../errors.ts";
import type { Exchange } from "../exchange.ts";

/** An ID token that says who is expected; it must be one of ours, and may have expired. */
export async function checkIdTokenHint(exchange: Exchange): Promise<void> {
  const { id_token_hint: token } = exchange.parameters;
  if (token === undefined) return;
  exchange.hint = await verifyIdTokenHint(exchange.deps, exchange.tenant, token).catch((cause: unknown) => {
    throw new OAuthError("invalid_request", "id_token_hint is not an ID token of this issuer", { cause });
  });
}
