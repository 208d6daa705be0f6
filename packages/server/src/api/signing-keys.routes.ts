import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { RotateSigningKeys, SigningKey, SigningKeys } from "@ostiary/contracts";
import { Type } from "typebox";
import type { Deps } from "../domain/deps.ts";
import { deleteSigningKey, listSigningKeys, rotateSigningKeys } from "../domain/tokens/index.ts";
import { answer, IdempotencyHeaders } from "./idempotency.ts";
import { problems } from "./problems.ts";

const KeyParameters = Type.Object({
  kid: Type.String({ minLength: 1, maxLength: 128, pattern: "^[A-Za-z0-9_-]+$" }),
});

/** The keys that sign a tenant's tokens. They rotate by themselves; this is for when that is not soon enough. */
export function signingKeyRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      "/signing-keys",
      {
        schema: {
          operationId: "listSigningKeys",
          summary: "List signing keys",
          description: "Needs the permission `signing-key:read`. The private halves are never shown.",
          tags: ["Signing keys"],
          response: { 200: SigningKeys, ...problems() },
        },
      },
      async (request) => ({ items: await listSigningKeys(deps, request.context) }),
    );
    app.post(
      "/signing-keys/rotate",
      {
        schema: {
          operationId: "rotateSigningKeys",
          summary: "Make a new signing key",
          description:
            "Needs the permission `signing-key:write`. The new key signs from now on; the one before verifies until " +
            "its tokens have expired. To sign with another algorithm, change the setting `tokens.signingAlgorithm`.",
          tags: ["Signing keys"],
          headers: IdempotencyHeaders,
          body: RotateSigningKeys,
          response: { 201: SigningKey, ...problems(409, 413, 415, 422) },
        },
      },
      (request, reply) =>
        answer(deps, request, reply, async (joined) => {
          const key = await rotateSigningKeys(joined, request.context, request.body.algorithm);
          return { status: 201, headers: { location: "/api/v1/signing-keys" }, body: key };
        }),
    );
    app.delete(
      "/signing-keys/:kid",
      {
        schema: {
          operationId: "deleteSigningKey",
          summary: "Forget a signing key",
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
          await deleteSigningKey(joined, request.context, request.params.kid);
          return { status: 204, headers: {} };
        }),
    );
  };
}
