import type { ErrorCode, IdentityError } from "@ostiary/contracts";
import type { FastifyReply, FastifyRequest } from "fastify";
import { logFailure, toIdentityError } from "../../platform/http/problems.ts";
import { type MessageKey, messageFor } from "./messages.ts";
import type { Shape } from "./translate.ts";
import { CODES } from "./wire.ts";

type Kind =
  | "invalid"
  | "denied"
  | "caller"
  | "otherTenant"
  | "malformed"
  | "notFound"
  | "nothing"
  | "unavailable";

const KINDS: Partial<Record<ErrorCode, Kind>> = {
  "token.invalid": "invalid",
  "token.expired": "invalid",
  "grant.invalid": "invalid",
  "grant.too_weak": "invalid",
  "user.suspended": "invalid",
  "application.access_denied": "denied",
  "client.rejected": "caller",
  "application.disabled": "caller",
  "application.other_tenant": "otherTenant",
  "user.not_found": "notFound",
  "route.not_found": "nothing",
  "tenant.not_found": "nothing",
};

/** What bkpaas-auth is to make of a failure. */
function kindOf(error: IdentityError): Kind {
  const known = KINDS[error.code];
  if (known) return known;
  return error.status >= 500 || error.status === 429 ? "unavailable" : "malformed";
}

const LOGIN_CODES: Record<Kind, number> = {
  invalid: CODES.invalid,
  denied: CODES.denied,
  caller: CODES.caller,
  otherTenant: CODES.otherTenant,
  malformed: CODES.invalid,
  notFound: CODES.invalid,
  nothing: CODES.invalid,
  unavailable: CODES.unavailable,
};

/** The numbers and names of the gateway: https://github.com/TencentBlueKing/blueking-apigateway-apisix */
const GATEWAY_ERRORS: Record<Kind, { status: number; code: number; name: string; envelope: string }> = {
  invalid: { status: 400, code: 1640001, name: "INVALID_ARGS", envelope: "VALIDATION_ERROR" },
  malformed: { status: 400, code: 1640001, name: "INVALID_ARGS", envelope: "VALIDATION_ERROR" },
  caller: { status: 401, code: 1640101, name: "APP_VERIFY_FAILED", envelope: "UNAUTHENTICATED" },
  denied: { status: 403, code: 1640301, name: "APP_NO_PERMISSION", envelope: "NO_PERMISSION" },
  otherTenant: { status: 403, code: 1640302, name: "CROSS_TENANT_FORBIDDEN", envelope: "NO_PERMISSION" },
  notFound: { status: 404, code: 1640401, name: "API_NOT_FOUND", envelope: "NOT_FOUND" },
  nothing: { status: 404, code: 1640401, name: "API_NOT_FOUND", envelope: "NOT_FOUND" },
  unavailable: {
    status: 503,
    code: 1650001,
    name: "INTERNAL_SERVER_ERROR",
    envelope: "INTERNAL_SERVER_ERROR",
  },
};

function prepare(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): { kind: Kind; message: string; isOurs: boolean } {
  const error = toIdentityError(thrown);
  logFailure(error, request);
  if (error.retryAfter !== undefined) reply.header("retry-after", String(Math.ceil(error.retryAfter)));
  const kind = kindOf(error);
  return { kind, message: messageFor(request, kind satisfies MessageKey), isOurs: error.status === 500 };
}

function send(reply: FastifyReply, status: number, body: object): FastifyReply {
  return reply
    .code(status)
    .type("application/json; charset=utf-8")
    .header("cache-control", "no-store")
    .serializer(JSON.stringify)
    .send(body);
}

/**
 * The error handler of the login service. A refusal has HTTP status 200, as of bk-login; where we cannot tell, 503,
 * so that a client which looks can keep the people it has. Never a number 0.
 */
export function refusalsOf(shape: Shape) {
  return (thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const { kind, message } = prepare(thrown, request, reply);
    return send(reply, kind === "unavailable" ? 503 : 200, shape.refuse(LOGIN_CODES[kind], message));
  };
}

/**
 * The error handler of the gateway's façade, and of what is not found. The body has both forms at once, the gateway's
 * own and the envelope of the services behind it: bkpaas-auth 4.x fails on a body without `error`.
 */
export function sendGatewayError(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { kind, message, isOurs } = prepare(thrown, request, reply);
  const { status, code, name, envelope } = GATEWAY_ERRORS[kind];
  // Header values are Latin-1.
  reply.headers({ "x-bkapi-error-code": String(code), "x-bkapi-error-message": name });
  return send(reply, isOurs ? 500 : status, {
    error: { code: envelope, message, system: "bk-login", details: [], data: {} },
    code,
    code_name: name,
    message,
    result: false,
    data: null,
  });
}
