import { type ErrorCode, IdentityError } from "@ostiary/contracts";
import type { FastifyReply, FastifyRequest } from "fastify";
import { logFailure, toIdentityError } from "../../platform/http/problems.ts";
import { inLanguage, type Language, languageOf, type Sentence, say } from "./messages.ts";

/**
 * The families of error bodies: `package` is what zibanu raises (`errors`, `code`), `framework` Django REST framework's
 * (`detail`), `token` simplejwt's (`detail`, `code`, perhaps `messages`), `fields` a serializer's (one list a field).
 */
type Body =
  | { family: "package"; code: string; texts: readonly Sentence[] }
  | { family: "framework"; text: Sentence }
  | { family: "token"; text: Sentence; code: string; message?: Sentence }
  | { family: "fields"; fields: Readonly<Record<string, Sentence>> };

/** An answer that is no success, in their words. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: Body;

  constructor(status: number, body: Body) {
    super(`answered with ${status}`);
    this.status = status;
    this.body = body;
  }
}

export function refuse(status: number, code: string, ...texts: Sentence[]): Refusal {
  return new Refusal(status, { family: "package", code, texts });
}

export function refuseFields(fields: Readonly<Record<string, Sentence>>): Refusal {
  return new Refusal(400, { family: "fields", fields });
}

export function refuseByFramework(status: number, text: Sentence): Refusal {
  return new Refusal(status, { family: "framework", text });
}

export const NO_CREDENTIALS = say("Authentication credentials were not provided.");
const NO_ACCOUNT = say("No active account found with the given credentials");
export const NOT_ALLOWED = say("You do not have permission to perform this action.");
export const NO_RECORD = say("Error! There is not record matching.");
export const NO_DATA = say("Data required at request not found.");
const TOO_HIGH = say("The created user level cannot be higher than that of authenticated user.");

/** [status, code, sentence] of our errors; a function where the release decides. */
type Words = readonly [number, string, Sentence];
const WORDS: Partial<Record<ErrorCode, Words | ((isNewer: boolean) => Words)>> = {
  "permission.denied": (isNewer) => [isNewer ? 403 : 401, "permission_denied", NOT_ALLOWED],
  "permission.escalation": [406, "api_exception", TOO_HIGH],
  "level.too_high": [406, "api_exception", TOO_HIGH],
  "credential.rejected": [401, "authentication_failed", NO_ACCOUNT],
  "user.suspended": [401, "authentication_failed", NO_ACCOUNT],
  "credential.locked": (isNewer) => [
    isNewer ? 401 : 429,
    "authentication_failed",
    say("Account temporarily locked due to failed login attempts."),
  ],
  "credential.second_factor_required": [
    401,
    "authentication_failed",
    say("A second factor is required. Sign in on the hosted page."),
  ],
  "user.verification_required": [
    401,
    "authentication_failed",
    say("A second factor is required. Sign in on the hosted page."),
  ],
  "password.change_required": [
    401,
    "authentication_failed",
    say("The password must be changed before signing in."),
  ],
  "session.limit_reached": [
    412,
    "multiple_login_error",
    say("The user does not have allowed multiple login. Please close previous sessions."),
  ],
  "user.last_administrator": [403, "delete_user", say("User has protected child records. Cannot delete.")],
  "password.not_secure": [
    406,
    "api_exception",
    say("The password must contain lowercase, uppercase, digits and symbols."),
  ],
  "password.too_long": [406, "api_exception", say("This password cannot be used. Choose another one.")],
  "password.reused": [406, "api_exception", say("The old and new password must be different")],
  "password.breached": [406, "api_exception", say("This password cannot be used. Choose another one.")],
  "password.contains_identifier": [
    406,
    "api_exception",
    say("This password cannot be used. Choose another one."),
  ],
  "code.too_soon": [429, "api_exception", say("Request was throttled.")],
  "code.too_many": [429, "api_exception", say("Request was throttled.")],
  "request.rate_limited": [429, "api_exception", say("Request was throttled.")],
  "credential.busy": [503, "api_exception", say("Service temporarily unavailable, try again later.")],
  "server.unavailable": [503, "api_exception", say("Service temporarily unavailable, try again later.")],
};

/** Those of the framework: it has looked at the request before any of their code did. */
const FRAMEWORK: Partial<Record<ErrorCode, readonly [number, Sentence]>> = {
  "request.malformed_json": [400, say("JSON parse error - the body is no valid JSON")],
  "request.duplicate_key": [400, say("JSON parse error - the body is no valid JSON")],
  "request.too_deep": [400, say("JSON parse error - the body is no valid JSON")],
  "request.invalid_text": [400, say("Null characters are not allowed.")],
  "route.not_found": [404, say("Not found.")],
  "tenant.not_found": [404, say("Not found.")],
  "avatar.not_found": [404, say("Not found.")],
};

/** Codes of the newer release by those of the older one: it has one for what the caller sent. */
const NEWER_CODES: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  406: { api_exception: "validation_error" },
  404: { api_exception: "not_found", doest_not_exists: "does_not_exists" },
  500: { api_exception: "not_controlled_exception" },
};

function toRefusal(error: IdentityError, request: FastifyRequest): Refusal {
  const { zibanu, passwordPolicy } = request.tenant?.settings ?? {};
  const framework = FRAMEWORK[error.code];
  if (framework) return refuseByFramework(...framework);
  if (error.code === "password.too_short") {
    const text = say("Ensure this password has at least {0} characters.", passwordPolicy?.minLength ?? 8);
    return refuse(406, "api_exception", text);
  }
  const known = WORDS[error.code];
  if (known) return refuse(...(typeof known === "function" ? known(zibanu?.compat === "3.0") : known));
  // What we did not foresee says nothing about itself; the trace id leads to the log.
  const isOurs = error.status >= 500;
  return refuse(error.status, "api_exception", isOurs ? say("API Exception") : say(error.message));
}

/** The error handler of the dialect. */
export function sendRefusal(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const settings = request.tenant?.settings.zibanu;
  const refusal = thrown instanceof Refusal ? thrown : fromOurs(thrown, request, reply);
  const language = languageOf(settings?.language ?? "en", request.headers["accept-language"]);
  const { family } = refusal.body;
  if (refusal.status === 401 && (family === "framework" || family === "token")) {
    reply.header("www-authenticate", 'JWT realm="api"');
  }
  const isNewer = settings?.compat === "3.0";
  const body = toBody(refusal, language, {
    isNewer,
    asPackage: isNewer || settings?.errorFormat === "zibanu",
  });
  return sendJson(reply, refusal.status, body);
}

function fromOurs(thrown: unknown, request: FastifyRequest, reply: FastifyReply): Refusal {
  const error = toIdentityError(thrown);
  logFailure(error, request);
  if (error.retryAfter !== undefined) reply.header("retry-after", String(Math.ceil(error.retryAfter)));
  return toRefusal(error, request);
}

function toBody(
  { status, body }: Refusal,
  language: Language,
  { isNewer, asPackage }: { isNewer: boolean; asPackage: boolean },
): object {
  const inWords = (sentence: Sentence) => inLanguage(language, sentence);
  switch (body.family) {
    case "package": {
      const code = isNewer ? (NEWER_CODES[status]?.[body.code] ?? body.code) : body.code;
      return { errors: body.texts.map(inWords), code };
    }
    case "fields":
      return Object.fromEntries(Object.entries(body.fields).map(([name, text]) => [name, [inWords(text)]]));
    case "framework": {
      const text = inWords(body.text);
      if (!asPackage) return { detail: text };
      return { errors: [text], code: isNewer && status === 401 ? "unauthorized" : "not_authenticated" };
    }
    case "token": {
      const messages = body.message && [
        { token_class: "SlidingToken", token_type: "sliding", message: inWords(body.message) },
      ];
      const more = messages ? { messages } : {};
      return asPackage
        ? { code: "not_authenticated", ...more, errors: [inWords(body.text)] }
        : { detail: inWords(body.text), code: body.code, ...more };
    }
  }
}

/** As Django REST framework writes it: no charset (RFC 8259 knows none), and what the answer depends on. */
export function sendJson(reply: FastifyReply, status: number, body: unknown): FastifyReply {
  return sendText(reply, status, JSON.stringify(body));
}

/** JSON that is text already. With a serializer of one's own Fastify adds no charset. */
export function sendText(reply: FastifyReply, status: number, json: string): FastifyReply {
  return reply.code(status).header("content-type", "application/json").serializer(String).send(json);
}

/** Whether our error has one of these codes. */
export function isOneOf(error: unknown, ...codes: ErrorCode[]): error is IdentityError {
  return error instanceof IdentityError && codes.includes(error.code);
}

/** What our error says in the caller's language. */
export function faultText(error: IdentityError, request: FastifyRequest): string {
  const { body } = toRefusal(error, request);
  const { language } = request.tenant.settings.zibanu;
  const sentence = body.family === "package" ? body.texts[0] : undefined;
  return sentence
    ? inLanguage(languageOf(language, request.headers["accept-language"]), sentence)
    : error.message;
}
