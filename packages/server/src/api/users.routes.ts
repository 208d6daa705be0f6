import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  CreateUser,
  ListQuery,
  OneOf,
  RoleName,
  SearchText,
  SetPassword,
  StrictObject,
  UpdateUser,
  USER_STATUSES,
  User,
} from "@ostiary/contracts";
import { Type } from "typebox";
import { askBreached, setPassword, unlockUser } from "../domain/credentials/index.ts";
import type { Deps } from "../domain/deps.ts";
import {
  activateUser,
  createUser,
  deleteUser,
  getUser,
  listUsers,
  suspendUser,
  updateUser,
} from "../domain/users/index.ts";
import { answer, IdempotencyHeaders } from "./idempotency.ts";
import { meRoutes } from "./me.routes.ts";
import { problems } from "./problems.ts";
import { etag, IdParameters, registerResource } from "./resource.ts";

const UserQuery = StrictObject({
  ...ListQuery.properties,
  search: Type.Optional(SearchText),
  status: Type.Optional(OneOf(USER_STATUSES, { description: "Default: all but deleted ones" })),
  role: Type.Optional(RoleName),
  externalId: Type.Optional(Type.String({ maxLength: 256 })),
});

/** Users, their passwords and status, and the caller's own account. */
export function userRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    registerResource(app, deps, {
      path: "/users",
      names: { one: "user", many: "users", One: "User", Many: "Users" },
      permissions: { read: "user:read", write: "user:write" },
      schemas: { item: User, create: CreateUser, change: UpdateUser, query: UserQuery },
      notes: {
        list:
          "`search` finds a part of username, e-mail address, phone number, nickname or name; with fewer than " +
          "three characters, the beginnings of their words.",
        create: "A user needs a username, an e-mail address or a phone number.",
        change:
          "What is absent stays; `null` clears a field (RFC 7386). Identifiers and status also need every " +
          "permission that the user has.",
        remove:
          "The user's data is erased and the sessions end; only the id stays known. " +
          "Needs every permission that the user has.",
      },
      list: listUsers,
      get: getUser,
      create: createUser,
      change: updateUser,
      remove: deleteUser,
    });
    registerStatus(app, "suspend", "The user cannot sign in, and open sessions end.", suspendUser);
    registerStatus(app, "activate", "The user can sign in again.", activateUser);
    app.post(
      "/users/:id/unlock",
      {
        schema: {
          operationId: "unlockUser",
          summary: "End a user's lock-out",
          description:
            "Needs the permission `user:write` and every permission that the user has. Wrong passwords and codes of this " +
            "user are forgotten; addresses that guess stay locked.",
          tags: ["Users"],
          params: IdParameters,
          headers: IdempotencyHeaders,
          response: { 204: Type.Null({ description: "Unlocked" }), ...problems(409, 413, 415, 422) },
        },
      },
      (request, reply) =>
        answer(deps, request, reply, async (joined) => {
          await unlockUser(joined, request.context, request.tenant, request.params.id);
          return { status: 204, headers: {} };
        }),
    );
    app.put(
      "/users/:id/password",
      {
        schema: {
          operationId: "setPassword",
          summary: "Set a user's password",
          description:
            "Needs the permission `user:write` and every permission that the user has. Ends the user's sessions. " +
            "`hash` takes over a password from another system.",
          tags: ["Users"],
          params: IdParameters,
          headers: IdempotencyHeaders,
          body: SetPassword,
          response: { 204: Type.Null({ description: "Set" }), ...problems(409, 413, 415, 422) },
        },
      },
      async (request, reply) => {
        const { password, mustChange = false } = request.body;
        const asked = "plain" in password ? await askBreached(deps, request.tenant.id, password.plain) : deps;
        return answer(asked, request, reply, async (joined) => {
          await setPassword(joined, request.context, request.params.id, password, { mustChange });
          return { status: 204, headers: {} };
        });
      },
    );
    await app.register(meRoutes(deps));
  };

  function registerStatus(
    app: Parameters<FastifyPluginAsyncTypebox>[0],
    verb: "suspend" | "activate",
    effect: string,
    change: typeof suspendUser,
  ): void {
    app.post(
      `/users/:id/${verb}`,
      {
        schema: {
          operationId: `${verb}User`,
          summary: `${verb === "suspend" ? "Suspend" : "Activate"} a user`,
          description: `Needs the permission \`user:write\` and every permission that the user has. ${effect}`,
          tags: ["Users"],
          params: IdParameters,
          headers: IdempotencyHeaders,
          response: { 200: User, ...problems(409, 413, 415, 422) },
        },
      },
      (request, reply) =>
        answer(deps, request, reply, async (joined) => {
          const user = await change(joined, request.context, request.params.id);
          return { status: 200, headers: etag(user.version), body: user };
        }),
    );
  }
}
