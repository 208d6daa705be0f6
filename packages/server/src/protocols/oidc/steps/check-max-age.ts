import { OAuthError } from "../errors.ts";
import type { Exchange } from "../exchange.ts";

/** `max_age`: whole seconds since the person last proved who it is. */
export function checkMaxAge(exchange: Exchange): void {
  const { max_age: text } = exchange.parameters;
  if (text === undefined) return;
  if (!/^\d{1,10}$/.test(text))
    throw new OAuthError("invalid_request", "max_age must be a number of seconds");
  exchange.maxAge = Number(text);
}
