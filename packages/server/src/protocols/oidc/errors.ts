import { type ErrorCode, IdentityError } from "@ostiary/contracts";

/** Registered error codes: RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, OpenID Connect Core §3.1.2.6. */
export type OAuthErrorCode =
  | "invalid_request"
  | "invalid_client"
  | "invalid_grant"
  | "invalid_scope"
  | "invalid_token"
  | "insufficient_scope"
  | "unauthorized_client"
  | "unsupported_grant_type"
  | "unsupported_response_type"
  | "access_denied"
  | "login_required"
  | "consent_required"
  | "interaction_required"
  | "unmet_authentication_requirements"
  | "request_not_supported"
  | "request_uri_not_supported"
  | "registration_not_supported"
  | "temporarily_unavailable"
  | "server_error";

const STATUS: Partial<Record<OAuthErrorCode, number>> = {
  invalid_client: 401,
  invalid_token: 401,
  insufficient_scope: 403,
  temporarily_unavailable: 503,
  server_error: 500,
};

/** A refusal in OAuth's own words. `description` is public; `reason` is for the log only. */
export class OAuthError extends Error {
  override readonly name = "OAuthError";
  readonly error: OAuthErrorCode;
  readonly reason: string | undefined;
  readonly status: number;

  constructor(
    error: OAuthErrorCode,
    description: string,
    options: { reason?: string | undefined; cause?: unknown; status?: number } = {},
  ) {
    super(description, { cause: options.cause });
    this.error = error;
    this.reason = options.reason;
    this.status = options.status ?? STATUS[error] ?? 400;
  }
}

/** Our codes in OAuth's words; what is not here is our caller's `invalid_request` or our own `server_error`. */
const CODES: Partial<Record<ErrorCode, OAuthErrorCode>> = {
  "client.rejected": "invalid_client",
  "application.not_found": "invalid_client",
  "application.disabled": "unauthorized_client",
  "application.access_denied": "access_denied",
  "grant.invalid": "invalid_grant",
  "grant.too_weak": "invalid_grant",
  "token.wrong_client": "invalid_grant",
  "scope.not_granted": "invalid_scope",
  "scope.insufficient": "insufficient_scope",
  "token.invalid": "invalid_token",
  "token.expired": "invalid_token",
  "token.wrong_audience": "invalid_token",
  "impersonation.not_allowed": "access_denied",
  "credential.second_factor_unavailable": "unmet_authentication_requirements",
  "user.suspended": "access_denied",
  "user.not_found": "access_denied",
  "server.unavailable": "temporarily_unavailable",
};

/** Any thrown thing in OAuth's words. */
export function toOAuthError(thrown: unknown): OAuthError {
  if (thrown instanceof OAuthError) return thrown;
  if (!(thrown instanceof IdentityError))
    return new OAuthError("server_error", "Something went wrong", { cause: thrown });
  const { code, reason, status } = thrown;
  const error = CODES[code] ?? (status < 500 ? "invalid_request" : "server_error");
  const options = { reason: reason ?? code, cause: thrown };
  // 413 and the like say more than 400.
  return new OAuthError(
    error,
    thrown.message,
    error === "invalid_request" ? { ...options, status } : options,
  );
}
