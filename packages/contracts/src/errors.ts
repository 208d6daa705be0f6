/**
 * Every failure a caller of Ostiary can see. A code is public API: add one freely, never rename one.
 * `status` is the HTTP status of our own API; the dialects map codes to their own in `errors.ts`.
 * `message` is the public sentence: what happened, then what to do. The private reason goes to the audit log.
 */
export const ERRORS = {
  // The request itself
  "request.invalid": {
    status: 400,
    message: "The request is not valid. See `errors` for the fields to correct.",
  },
  "request.malformed_json": { status: 400, message: "The body is not valid JSON (RFC 8259)." },
  "request.duplicate_key": { status: 400, message: "The body names a key twice. Send each key once." },
  "request.too_deep": { status: 400, message: "The body is nested too deeply." },
  "request.invalid_text": {
    status: 400,
    message: "The request contains invalid UTF-8, a lone surrogate or a null character.",
  },
  "request.too_large": { status: 413, message: "The body is too large." },
  "request.too_long": { status: 414, message: "The address is too long." },
  "request.unsupported_media_type": {
    status: 415,
    message: "This content type is not supported here. Send application/json.",
  },
  "request.not_acceptable": {
    status: 406,
    message: "No representation of this resource is acceptable to you.",
  },
  "request.method_not_allowed": { status: 405, message: "This address does not support that method." },
  "request.timeout": { status: 408, message: "The request took too long to arrive." },
  "request.rate_limited": { status: 429, message: "Too many requests. Wait and try again." },
  "request.headers_too_large": { status: 431, message: "The request headers are too large." },
  "route.not_found": {
    status: 404,
    message: "Nothing is here. See /api/v1/docs for the addresses of the API.",
  },

  // Concurrency and repetition
  "precondition.failed": {
    status: 412,
    message: "The object was changed by someone else meanwhile. Read it again and repeat the change.",
  },
  "idempotency.key_reused": {
    status: 422,
    message: "This Idempotency-Key was used with another request. Use a new key.",
  },
  "idempotency.in_progress": {
    status: 409,
    message: "A request with this Idempotency-Key is still being processed. Repeat it in a moment.",
  },
  "bulk.too_many": { status: 400, message: "At most 1,000 operations fit in one bulk request." },
  "cursor.invalid": { status: 400, message: "This cursor is not valid. Start again without `after`." },

  // Who is calling
  "authentication.required": { status: 401, message: "Sign in, or send a valid access token or API key." },
  "authentication.stale": {
    status: 401,
    message: "This needs a recent sign-in. Sign in again, then repeat it.",
  },
  "token.invalid": { status: 401, message: "The token is not valid." },
  "token.expired": { status: 401, message: "The token has expired. Get a new one." },
  "token.incomplete": { status: 401, message: "The token lacks a claim that it needs; `errors` names it." },
  "token.refresh_expired": {
    status: 401,
    message: "The token can no longer be exchanged for a new one. Sign in again.",
  },
  "token.revoked": { status: 401, message: "The token was revoked. Sign in again." },
  "token.wrong_type": { status: 401, message: "The token is of another type than is needed here." },
  "token.wrong_audience": { status: 401, message: "The token is meant for another audience." },
  "permission.denied": { status: 403, message: "You do not have the permission that this needs." },
  "token.wrong_client": { status: 400, message: "The token belongs to another application." },
  "authorization.invalid": {
    status: 400,
    message:
      "The application's request to sign you in is not valid. Go back to it and try again, or tell its makers.",
  },
  "grant.too_weak": {
    status: 400,
    message: "This sign-in no longer proves what the policy asks for. Sign in again.",
  },
  "grant.invalid": {
    status: 400,
    message:
      "The authorization code or refresh token is invalid, expired, revoked or was issued to another client.",
  },
  "scope.not_granted": { status: 400, message: "The scope asked for is more than was granted." },
  "scope.insufficient": { status: 403, message: "The token lacks the scope that this needs." },

  // Tenants
  "tenant.not_found": { status: 404, message: "There is no such tenant." },
  "tenant.slug_taken": { status: 409, message: "A tenant with this slug already exists." },
  "tenant.default_protected": {
    status: 409,
    message: "The default tenant cannot be deleted or get another slug.",
  },

  // Users
  "user.not_found": { status: 404, message: "There is no such user." },
  "user.username_taken": { status: 409, message: "This username is taken." },
  "user.username_fixed": {
    status: 403,
    message: "People cannot change their usernames here. Ask an administrator.",
  },
  "user.email_taken": { status: 409, message: "This e-mail address is taken." },
  "user.phone_taken": { status: 409, message: "This phone number is taken." },
  "user.external_id_taken": { status: 409, message: "A user with this external id already exists." },
  "user.identifier_required": {
    status: 400,
    message: "A user needs at least one of username, e-mail address and phone number.",
  },
  "user.suspended": { status: 403, message: "This account is suspended. Ask an administrator." },
  "user.own_account": { status: 409, message: "Nobody can delete the account that he is signed in with." },
  "user.last_administrator": {
    status: 409,
    message: "This is the last active administrator. Make another user administrator first.",
  },
  "avatar.not_found": { status: 404, message: "There is no such picture." },
  "avatar.invalid": { status: 400, message: "This is no complete PNG, JPEG, GIF or WebP picture." },
  "avatar.too_large": { status: 413, message: "The picture has too many bytes or pixels." },
  "custom_field.not_found": { status: 404, message: "There is no such custom field." },
  "custom_field.key_taken": { status: 409, message: "A custom field with this key already exists." },
  "custom_field.invalid_value": { status: 400, message: "A custom field value does not fit its definition." },
  "custom_field.type_fixed": {
    status: 409,
    message: "The type of a custom field cannot change. Delete the field and create a new one.",
  },

  // Credentials
  "credential.rejected": { status: 401, message: "Identifier or password is wrong." },
  "credential.locked": {
    status: 429,
    message: "Too many failed attempts. Wait some minutes and try again.",
  },
  "credential.busy": {
    status: 503,
    message: "The server is busy checking passwords. Try again in a moment.",
  },
  "credential.unsupported_hash": {
    status: 400,
    message: "This password hash has an unknown or unsafe format.",
  },
  "code.rejected": { status: 401, message: "The code is wrong or no longer valid." },
  "code.used_up": { status: 401, message: "Too many wrong codes. Ask for a new one." },
  "code.too_soon": {
    status: 429,
    message: "A code was just sent. Wait a moment before you ask for another.",
  },
  "code.too_many": {
    status: 429,
    message: "Too many codes were asked for. Wait some minutes and try again.",
  },
  "passkey.rejected": {
    status: 401,
    message: "This passkey was not accepted. Try again or use another way.",
  },
  "passkey.already_registered": { status: 409, message: "This passkey is registered already." },
  "passkey.unavailable": {
    status: 409,
    message: "Passkeys need the server to have a domain name. Ask an administrator.",
  },
  "factor.not_found": { status: 404, message: "There is no such factor." },
  "factor.too_many": { status: 409, message: "No more factors of this kind can be added. Remove one first." },
  "factor.required": {
    status: 409,
    message: "This is the last second factor and one is required. Add another one first.",
  },
  "device.not_found": { status: 404, message: "There is no such device." },
  "password.too_short": { status: 400, message: "The password is too short." },
  "password_link.invalid": {
    status: 400,
    message: "This link has expired or was used. Ask for a new one.",
  },
  "password.not_secure": {
    status: 400,
    message:
      "The password needs at least 12 characters with lower and upper case letters, digits and one of ¡!#$%&()*+.-@/_~.",
  },
  "password.too_long": { status: 400, message: "The password is too long." },
  "password.breached": {
    status: 400,
    message: "This password is known from a data breach. Choose another one.",
  },
  "password.reused": { status: 400, message: "This password was used before. Choose another one." },
  "password.contains_identifier": {
    status: 400,
    message: "The password must not contain the user's name or address.",
  },

  // Mail and text messages
  "message.invalid": { status: 400, message: "This address or subject cannot be used in a message." },
  "message.not_sent": { status: 503, message: "The message could not be sent. Try again in a moment." },
  "message.not_configured": {
    status: 503,
    message: "This server is not set up to send such messages. Ask an administrator.",
  },

  "message_template.not_found": {
    status: 404,
    message: "There are no words of your own for this message, or it is not sent that way.",
  },
  "message_template.too_many": {
    status: 409,
    message: "A tenant can have 300 message templates of its own. Delete some first.",
  },

  "password.change_required": {
    status: 403,
    message: "The password must be changed first. Sign in on the sign-in page to do so.",
  },

  // Access
  "role.not_found": { status: 404, message: "There is no such role." },
  "role.code_taken": { status: 409, message: "A role with this code already exists." },
  "role.system_protected": { status: 409, message: "A built-in role cannot be changed or deleted." },
  "role.parent_invalid": {
    status: 400,
    message:
      "A role's parent is another role of the same namespace, and roles cannot be parents in a circle.",
  },
  "namespace.not_found": { status: 404, message: "There is no such namespace." },
  "namespace.code_taken": { status: 409, message: "A namespace with this code already exists." },
  "namespace.protected": {
    status: 409,
    message: "The namespace `default` and those of applications cannot be deleted or get another code.",
  },
  "resource.not_found": { status: 404, message: "There is no such resource." },
  "resource.code_taken": { status: 409, message: "A resource with this code already exists." },
  "policy.not_found": { status: 404, message: "There is no such policy." },
  "policy.code_taken": { status: 409, message: "A policy with this code already exists." },
  "policy.invalid": {
    status: 400,
    message: "A statement has a pattern or a condition that cannot be used. See `errors`.",
  },
  "policy.system_protected": { status: 409, message: "A built-in policy cannot be changed or deleted." },
  "access_grant.not_found": { status: 404, message: "There is no such access grant." },
  "access_grant.exists": {
    status: 409,
    message: "This was granted already, on other terms. Change that grant.",
  },
  "access_grant.invalid": {
    status: 400,
    message: "This cannot be granted to that. See `errors` for what to correct.",
  },
  "delegation.not_found": { status: 404, message: "There is no such delegation." },
  "delegation.exists": {
    status: 409,
    message: "This subject has a delegation there already. Change that one.",
  },
  "access.too_many_questions": { status: 400, message: "At most 1,000 questions fit in one request." },
  "permission.escalation": {
    status: 403,
    message: "You cannot give a permission that you do not have yourself.",
  },

  // Groups and organizations
  "level.too_high": { status: 403, message: "This needs a level as high as the user's." },
  "permission.not_found": { status: 404, message: "There is no such permission." },
  "group.not_found": { status: 404, message: "There is no such group." },
  "group.code_taken": { status: 409, message: "A group with this code already exists." },
  "organization.not_found": { status: 404, message: "There is no such organization." },
  "organization.code_taken": { status: 409, message: "An organization with this code already exists." },
  "unit.not_found": { status: 404, message: "There is no such unit." },
  "unit.code_taken": { status: 409, message: "A unit with this code already exists in the organization." },
  "unit.parent_invalid": {
    status: 409,
    message: "A unit can be moved within its organization only, and not below itself.",
  },
  "unit.root_protected": {
    status: 409,
    message: "This unit is the organization itself. Change or delete the organization.",
  },
  "unit.too_deep": { status: 409, message: "Units can be nested 12 deep." },
  "member.not_found": { status: 404, message: "This user is no member there." },
  "invitation.not_found": { status: 404, message: "There is no such invitation." },
  "invitation.address_required": { status: 400, message: "To send an invitation, name the e-mail address." },
  "invitation.refused": { status: 400, message: "This invitation cannot be used." },

  // Applications
  "application.not_found": { status: 404, message: "There is no such application." },
  "application.slug_taken": { status: 409, message: "An application with this slug already exists." },
  "application.disabled": { status: 403, message: "This application is disabled." },
  "application.other_tenant": { status: 403, message: "The application belongs to another tenant." },
  "application.access_denied": { status: 403, message: "You have no access to this application." },
  "application.redirect_uri_invalid": {
    status: 400,
    message:
      "A redirect URI must be absolute, without fragment or wildcard, and use https (http only for loopback).",
  },
  "application.return_origin_invalid": {
    status: 400,
    message: "A return origin is scheme, host and port only, with https (http only for loopback).",
  },
  "application.authentication_invalid": {
    status: 400,
    message:
      "Grant types, authentication method and keys do not fit together. See `errors` for what to correct.",
  },
  "application.public_client": {
    status: 409,
    message: "This application is a public client or uses keys, so it has no secret.",
  },
  "application.secret_not_found": { status: 404, message: "There is no such secret." },
  "application.too_many_secrets": { status: 409, message: "An application can have at most 5 secrets." },
  "client.rejected": { status: 401, message: "The client's identifier or secret is wrong." },
  "api_key.not_found": { status: 404, message: "There is no such API key." },
  "api_key.owner_invalid": {
    status: 400,
    message:
      "A key of type user needs `userId`, one of type application `applicationId`, a global one neither.",
  },
  "api_key.invalid": { status: 401, message: "The API key is not valid." },
  "api_key.key_taken": { status: 409, message: "This key value is in use." },
  "object.id_taken": { status: 409, message: "This id or serial is in use." },
  "object.id_fixed": { status: 409, message: "The id or serial of an existing object cannot change." },

  // Sessions, keys, audit
  "session.not_found": { status: 404, message: "There is no such session." },
  "session.limit_reached": {
    status: 409,
    message: "You are signed in elsewhere already. Sign out there first.",
  },
  "signing_key.not_found": { status: 404, message: "There is no such signing key." },
  "signing_key.in_use": { status: 409, message: "The key that signs now cannot be removed. Rotate first." },
  "grant.not_found": { status: 404, message: "There is no such grant." },
  "audit_entry.not_found": { status: 404, message: "There is no such audit entry." },

  // Signing in
  "flow.not_found": {
    status: 404,
    message: "This sign-in has expired or was finished already. Start again.",
  },
  "flow.wrong_step": { status: 409, message: "This step is not the next one of this sign-in." },
  "flow.forged": { status: 403, message: "This form was not sent from our page. Load the page again." },
  "identifier_change.not_found": {
    status: 404,
    message: "This change has expired, was made or was given up. Begin it again.",
  },
  "identifier_change.nothing": { status: 400, message: "The account is like that already." },
  "identifier_change.outdated": {
    status: 409,
    message: "The address was changed by somebody else meanwhile. Begin again.",
  },
  "identity.not_found": { status: 404, message: "There is no such linked identity." },
  "identity.taken": { status: 409, message: "This identity belongs to an account already." },
  "identity.last": {
    status: 409,
    message: "This is the only way to sign in to the account. Set a password first.",
  },
  "identity.proof_refused": {
    status: 400,
    message: "This proof of the other account cannot be used. Make a new one there.",
  },
  "impersonation.not_allowed": {
    status: 403,
    message: "This cannot be done while acting as somebody else. End that first.",
  },
  "impersonation.refused": {
    status: 403,
    message:
      "This link cannot be used: it was used already, has expired, or is meant for another administrator.",
  },
  "sign_up.closed": { status: 403, message: "Creating an account is not open here. Ask an administrator." },
  "set_up.link_invalid": {
    status: 404,
    message: "This link was used already or has expired. Start the server again to get a new one.",
  },
  "sign_in.headless_not_allowed": {
    status: 403,
    message: "This application may not sign people in with its own forms. Send them to the sign-in page.",
  },
  "application.origin_not_allowed": {
    status: 403,
    message: "Pages of this origin do not belong to the application.",
  },
  "sign_in.method_not_allowed": {
    status: 403,
    message: "This application does not allow that way of signing in.",
  },

  "credential.second_factor_required": {
    status: 401,
    message: "A second factor is required. Sign in on the sign-in page.",
  },
  "credential.second_factor_unavailable": {
    status: 403,
    message: "This sign-in needs a second factor that you do not have. Ask an administrator.",
  },
  "user.verification_required": {
    status: 403,
    message: "The e-mail address must be confirmed first. Sign in on the sign-in page to do so.",
  },

  // Webhooks
  "webhook.not_found": { status: 404, message: "There is no such webhook." },
  "webhook.target_taken": {
    status: 409,
    message: "A webhook with this address and format exists already. Change that one.",
  },
  "webhook.too_many": {
    status: 409,
    message: "An application can register at most 50 webhooks. Unregister one first.",
  },
  "webhook.delivery_not_found": { status: 404, message: "There is no such delivery." },
  "target.not_allowed": {
    status: 400,
    message: "This address is private and the server may not call it. Ask an administrator.",
  },

  // Feishu
  "feishu.identity_required": {
    status: 400,
    message: "Name the person: by username, or by a Feishu user, open or union id.",
  },
  "feishu.user_not_found": { status: 404, message: "There is no user with this name or Feishu identity." },
  "feishu.identity_conflict": { status: 409, message: "These Feishu ids belong to different users." },
  "feishu.not_configured": {
    status: 409,
    message: "This server is not set up to send messages as this Feishu bot. Ask an administrator.",
  },
  "feishu.bot_not_found": { status: 404, message: "There is no such Feishu bot." },
  "feishu.bot_taken": { status: 409, message: "This Feishu bot is set up already." },
  "feishu.refused": { status: 502, message: "Feishu refused the message. See `errors` for its words." },
  "feishu.unreachable": { status: 503, message: "Feishu does not answer. Try again in a moment." },
  // Usage and services
  "billing_rule.not_found": { status: 404, message: "There is no such billing rule." },
  "billing_rule.exists": {
    status: 409,
    message: "A billing rule for this application, method and path already exists.",
  },
  "billing_rule.path_invalid": {
    status: 400,
    message: "This path is no pattern: `*` and `{name}` are whole segments, and `**` is the last one.",
  },
  "usage.busy": { status: 503, message: "Too many reports at once. Send this one again in a moment." },
  "usage.too_old": { status: 400, message: "A call can be reported up to a week after it happened." },
  "service.not_found": { status: 404, message: "There is no such service." },
  "service.exists": {
    status: 409,
    message: "A service with this name already exists in the application and environment.",
  },
  "service.running": {
    status: 409,
    message: "The service has running instances. Stop them first, or disable the service.",
  },
  "service.configuration_too_large": { status: 413, message: "A configuration has at most 256 KiB." },
  "service.too_many": { status: 409, message: "An application can have at most 1,000 services." },

  // Configuration file
  "configuration.invalid": { status: 400, message: "The configuration file is not valid. See `errors`." },
  "configuration.variable_missing": {
    status: 400,
    message: "The configuration file names an environment variable that is not set.",
  },

  // Ourselves
  "server.unavailable": {
    status: 503,
    message: "The server cannot answer right now. Try again in a moment.",
  },
  "server.error": {
    status: 500,
    message: "Something went wrong on our side. Quote the trace id to your administrator.",
  },
} as const satisfies Record<string, { status: number; message: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** One field of a request that cannot be accepted. `path` is a JSON Pointer (RFC 6901) into the body or query. */
export interface FieldError {
  path: string;
  message: string;
}

export class IdentityError extends Error {
  override readonly name = "IdentityError";
  readonly code: ErrorCode;
  /** For the log and the audit trail only; never sent to the caller. */
  readonly reason: string | undefined;
  /** Public: which fields to correct. */
  readonly fields: readonly FieldError[] | undefined;
  /** Seconds after which a repetition may succeed; becomes Retry-After. */
  readonly retryAfter: number | undefined;

  constructor(
    code: ErrorCode,
    options: { reason?: string; cause?: unknown; fields?: readonly FieldError[]; retryAfter?: number } = {},
  ) {
    super(ERRORS[code].message, { cause: options.cause });
    this.code = code;
    this.reason = options.reason;
    this.fields = options.fields;
    this.retryAfter = options.retryAfter;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}
