import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  Code,
  CreateRole,
  EffectivePermissions,
  ListQuery,
  Role,
  SearchText,
  StrictObject,
  UpdateRole,
  UserRoles,
} from "@ostiary/contracts";
import { Type } from "typebox";
import {
  assignRoles,
  createRole,
  deleteRole,
  effectivePermissions,
  getRole,
  listRoles,
  setRoles,
  unassignRoles,
  updateRole,
} from "../domain/access/index.ts";
import type { Deps } from "../domain/deps.ts";
import { answer, IdempotencyHeaders } from "./idempotency.ts";
import { problems } from "./problems.ts";
import { IdParameters, registerResource } from "./resource.ts";

const RoleQuery = StrictObject({
  ...ListQuery.properties,
  namespace: Type.Optional(Code),
  search: Type.Optional(SearchText),
});

/** The ways to change a user's roles. */
const ASSIGNMENTS = [
  { path: "assign", operationId: "assignRoles", summary: "Give roles to a user", change: assignRoles },
  {
    path: "unassign",
    operationId: "unassignRoles",
    summary: "Take roles from a user",
    change: unassignRoles,
  },
  { path: "set", operationId: "setRoles", summary: "Make these a user's only roles", change: setRoles },
] as const;

/** Roles, and who has them. */
export function roleRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    registerResource(app, deps, {
      path: "/roles",
      names: { one: "role", many: "roles", One: "Role", Many: "Roles" },
      permissions: { read: "role:read", write: "role:write" },
      schemas: { item: Role, create: CreateRole, change: UpdateRole, query: RoleQuery },
      notes: {
        create: "You need every permission that the role is to give.",
        change: "You need every permission that the role gave and is to give. Built-in roles are fixed.",
        remove: "The role is taken from everybody. You need every permission that it gave.",
      },
      list: listRoles,
      get: getRole,
      create: createRole,
      change: updateRole,
      remove: deleteRole,
    });
    for (const { path, operationId, summary, change } of ASSIGNMENTS) {
      app.post(
        `/users/:id/roles/${path}`,
        {
          schema: {
            operationId,
            summary,
            description:
              "Needs the permission `user:write` and every permission of the roles given or taken. " +
              "The last active administrator keeps that role.",
            tags: ["Users"],
            params: IdParameters,
            headers: IdempotencyHeaders,
            body: UserRoles,
            response: { 200: UserRoles, ...problems(409, 413, 415, 422) },
          },
        },
        (request, reply) =>
          answer(deps, request, reply, async (joined) => {
            const roles = await change(joined, request.context, request.params.id, request.body.roles);
            return { status: 200, headers: {}, body: { roles } };
          }),
      );
    }
    app.get(
      "/users/:id/permissions",
      {
        schema: {
          operationId: "getUserPermissions",
          summary: "Read what a user may do",
          description: "Needs the permission `user:read`; of oneself, none.",
          tags: ["Users"],
          params: IdParameters,
          response: { 200: EffectivePermissions, ...problems() },
        },
      },
      (request) => effectivePermissions(deps, request.context, request.params.id),
    );
  };
}
