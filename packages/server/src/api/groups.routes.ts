import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  CreateGroup,
  Group,
  Id,
  ListQuery,
  Membership,
  MembershipChange,
  PageOf,
  SearchText,
  StrictObject,
  UpdateGroup,
  UserIds,
} from "@ostiary/contracts";
import { Type } from "typebox";
import type { Deps } from "../domain/deps.ts";
import {
  addGroupMembers,
  createGroup,
  deleteGroup,
  getGroup,
  listGroupMembers,
  listGroups,
  removeGroupMembers,
  updateGroup,
} from "../domain/groups/index.ts";
import { answer, IdempotencyHeaders } from "./idempotency.ts";
import { problems } from "./problems.ts";
import { IdParameters, registerResource } from "./resource.ts";

const GroupQuery = StrictObject({
  ...ListQuery.properties,
  search: Type.Optional(SearchText),
  userId: Type.Optional(Id),
});

const MEMBERSHIP = [
  {
    verb: "add",
    operationId: "addGroupMembers",
    summary: "Make users members of a group",
    change: addGroupMembers,
  },
  {
    verb: "remove",
    operationId: "removeGroupMembers",
    summary: "Take users out of a group",
    change: removeGroupMembers,
  },
] as const;

/** Groups and their members. */
export function groupRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    registerResource(app, deps, {
      path: "/groups",
      names: { one: "group", many: "groups", One: "Group", Many: "Groups" },
      permissions: { read: "group:read", write: "group:write" },
      schemas: { item: Group, create: CreateGroup, change: UpdateGroup, query: GroupQuery },
      notes: {
        list: "With `userId`, the groups of that user.",
        remove: "Its members lose what was given to it. You need all of that yourself.",
      },
      list: listGroups,
      get: getGroup,
      create: createGroup,
      change: updateGroup,
      remove: deleteGroup,
    });
    app.get(
      "/groups/:id/members",
      {
        schema: {
          operationId: "listGroupMembers",
          summary: "List the members of a group",
          description: "Needs the permission `group:read`. Newest users first; `after` is a user's id.",
          tags: ["Groups"],
          params: IdParameters,
          querystring: ListQuery,
          response: { 200: PageOf(Membership), ...problems() },
        },
      },
      (request) => listGroupMembers(deps, request.context, request.params.id, request.query),
    );
    for (const { verb, operationId, summary, change } of MEMBERSHIP) {
      app.post(
        `/groups/:id/members/${verb}`,
        {
          schema: {
            operationId,
            summary,
            description:
              "Needs the permission `group:write` and all that was given to the group. Repeating it changes nothing.",
            tags: ["Groups"],
            params: IdParameters,
            headers: IdempotencyHeaders,
            body: UserIds,
            response: { 200: MembershipChange, ...problems(409, 413, 415, 422) },
          },
        },
        (request, reply) =>
          answer(deps, request, reply, async (joined) => {
            const { params, body, context } = request;
            const changed = await change(joined, context, params.id, body.userIds);
            return { status: 200, headers: {}, body: { changed } };
          }),
      );
    }
  };
}
