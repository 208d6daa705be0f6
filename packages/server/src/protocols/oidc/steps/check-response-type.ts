import { OAuthError } from "../errors.ts";
import type { Exchange } from "../exchange.ts";

/** Only `code`: tokens in the address of a page leak (RFC 9700 §2.1.2). */
export function checkResponseType({ parameters }: Exchange): void {
  const { response_type: type } = parameters;
  if (type === undefined) throw new OAuthError("invalid_request", "response_type is missing");
  if (type !== "code")
    throw new OAuthError("unsupported_response_type", "Only response_type=code is supported");
}
