import type { Application } from "../../../domain/applications/index.ts";
import { OAuthError } from "../errors.ts";
import { type Exchange, found } from "../exchange.ts";
import { PERSONAL_SCOPES } from "../scopes.ts";

/** RFC 6749 §3.3: visible characters but `"` and `\`, separated by one blank. */
const FORM = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

/**
 * The scopes to be granted: those asked for that the application may have. Others are left out and the answer says
 * what was granted (RFC 6749 §3.3); nothing left of something is an error.
 */
export function checkScope(exchange: Exchange): void {
  const application = found(exchange.application);
  const { scope, grant_type: grant } = exchange.parameters;
  const isMachine = grant === "client_credentials";
  if (scope !== undefined && !FORM.test(scope)) throw new OAuthError("invalid_scope", "scope is malformed");
  const asked = scope === undefined ? undefined : [...new Set(scope.split(" "))];
  const allowed = isMachine ? machineScopes(application) : personScopes(application);
  // Who asks for nothing gets for a machine what it is registered for, for a person nothing.
  const granted = asked ? asked.filter((one) => allowed.includes(one)) : isMachine ? allowed : [];
  if (asked && granted.length === 0) throw new OAuthError("invalid_scope", "None of these scopes is allowed");
  exchange.scopes = granted;
}

function machineScopes(application: Application): string[] {
  return application.scopes.filter((scope) => !PERSONAL_SCOPES.includes(scope));
}

/** `offline_access` means refresh tokens, so it needs that grant type (OpenID Connect Core §11). */
function personScopes(application: Application): readonly string[] {
  return application.grantTypes.includes("refresh_token")
    ? application.scopes
    : application.scopes.filter((scope) => scope !== "offline_access");
}
