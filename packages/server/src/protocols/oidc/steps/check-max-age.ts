import { OAuthError } from "../errors.ts";
import { type Exchange, found } from "../exchange.ts";

/**
 * `max_age`: whole seconds since the person last proved who it is. The tenant may never take an older sign-in than so,
 * and an application that lets its sessions live for a shorter time does not either.
 */
export function checkMaxAge(exchange: Exchange): void {
  const { max_age: text } = exchange.parameters;
  const { sessionAbsoluteSeconds } = found(exchange.application).settings;
  const { staleSeconds } = exchange.tenant.settings.signIn;
  const most = Math.min(sessionAbsoluteSeconds ?? Infinity, staleSeconds ?? Infinity);
  if (most < Infinity) exchange.maxAge = most;
  if (text === undefined) return;
  if (!/^\d{1,10}$/.test(text))
    throw new OAuthError("invalid_request", "max_age must be a number of seconds");
  exchange.maxAge = Math.min(Number(text), most);
}
