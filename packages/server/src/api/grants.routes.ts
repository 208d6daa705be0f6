import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Grants, Id } from "@ostiary/contracts";
import { Type } from "typebox";
import { checkPermission } from "../domain/access/index.ts";
import type { Deps } from "../domain/deps.ts";
import { listGrants, revokeGrant } from "../domain/grants/index.ts";
import { answer, IdempotencyHeaders } from "./idempotency.ts";
import { OWN_SCOPE, ownUserId } from "./own-account.ts";
import { problems } from "./problems.ts";
import { IdParameters } from "./resource.ts";

const GrantParameters = Type.Object({ id: Id, applicationId: Id });
const OwnGrantParameters = Type.Object({ applicationId: Id });

const EFFECT = "Every token that the application has for the user ends; at the next sign-in it asks again.";

/** What users have allowed applications. */
export function grantRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    registerOfUsers(app, deps);
    registerOwn(app, deps);
  };
}

function registerOfUsers(app: Parameters<FastifyPluginAsyncTypebox>[0], deps: Deps): void {
  app.get(
    "/users/:id/grants",
    {
      schema: {
        operationId: "listUserGrants",
        summary: "List what a user has allowed applications",
        description: "Needs the permission `session:read`.",
        tags: ["Grants"],
        params: IdParameters,
        response: { 200: Grants, ...problems() },
      },
    },
    async (request) => {
      checkPermission(request.context, "session:read");
      return { items: await listGrants(deps, request.context, request.params.id) };
    },
  );
  app.delete(
    "/users/:id/grants/:applicationId",
    {
      schema: {
        operationId: "revokeUserGrant",
        summary: "Take back what a user has allowed an application",
        description: `Needs the permission \`session:write\` and every permission that the user has. ${EFFECT}`,
        tags: ["Grants"],
        params: GrantParameters,
        headers: IdempotencyHeaders,
        response: { 204: Type.Null({ description: "Taken back" }), ...problems(409, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        checkPermission(request.context, "session:write");
        await revokeGrant(joined, request.context, request.params.id, request.params.applicationId);
        return { status: 204, headers: {} };
      }),
  );
}

function registerOwn(app: Parameters<FastifyPluginAsyncTypebox>[0], deps: Deps): void {
  app.get(
    "/me/grants",
    {
      schema: {
        operationId: "listMyGrants",
        summary: "List what one has allowed applications",
        description: OWN_SCOPE,
        tags: ["Own account"],
        response: { 200: Grants, ...problems() },
      },
    },
    async (request) => ({ items: await listGrants(deps, request.context, ownUserId(request.context)) }),
  );
  app.delete(
    "/me/grants/:applicationId",
    {
      schema: {
        operationId: "revokeMyGrant",
        summary: "Take back what one has allowed an application",
        description: `${OWN_SCOPE} ${EFFECT}`,
        tags: ["Own account"],
        params: OwnGrantParameters,
        headers: IdempotencyHeaders,
        response: { 204: Type.Null({ description: "Taken back" }), ...problems(409, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        const userId = ownUserId(request.context);
        await revokeGrant(joined, request.context, userId, request.params.applicationId);
        return { status: 204, headers: {} };
      }),
  );
}
