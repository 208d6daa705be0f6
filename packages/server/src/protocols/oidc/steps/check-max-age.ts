import { OAuthError } from "../errors.ts";
import { type Exchange, found } from "../exchange.ts";

/**
 * `max_age`: whole seconds since the person last proved who it is. An application that lets its sessions live for a
 * shorter time than the tenant never takes an older sign-in.
 */
export function checkMaxAge(exchange: Exchange): void {
  const { max_age: text } = exchange.parameters;
  const { sessionAbsoluteSeconds } = found(exchange.application).settings;
  if (sessionAbsoluteSeconds !== null) exchange.maxAge = sessionAbsoluteSeconds;
  if (text === undefined) return;
  if (!/^\d{1,10}$/.test(text))
    throw new OAuthError("invalid_request", "max_age must be a number of seconds");
  exchange.maxAge = Math.min(Number(text), sessionAbsoluteSeconds ?? Infinity);
}
