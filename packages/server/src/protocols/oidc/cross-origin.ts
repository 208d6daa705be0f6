import type { FastifyReply, FastifyRequest } from "fastify";
import { type Application, isOriginOf } from "../../domain/applications/index.ts";

/** What everybody may read: discovery and keys (Fetch standard, CORS protocol). */
export function allowEveryone(reply: FastifyReply): void {
  reply.header("access-control-allow-origin", "*");
}

/**
 * A preflight says neither client nor token, so it is answered for every origin; it gives nothing away. What counts is
 * `allowOriginOf` on the answer itself. Cookies are never involved.
 */
export function answerPreflight(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.header("vary", "origin");
  const { origin } = request.headers;
  if (origin !== undefined) {
    reply.headers({
      "access-control-allow-origin": origin,
      "access-control-allow-methods": "GET, POST",
      "access-control-allow-headers": "authorization, content-type",
      "access-control-max-age": "7200",
    });
  }
  return reply.code(204).send();
}

/** Lets a page read an answer about its own application: its origin is one of those that are registered. */
export function allowOriginOf(
  reply: FastifyReply,
  origin: string | undefined,
  application: Application | undefined,
): void {
  reply.header("vary", "origin");
  if (origin === undefined || !application) return;
  if (isOriginOf(application, origin)) reply.header("access-control-allow-origin", origin);
}
