import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { ChangePassword, EffectivePermissions, UpdateMe, User } from "@ostiary/contracts";
import { Type } from "typebox";
import { checkPermission, loadRights } from "../domain/access/index.ts";
import { changePassword } from "../domain/credentials/index.ts";
import type { Deps } from "../domain/deps.ts";
import { getMe, updateMe } from "../domain/users/index.ts";
import type { RequestContext } from "../kernel/context.ts";
import { OWN_ACCOUNT } from "./authenticate.ts";
import { answer } from "./idempotency.ts";
import { problems } from "./problems.ts";
import { ChangeHeaders, etag, expectedVersion } from "./resource.ts";

const SCOPE = "For a user's access token with the scope `account`.";

/** The signed-in user's own account. */
export function meRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  const own = async (context: RequestContext) => {
    checkPermission(context, OWN_ACCOUNT);
    return getMe(deps, context);
  };
  return async (app) => {
    app.get(
      "/me",
      {
        schema: {
          operationId: "getMe",
          summary: "Read one's own account",
          description: SCOPE,
          tags: ["Own account"],
          response: { 200: User, ...problems() },
        },
      },
      async (request, reply) => {
        const user = await own(request.context);
        return reply.headers(etag(user.version)).send(user);
      },
    );
    app.patch(
      "/me",
      {
        schema: {
          operationId: "updateMe",
          summary: "Change one's own profile",
          description: `${SCOPE} Identifiers cannot be changed here: that needs proof.`,
          tags: ["Own account"],
          headers: ChangeHeaders,
          body: UpdateMe,
          response: { 200: User, ...problems(409, 412, 413, 415, 422) },
        },
      },
      (request, reply) =>
        answer(deps, request, reply, async (joined) => {
          checkPermission(request.context, OWN_ACCOUNT);
          const version = expectedVersion(request.headers["if-match"]);
          const user = await updateMe(joined, request.context, request.body, version);
          return { status: 200, headers: etag(user.version), body: user };
        }),
    );
    app.get(
      "/me/permissions",
      {
        schema: {
          operationId: "getMyPermissions",
          summary: "Read what one may do",
          description: SCOPE,
          tags: ["Own account"],
          response: { 200: EffectivePermissions, ...problems() },
        },
      },
      async (request) => loadRights(deps, request.context.tenantId, (await own(request.context)).id),
    );
    // No idempotency key: a repetition is refused by itself, as the current password is another one then.
    app.post(
      "/me/password",
      {
        schema: {
          operationId: "changePassword",
          summary: "Change one's own password",
          description: `${SCOPE} Ends the user's sessions; wrong current passwords count for the lock-out.`,
          tags: ["Own account"],
          body: ChangePassword,
          response: { 204: Type.Null({ description: "Changed" }), ...problems(413, 415, 429) },
        },
      },
      async (request, reply) => {
        const { id } = await own(request.context);
        await changePassword(deps, request.context, id, request.body.current, request.body.next);
        return reply.code(204).send(null);
      },
    );
  };
}
