import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { ChangePassword, ChangeUsername, EffectivePermissions, UpdateMe, User } from "@ostiary/contracts";
import { Type } from "typebox";
import { loadRights } from "../domain/access/index.ts";
import { changePassword } from "../domain/credentials/index.ts";
import type { Deps } from "../domain/deps.ts";
import { changeOwnUsername, getMe, updateMe } from "../domain/users/index.ts";
import { answer } from "./idempotency.ts";
import { OWN_SCOPE, ownUserId } from "./own-account.ts";
import { problems } from "./problems.ts";
import { ChangeHeaders, etag, expectedVersion } from "./resource.ts";

/** The signed-in user's own account. */
export function meRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      "/me",
      {
        schema: {
          operationId: "getMe",
          summary: "Read one's own account",
          description: OWN_SCOPE,
          tags: ["Own account"],
          response: { 200: User, ...problems() },
        },
      },
      async (request, reply) => {
        const { context } = request;
        ownUserId(context); // refuses a token that may not do this
        const user = await getMe(deps, context);
        return reply.headers(etag(user.version)).send(user);
      },
    );
    app.patch(
      "/me",
      {
        schema: {
          operationId: "updateMe",
          summary: "Change one's own profile",
          description: `${OWN_SCOPE} Identifiers cannot be changed here: that needs proof.`,
          tags: ["Own account"],
          headers: ChangeHeaders,
          body: UpdateMe,
          response: { 200: User, ...problems(409, 412, 413, 415, 422) },
        },
      },
      (request, reply) =>
        answer(deps, request, reply, async (joined) => {
          ownUserId(request.context); // refuses a token that may not do this
          const version = expectedVersion(request.headers["if-match"]);
          const user = await updateMe(joined, request.context, request.body, version);
          return { status: 200, headers: etag(user.version), body: user };
        }),
    );
    app.put(
      "/me/username",
      {
        schema: {
          operationId: "changeMyUsername",
          summary: "Change one's own username",
          description:
            `${OWN_SCOPE} Needs a sign-in of the last ten minutes (\`authentication.stale\` else), and the setting ` +
            "`signIn.changeUsername`. Ten times a day; the person is told by mail.",
          tags: ["Own account"],
          body: ChangeUsername,
          response: { 200: User, ...problems(409, 413, 415, 429) },
        },
      },
      async ({ context, tenant, body }, reply) => {
        ownUserId(context); // refuses a token that may not do this
        const user = await changeOwnUsername(deps, context, tenant, body.username);
        return reply.headers(etag(user.version)).send(user);
      },
    );
    app.get(
      "/me/permissions",
      {
        schema: {
          operationId: "getMyPermissions",
          summary: "Read what one may do",
          description: OWN_SCOPE,
          tags: ["Own account"],
          response: { 200: EffectivePermissions, ...problems() },
        },
      },
      ({ context }) => loadRights(deps, context.tenantId, ownUserId(context)),
    );
    // No idempotency key: a repetition is refused by itself, as the current password is another one then.
    app.post(
      "/me/password",
      {
        schema: {
          operationId: "changePassword",
          summary: "Change one's own password",
          description: `${OWN_SCOPE} Ends the user's sessions; wrong current passwords count for the lock-out.`,
          tags: ["Own account"],
          body: ChangePassword,
          response: { 204: Type.Null({ description: "Changed" }), ...problems(413, 415, 429) },
        },
      },
      async (request, reply) => {
        const { context, body } = request;
        await changePassword(deps, context, ownUserId(context), body.current, body.next);
        return reply.code(204).send(null);
      },
    );
  };
}
