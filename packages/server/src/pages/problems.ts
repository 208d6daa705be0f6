import type { ErrorCode, IdentityError } from "@ostiary/contracts";
import type { Message, MessageKey } from "./i18n.ts";
import type { FormErrors, ProfileField, SignUpField } from "./views.ts";

/** The fields that a person fills in, each with a label in the catalogue. */
type NamedField =
  | ProfileField
  | SignUpField
  | "passwordAgain"
  | "currentPassword"
  | "newPassword"
  | "newPasswordAgain"
  | "code";

const REFUSALS: Partial<Record<ErrorCode, readonly [field: NamedField | "form", MessageKey]>> = {
  "user.username_taken": ["username", "problem.usernameTaken"],
  "user.email_taken": ["email", "problem.emailTaken"],
  "user.phone_taken": ["phone", "problem.phoneTaken"],
  "user.identifier_required": ["form", "problem.identifierRequired"],
  "user.suspended": ["form", "problem.suspended"],
  "credential.rejected": ["form", "problem.credentialRejected"],
  "credential.busy": ["form", "problem.busy"],
  "password.too_short": ["password", "problem.passwordTooShort"],
  "password.too_long": ["password", "problem.passwordTooLong"],
  "password.breached": ["password", "problem.passwordBreached"],
  "password.reused": ["password", "problem.passwordReused"],
  "password.contains_identifier": ["password", "problem.passwordContainsIdentifier"],
  "application.access_denied": ["form", "problem.noAccess"],
  "sign_in.method_not_allowed": ["form", "problem.methodNotAllowed"],
  "credential.second_factor_unavailable": ["form", "problem.secondFactorUnavailable"],
  "session.limit_reached": ["form", "problem.sessionLimit"],
  "message.not_sent": ["form", "problem.messageNotSent"],
  "code.rejected": ["code", "problem.codeWrong"],
  "code.used_up": ["code", "problem.codeUsedUp"],
  "passkey.rejected": ["form", "problem.passkeyRejected"],
  "passkey.already_registered": ["form", "passkey.known"],
  "passkey.unavailable": ["form", "problem.passkeyUnavailable"],
  "factor.not_found": ["form", "problem.factorNotFound"],
  "factor.too_many": ["form", "problem.factorTooMany"],
  "factor.required": ["form", "problem.factorNeeded"],
  "identifier_change.nothing": ["form", "problem.nothingToChange"],
  "identity.proof_refused": ["code", "problem.proofRefused"],
  "identity.taken": ["form", "problem.bothLinked"],
  "identity.last": ["form", "problem.lastIdentity"],
  "flow.not_found": ["form", "problem.flowExpired"],
  "flow.wrong_step": ["form", "problem.flowExpired"],
  "flow.forged": ["form", "problem.forged"],
};

/** Refused for a while, which the message names. */
const WAIT: ReadonlySet<ErrorCode> = new Set(["credential.locked", "request.rate_limited", "code.too_many"]);

/** The form that changes a password calls the same things by other names. */
const CHANGE_PASSWORD: typeof REFUSALS = {
  "credential.rejected": ["currentPassword", "problem.currentPasswordWrong"],
  "password.too_short": ["newPassword", "problem.passwordTooShort"],
  "password.too_long": ["newPassword", "problem.passwordTooLong"],
  "password.breached": ["newPassword", "problem.passwordBreached"],
  "password.reused": ["newPassword", "problem.passwordReused"],
  "password.contains_identifier": ["newPassword", "problem.passwordContainsIdentifier"],
};

const INVALID: Partial<Record<string, MessageKey>> = {
  username: "problem.usernameInvalid",
  email: "problem.emailInvalid",
  phone: "problem.phoneInvalid",
};

function invalidFields(error: IdentityError, known: readonly NamedField[]): FormErrors<string> | null {
  const errors: FormErrors<string> = {};
  for (const { path } of error.fields ?? []) {
    const name = known.find((field) => path.split("/").includes(field));
    if (!name) return null; // not something the person can correct in this form
    errors[name] = INVALID[name] ?? { key: "problem.invalidValue", values: { field: `field.${name}` } };
  }
  return Object.keys(errors).length > 0 ? errors : null;
}

/**
 * How a form shows a refusal of the domain; null for one that it cannot show (use the error page).
 * A password's limits are not in the message: the page that shows it knows them.
 *
 * @param fields - The form's own fields, so that a refusal of any other is not lost in it.
 */
export function problemsOf(error: IdentityError, fields: readonly NamedField[]): FormErrors<string> | null {
  if (error.code === "request.invalid") return invalidFields(error, fields);
  if (error.code === "code.too_soon") return { form: "problem.tooSoon" };
  if (WAIT.has(error.code)) {
    const minutes = Math.max(1, Math.ceil((error.retryAfter ?? 60) / 60));
    return { form: { key: "problem.wait", values: { count: minutes } } };
  }
  const own = fields.includes("currentPassword") ? CHANGE_PASSWORD[error.code] : undefined;
  const [field, message] = own ?? REFUSALS[error.code] ?? [];
  if (!field || !message) return null;
  return field === "form" || fields.includes(field) ? { [field]: message } : { form: message };
}

/** What a wrong code is called by the step in which it was given; a message can only be asked for again where one was sent. */
const WRONG_CODES: Partial<Record<string, MessageKey>> = {
  "give-totp": "problem.appCodeWrong",
  "enrol-totp": "problem.appCodeWrong",
  "give-recovery-code": "problem.recoveryCodeWrong",
};

/** As `problemsOf`, for a form with a code. */
export function codeProblemsOf(error: IdentityError, step: string | undefined): FormErrors<string> | null {
  const wrong = error.code === "code.rejected" ? WRONG_CODES[step ?? ""] : undefined;
  return wrong ? { code: wrong } : problemsOf(error, ["code"]);
}

/** What is missing in a form that came without fields it needs, which browsers themselves would not send. */
export function missingFields(
  body: Partial<Record<string, string>>,
  required: readonly NamedField[],
): FormErrors<string> {
  const missing = required.filter((name) => !body[name]);
  return Object.fromEntries(missing.map((name) => [name, requiredMessage(`field.${name}`)]));
}

/** What is wrong with a new password that is typed twice, before the domain is asked. */
export function newPasswordProblems(form: Partial<Record<string, string>>): FormErrors<string> | undefined {
  const absent = missingFields(form, NEW_PASSWORD_FIELDS);
  if (Object.keys(absent).length > 0) return absent;
  const differ = passwordsDiffer(form.password ?? "", form.passwordAgain ?? "");
  return differ && { passwordAgain: differ };
}

export const NEW_PASSWORD_FIELDS = ["password", "passwordAgain"] as const;

/** The same for a field whose label is not its name: the sign-in page's `identifier`. */
export function requiredMessage(label: MessageKey): Message {
  return { key: "problem.required", values: { field: label } };
}

/** The complaint about a new password that was typed twice, when the two differ. */
export function passwordsDiffer(password: string, again: string): MessageKey | undefined {
  return password === again ? undefined : "problem.passwordMismatch";
}

const NOTICES: Record<string, MessageKey> = {
  "profile-saved": "profile.saved",
  "password-changed": "password.changed",
  "password-set": "setUp.done",
  "session-ended": "sessions.revoked",
  "sessions-ended": "sessions.othersRevoked",
  "application-revoked": "applications.revoked",
  "change-cancelled": "contact.changeCancelled",
  "keeping-changed": "sessions.keepSaved",
  "passkey-added": "security.passkeyAdded",
  "totp-added": "security.totpAdded",
  "factor-renamed": "security.renamed",
  "factor-removed": "security.removed",
  "device-forgotten": "security.forgotten",
  unlinked: "security.unlinked",
  linked: "link.accountDone",
  "nothing-linked": "link.accountNothing",
  "username-changed": "contact.usernameChanged",
  "contact-changed": "contact.changed",
  "change-over": "contact.changeOver",
  joined: "invitation.joined",
};

/** The notice that a redirect asks the next page to show (`?notice=profile-saved`); any other text shows nothing. */
export function noticeOf(name: string | undefined): MessageKey | undefined {
  return name !== undefined && Object.hasOwn(NOTICES, name) ? NOTICES[name] : undefined;
}
