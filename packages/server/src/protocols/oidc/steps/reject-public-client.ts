import { OAuthError } from "../errors.ts";
import { type Exchange, found } from "../exchange.ts";

/** Whoever has no secret proves nothing by its name (RFC 6749 §4.4, RFC 7662 §2.1). */
export function rejectPublicClient(exchange: Exchange): void {
  if (found(exchange.application).tokenEndpointAuthMethod === "none") {
    throw new OAuthError("invalid_client", "A public client cannot do this");
  }
}
