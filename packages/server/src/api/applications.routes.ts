import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  AddApplicationSecret,
  Application,
  ApplicationAssignment,
  ApplicationSecrets,
  CreateApplication,
  CreatedApplication,
  CreatedApplicationSecret,
  Id,
  ListQuery,
  OneOf,
  PageOf,
  SearchText,
  StrictObject,
  UpdateApplication,
} from "@ostiary/contracts";
import { Type } from "typebox";
import {
  addSecret,
  assignUser,
  createApplication,
  deleteApplication,
  deleteSecret,
  getApplication,
  listApplications,
  listAssigned,
  listSecrets,
  unassignUser,
  updateApplication,
} from "../domain/applications/index.ts";
import type { Deps } from "../domain/deps.ts";
import { answer, IdempotencyHeaders } from "./idempotency.ts";
import { problems } from "./problems.ts";
import { IdParameters, registerResource } from "./resource.ts";

type App = Parameters<FastifyPluginAsyncTypebox>[0];

const ApplicationQuery = StrictObject({
  ...ListQuery.properties,
  search: Type.Optional(SearchText),
  status: Type.Optional(OneOf(["active", "disabled"])),
});

const SecretParameters = Type.Object({ id: Id, secretId: Id });
const AssignmentParameters = Type.Object({ id: Id, userId: Id });

/** What holds for every change of an application. */
const CONTROL =
  "For an application that administers the tenant, or may ask for the scope `manage`, the permission `*` is needed.";

/** Applications, their secrets, and who may use them. */
export function applicationRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    registerResource(app, deps, {
      path: "/applications",
      names: { one: "application", many: "applications", One: "Application", Many: "Applications" },
      permissions: { read: "application:read", write: "application:write" },
      schemas: {
        item: Application,
        create: CreateApplication,
        change: UpdateApplication,
        query: ApplicationQuery,
        created: CreatedApplication,
      },
      notes: {
        list: "`search` finds a part of name or slug.",
        create: `The answer shows the secret, this once. ${CONTROL}`,
        change:
          "What is absent stays; `null` clears a field (RFC 7386), within `settings` too. An application that " +
          `becomes a public client, or turns to keys, loses its secrets. ${CONTROL}`,
        remove: `Its secrets, API keys, grants and tokens end with it. ${CONTROL}`,
      },
      list: listApplications,
      get: getApplication,
      create: async (joined, context, input) => {
        const { application, secret } = await createApplication(joined, context, input);
        return { ...application, secret };
      },
      change: updateApplication,
      remove: deleteApplication,
    });
    registerSecrets(app, deps);
    registerAssignments(app, deps);
  };
}

function registerSecrets(app: App, deps: Deps): void {
  app.get(
    "/applications/:id/secrets",
    {
      schema: {
        operationId: "listApplicationSecrets",
        summary: "List an application's secrets",
        description: "Needs the permission `application:read`. The secrets themselves are not stored.",
        tags: ["Applications"],
        params: IdParameters,
        response: { 200: ApplicationSecrets, ...problems() },
      },
    },
    async (request) => ({ items: await listSecrets(deps, request.context, request.params.id) }),
  );
  app.post(
    "/applications/:id/secrets",
    {
      schema: {
        operationId: "addApplicationSecret",
        summary: "Add a secret to an application",
        description:
          "Needs the permission `application:write`. With `expireOthersAt` this is a rotation with overlap. " +
          `At most 5 secrets; expired ones go. The answer shows the secret, this once. ${CONTROL}`,
        tags: ["Applications"],
        params: IdParameters,
        headers: IdempotencyHeaders,
        body: AddApplicationSecret,
        response: { 201: CreatedApplicationSecret, ...problems(409, 413, 415, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        const { id } = request.params;
        const { expireOthersAt } = request.body;
        const options = {
          expireOthersAt: expireOthersAt === undefined ? undefined : new Date(expireOthersAt),
        };
        const secret = await addSecret(joined, request.context, id, options);
        const location = `/api/v1/applications/${id}/secrets`;
        return { status: 201, headers: { location }, body: secret };
      }),
  );
  app.delete(
    "/applications/:id/secrets/:secretId",
    {
      schema: {
        operationId: "deleteApplicationSecret",
        summary: "Delete a secret of an application",
        description: `Needs the permission \`application:write\`. It stops working at once. ${CONTROL}`,
        tags: ["Applications"],
        params: SecretParameters,
        headers: IdempotencyHeaders,
        response: { 204: Type.Null({ description: "Deleted" }), ...problems(409, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        await deleteSecret(joined, request.context, request.params.id, request.params.secretId);
        return { status: 204, headers: {} };
      }),
  );
}

function registerAssignments(app: App, deps: Deps): void {
  app.get(
    "/applications/:id/users",
    {
      schema: {
        operationId: "listApplicationUsers",
        summary: "List the users assigned to an application",
        description:
          "Needs the permission `application:read`. Assignments count when `access` is `assigned`. " +
          "Newest users first; `after` is a user's id.",
        tags: ["Applications"],
        params: IdParameters,
        querystring: ListQuery,
        response: { 200: PageOf(ApplicationAssignment), ...problems() },
      },
    },
    (request) => listAssigned(deps, request.context, request.params.id, request.query),
  );
  app.put(
    "/applications/:id/users/:userId",
    {
      schema: {
        operationId: "assignApplicationUser",
        summary: "Let a user use an application",
        description: `Needs the permission \`application:write\`. Repeating it changes nothing. ${CONTROL}`,
        tags: ["Applications"],
        params: AssignmentParameters,
        headers: IdempotencyHeaders,
        response: { 204: Type.Null({ description: "Assigned" }), ...problems(409, 413, 415, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        await assignUser(joined, request.context, request.params.id, request.params.userId);
        return { status: 204, headers: {} };
      }),
  );
  app.delete(
    "/applications/:id/users/:userId",
    {
      schema: {
        operationId: "unassignApplicationUser",
        summary: "Take an application from a user",
        description: `Needs the permission \`application:write\`. Repeating it changes nothing. ${CONTROL}`,
        tags: ["Applications"],
        params: AssignmentParameters,
        headers: IdempotencyHeaders,
        response: { 204: Type.Null({ description: "Taken" }), ...problems(409, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        await unassignUser(joined, request.context, request.params.id, request.params.userId);
        return { status: 204, headers: {} };
      }),
  );
}
