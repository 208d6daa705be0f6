import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { DialectKey, DialectKeys, RotateDialectKeys } from "@ostiary/contracts";
import { Type } from "typebox";
import type { Deps } from "../domain/deps.ts";
import { deleteDialectKey, listDialectKeys, rotateDialectKeys } from "../domain/tokens/index.ts";
import { answer, IdempotencyHeaders } from "./idempotency.ts";
import { problems } from "./problems.ts";

const KeyParameters = Type.Object({
  kid: Type.String({ minLength: 1, maxLength: 128, pattern: "^[A-Za-z0-9_-]+$" }),
});

/** The keys of the dialects: like the signing keys, but never among those that OpenID Connect publishes. */
export function dialectKeyRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      "/dialect-keys",
      {
        schema: {
          operationId: "listDialectKeys",
          summary: "List the keys of dialects",
          description:
            "Needs the permission `signing-key:read`. A dialect's first key is made when it is first needed.",
          tags: ["Signing keys"],
          response: { 200: DialectKeys, ...problems() },
        },
      },
      async (request) => ({ items: await listDialectKeys(deps, request.context) }),
    );
    app.post(
      "/dialect-keys/rotate",
      {
        schema: {
          operationId: "rotateDialectKeys",
          summary: "Make a new key of a dialect",
          description:
            "Needs the permission `signing-key:write`. The new key signs from now on; the one before verifies until " +
            "its tokens have expired. Whoever keeps a copy of the public key must fetch the new one.",
          tags: ["Signing keys"],
          headers: IdempotencyHeaders,
          body: RotateDialectKeys,
          response: { 201: DialectKey, ...problems(409, 413, 415, 422) },
        },
      },
      (request, reply) =>
        answer(deps, request, reply, async (joined) => {
          const key = await rotateDialectKeys(joined, request.context, request.body.purpose);
          return { status: 201, headers: { location: "/api/v1/dialect-keys" }, body: key };
        }),
    );
    app.delete(
      "/dialect-keys/:kid",
      {
        schema: {
          operationId: "deleteDialectKey",
          summary: "Forget a key of a dialect",
          description:
            "Needs the permission `signing-key:write`. Everything it signed is refused at once: for a key that " +
            "leaked. The key that signs now cannot be forgotten; rotate first.",
          tags: ["Signing keys"],
          params: KeyParameters,
          headers: IdempotencyHeaders,
          response: { 204: Type.Null({ description: "Forgotten" }), ...problems(409, 422) },
        },
      },
      (request, reply) =>
        answer(deps, request, reply, async (joined) => {
          await deleteDialectKey(joined, request.context, request.params.kid);
          return { status: 204, headers: {} };
        }),
    );
  };
}
