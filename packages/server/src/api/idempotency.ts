import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import type { Deps } from "../domain/deps.ts";
import { type Answer, answerOnce } from "../domain/idempotency/index.ts";

/** For every route that changes something. */
export const IdempotencyHeader = {
  "idempotency-key": Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      pattern: "^[\\u0021-\\u007E]+$",
      description:
        "Chosen by you, new for each change: repeating the request within a day gives the same answer and no second " +
        "effect",
    }),
  ),
};

/** The headers of a creation. */
export const IdempotencyHeaders = Type.Object(IdempotencyHeader);

/**
 * Answers a request that changes something. With an `Idempotency-Key` it is done once, however often it is sent.
 *
 * @param effect - must use the dependencies that it is given, so that it is in the key's transaction.
 * @returns the reply, which Fastify takes for "sent"; `never`, because no route's response type names it.
 */
export async function answer(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  effect: (deps: Deps) => Promise<Answer>,
): Promise<never> {
  const key = request.headers["idempotency-key"];
  if (typeof key !== "string") return send(reply, await effect(deps));
  const { method, url, body, context } = request;
  const about = [method, url, String(request.headers["if-match"] ?? ""), JSON.stringify(body ?? null)];
  const { replayed, ...given } = await answerOnce(deps, context, key, about, effect);
  if (replayed) reply.header("idempotent-replayed", "true");
  return send(reply, given);
}

function send(reply: FastifyReply, { status, headers, body }: Answer): never {
  return reply.code(status).headers(headers).send(body) as never;
}
