import {
  ERRORS,
  type ErrorCode,
  type FieldError,
  IdentityError,
  RECENT_SIGN_IN_SECONDS,
} from "@ostiary/contracts";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { isMisrouted, refuseUnrouted } from "./method-not-allowed.ts";

/** An RFC 9457 problem document with our members `code`, `traceId` and `errors`. */
export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  code: ErrorCode;
  traceId: string;
  errors?: readonly FieldError[];
}

export function toProblem(error: IdentityError, traceId: string): ProblemDocument {
  return {
    type: `/api/v1/docs#${error.code}`, // relative to the request (RFC 9457 §3.1.1): every server explains itself
    title: error.message,
    status: error.status,
    code: error.code,
    traceId,
    ...(error.fields ? { errors: error.fields } : {}),
  };
}

const FASTIFY_CODES: Record<string, ErrorCode> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "request.unsupported_media_type",
  FST_ERR_CTP_BODY_TOO_LARGE: "request.too_large",
  FST_ERR_BAD_URL: "request.invalid_text",
  FST_ERR_ASYNC_CONSTRAINT: "request.invalid",
};

/** PostgreSQL manual, appendix A. 22021 character_not_in_repertoire (a null character), 22P05 untranslatable_character. */
const DATABASE_CODES: Record<string, ErrorCode> = {
  "22021": "request.invalid_text",
  "22P05": "request.invalid_text",
  "22003": "request.invalid",
};

/** Class 08 connection, 53 resources, 57P operator intervention; node's own codes; pg's two sentences without code. */
const UNAVAILABLE = /^(08|53|57P)|^(ECONNREFUSED|ECONNRESET|ENOENT|EPIPE|ETIMEDOUT)$/;
const PG_SENTENCES =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

/** Any thrown thing as one of our errors. What nobody foresaw is `server.error`, with the thing as its cause. */
export function toIdentityError(error: unknown): IdentityError {
  if (error instanceof IdentityError) return error;
  if (!(error instanceof Error)) return new IdentityError("server.error", { cause: error });
  const { code, validation, validationContext, statusCode } = error as Partial<FastifyError> & Error;
  if (validation) return toValidationError(validation, validationContext ?? "body");
  const known = code === undefined ? undefined : (FASTIFY_CODES[code] ?? DATABASE_CODES[code]);
  if (known) return new IdentityError(known, { cause: error });
  if ((code !== undefined && UNAVAILABLE.test(code)) || PG_SENTENCES.test(error.message)) {
    return new IdentityError("server.unavailable", { cause: error, retryAfter: 1 });
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new IdentityError("request.invalid", { cause: error });
  }
  return new IdentityError("server.error", { cause: error });
}

const MAX_FIELD_ERRORS = 20;

function toValidationError(
  validation: NonNullable<FastifyError["validation"]>,
  where: string,
): IdentityError {
  const fields = validation.slice(0, MAX_FIELD_ERRORS).map((issue) => {
    const extra = issue.params?.additionalProperty ?? issue.params?.missingProperty;
    const name = typeof extra === "string" ? `/${extra.replaceAll("~", "~0").replaceAll("/", "~1")}` : "";
    return { path: `${issue.instancePath}${name}`, message: `${where}: ${issue.message ?? "is not valid"}` };
  });
  return new IdentityError("request.invalid", { fields });
}

/** Writes the failure to the log: what is our fault loudly, what is the caller's with its private reason. */
export function logFailure(error: IdentityError, request: FastifyRequest): void {
  if (error.status >= 500 && error.code !== "credential.busy") {
    request.log.error({ err: error.cause ?? error, code: error.code }, "request failed");
  } else {
    request.log.debug({ code: error.code, reason: error.reason }, "request refused");
  }
}

/** A client that is told so sends the person to a new sign-in and comes back (RFC 9470 §3). */
function challengeOf({ code }: IdentityError): string {
  const scheme = 'Bearer realm="ostiary"';
  if (code !== "authentication.stale") return scheme;
  return `${scheme}, error="insufficient_user_authentication", max_age="${RECENT_SIGN_IN_SECONDS}"`;
}

/** The error handler of everything that speaks problem documents. */
export function sendProblem(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const ofParameters = (thrown as Partial<FastifyError> | undefined)?.validationContext === "params";
  const error =
    ofParameters && isMisrouted(request) ? refuseUnrouted(request, reply) : toIdentityError(thrown);
  logFailure(error, request);
  if (error.retryAfter !== undefined) reply.header("retry-after", String(Math.ceil(error.retryAfter)));
  if (error.status === 401) reply.header("www-authenticate", challengeOf(error));
  return reply
    .code(ERRORS[error.code].status)
    .type("application/problem+json")
    .serializer(JSON.stringify)
    .send(toProblem(error, request.id));
}
