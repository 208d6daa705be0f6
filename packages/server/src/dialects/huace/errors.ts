import { type ErrorCode, IdentityError } from "@ostiary/contracts";
import type { FastifyReply, FastifyRequest } from "fastify";
import { logFailure, toIdentityError } from "../../platform/http/problems.ts";
import type { Refusal } from "./wire.ts";

/** The numbers that their documentation fixes. Every other refusal has the number of its HTTP status on our own API. */
const NUMBERS: Partial<Record<ErrorCode, number>> = {
  "client.rejected": 401,
  "token.invalid": 401,
  "token.expired": 401,
  "user.suspended": 403,
  "credential.second_factor_required": 403, // 401 is what they call a bad token
  "application.access_denied": 403,
  "user.not_found": 404,
  // The one number of theirs that is no HTTP status: huace-aigc-auth-client 1.1.62
  "feishu.user_not_found": 40401,
  "feishu.not_configured": 503, // to their clients a platform that is not set up is one that does not answer
};

function toRefusal(error: IdentityError, traceId: string): Refusal {
  return {
    code: NUMBERS[error.code] ?? error.status,
    message: [
      error.message,
      ...(error.fields ?? []).map(({ path, message }) => `${path} ${message}`.trim()),
    ].join(" "),
    data: { code: error.code, traceId },
  };
}

/** Whether the failure is about the token's user or the token itself, and not about the call or about us. */
export function isInvalidToken(error: unknown): boolean {
  return error instanceof IdentityError && [401, 403, 404].includes(error.status);
}

/** The error handler of the dialect. Status 200: of anything else their client reads no body, and reports code −1. */
export function sendRefusal(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = toIdentityError(thrown);
  logFailure(error, request);
  if (error.retryAfter !== undefined) reply.header("retry-after", String(Math.ceil(error.retryAfter)));
  return reply
    .code(200)
    .type("application/json; charset=utf-8")
    .serializer(JSON.stringify)
    .send(toRefusal(error, request.id));
}
