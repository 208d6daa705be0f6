/** Every failure of this sub-path. A code is public API: one may be added, none renamed. */
export type BkAuthErrorCode =
  /** The options cannot work; thrown while the object is made, never for a request. */
  | "configuration"
  /** A user id that is no id of the encoder. */
  | "user_id.invalid"
  /** A session token or a user that breaks its own form. */
  | "value.invalid"
  /** The login service says that the ticket is not valid. */
  | "credentials.invalid"
  /** The login service knows the user, who may not use this application. */
  | "access.denied"
  /** The login service could not be reached, was too slow, or answered something that is no answer. */
  | "service.unavailable"
  /** User details: no such user, or another one than asked for. */
  | "user.not_found"
  /** User details: this provider, or tenant mode, has none. */
  | "user.details_unsupported"
  /** A gateway JWT that proves nothing. */
  | "jwt.invalid";

/**
 * What this sub-path throws. `message` may be shown to an operator; it never holds a ticket, a token or a secret.
 */
export class BkAuthError extends Error {
  override readonly name = "BkAuthError";
  readonly code: BkAuthErrorCode;

  constructor(code: BkAuthErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }
}
