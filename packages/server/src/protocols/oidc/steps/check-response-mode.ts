import { OAuthError } from "../errors.ts";
import { type Exchange, found, type ResponseMode } from "../exchange.ts";

const MODES: readonly string[] = ["query", "fragment", "form_post"] satisfies ResponseMode[];

/** How the answer travels; `query` unless told otherwise, which is the default of `code`. */
export function checkResponseMode(exchange: Exchange): void {
  const { response_mode: mode = "query" } = exchange.parameters;
  if (!MODES.includes(mode)) throw new OAuthError("invalid_request", "response_mode is not supported");
  exchange.replyTo = { ...found(exchange.replyTo), mode: mode as ResponseMode };
}
