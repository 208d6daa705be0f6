/**
 * What a failure means, whichever of the server's error families and versions it came in:
 * `credentials`: address or password is wrong; `session_open`: another session is open, sign in with `close`;
 * `token`: not signed in, or no longer; `permission`: signed in, but not allowed; `validation`: the input is refused;
 * `not_found`; `rate_limited`; `unavailable`: no answer, or the server's own failure; `protocol`: an answer that is none.
 */
export type ZibanuErrorKind =
  | "credentials"
  | "session_open"
  | "token"
  | "permission"
  | "validation"
  | "not_found"
  | "rate_limited"
  | "unavailable"
  | "protocol";

/** Every failure of the client. */
export class ZibanuError extends Error {
  override readonly name = "ZibanuError";
  readonly kind: ZibanuErrorKind;
  /** Of the HTTP answer; 0 when there was none. */
  readonly status: number;
  /** The server's code, such as `authentication_failed`; "" where it gives none. */
  readonly code: string;
  /** The server's texts, at least one. */
  readonly messages: readonly string[];
  /** Texts by field, where the server names fields. */
  readonly fields: Readonly<Record<string, readonly string[]>>;

  constructor(
    kind: ZibanuErrorKind,
    facts: {
      status?: number;
      code?: string;
      messages: readonly string[];
      fields?: Readonly<Record<string, readonly string[]>>;
      cause?: unknown;
    },
  ) {
    super(facts.messages.join("; "), facts.cause === undefined ? undefined : { cause: facts.cause });
    this.kind = kind;
    this.status = facts.status ?? 0;
    this.code = facts.code ?? "";
    this.messages = facts.messages;
    this.fields = facts.fields ?? {};
  }
}

/** The four families of bodies: Z `{errors, code}`, D `{detail}`, J `{detail, code}`, F `{field: [text]}`. */
export function errorOf(status: number, body: unknown): ZibanuError {
  const object = typeof body === "object" && body !== null && !Array.isArray(body) ? body : {};
  const { errors, detail, code, messages: _, ...rest } = object as Record<string, unknown>;
  const codeText = typeof code === "string" ? code : "";
  if (Array.isArray(errors)) {
    const messages = texts(errors);
    return make(status, codeText, messages, fieldsOf(messages));
  }
  if (typeof detail === "string") return make(status, codeText, [detail], {});
  const fields = Object.fromEntries(
    Object.entries(rest).flatMap(([name, value]) => (Array.isArray(value) ? [[name, texts(value)]] : [])),
  );
  const messages = Object.entries(fields).flatMap(([name, list]) =>
    list.map((text) => (name === "non_field_errors" ? text : `${name}: ${text}`)),
  );
  return make(status, codeText, messages, fields);
}

function make(
  status: number,
  code: string,
  messages: string[],
  fields: Record<string, string[]>,
): ZibanuError {
  const shown = messages.length > 0 ? messages : [`The server answered with status ${status}`];
  return new ZibanuError(kindOf(status, code), { status, code, messages: shown, fields });
}

/** 401 is many things in 1.1: only the code tells a missing right from a token that is over. */
function kindOf(status: number, code: string): ZibanuErrorKind {
  if (status === 412 || code === "multiple_login_error") return "session_open";
  if (code === "permission_denied" || status === 403)
    return code === "delete_user" ? "validation" : "permission";
  if (code === "authentication_failed") return "credentials";
  if (status === 401) return "token";
  if (status === 404) return "not_found";
  if (status === 429) return "rate_limited";
  return status >= 500 ? "unavailable" : "validation";
}

const texts = (values: unknown[]) => values.filter((value): value is string => typeof value === "string");

/** In Z the fields stand in the texts: "email: Email already in use". */
function fieldsOf(messages: string[]): Record<string, string[]> {
  const fields: Record<string, string[]> = {};
  for (const message of messages) {
    const [, name, text] = /^([a-z_]+): (.*)$/s.exec(message) ?? [];
    if (name !== undefined && text !== undefined) fields[name] = [...(fields[name] ?? []), text];
  }
  return fields;
}
