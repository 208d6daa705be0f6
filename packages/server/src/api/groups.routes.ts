import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  CreateGroup,
  Group,
  GroupLevels,
  Id,
  ListQuery,
  Membership,
  MembershipChange,
  PageOf,
  SearchText,
  StrictObject,
  UpdateGroup,
  UserIds,
  UserLevel,
} from "@ostiary/contracts";
import { Type } from "typebox";
import { checkPermission } from "../domain/access/index.ts";
import type { Deps } from "../domain/deps.ts";
import { getGroup, listGroupMembers, listGroups } from "../domain/groups/index.ts";
import {
  addRankedMembers,
  createRankedGroup,
  deleteRankedGroup,
  getPerson,
  LEVELS,
  removeRankedMembers,
  updateRankedGroup,
} from "../domain/levels/index.ts";
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
    change: addRankedMembers,
  },
  {
    verb: "remove",
    operationId: "removeGroupMembers",
    summary: "Take users out of a group",
    change: removeRankedMembers,
  },
] as const;

const LEVEL_NOTE =
  "`level` ranks the members for front ends of Zibanu; a user gives none above his own (`level.too_high`).";

/** Groups, their members, and what rank they give. */
export function groupRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    registerResource(app, deps, {
      path: "/groups",
      names: { one: "group", many: "groups", One: "Group", Many: "Groups" },
      permissions: { read: "group:read", write: "group:write" },
      schemas: { item: Group, create: CreateGroup, change: UpdateGroup, query: GroupQuery },
      notes: {
        list: "With `userId`, the groups of that user.",
        create: LEVEL_NOTE,
        change: LEVEL_NOTE,
        remove: "Its members lose what was given to it. You need all of that yourself.",
      },
      list: listGroups,
      get: getGroup,
      create: createRankedGroup,
      change: updateRankedGroup,
      remove: deleteRankedGroup,
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
    app.get(
      "/group-levels",
      {
        schema: {
          operationId: "listGroupLevels",
          summary: "List the levels that groups can have",
          description: "Needs the permission `group:read`. Groups may have other numbers; these have names.",
          tags: ["Groups"],
          response: { 200: GroupLevels, ...problems() },
        },
      },
      async ({ context }) => {
        checkPermission(context, "group:read");
        return { items: LEVELS.map(({ level, name }) => ({ level, name })) };
      },
    );
    app.get(
      "/users/:id/level",
      {
        schema: {
          operationId: "getUserLevel",
          summary: "Read how high a user stands",
          description:
            "Needs the permission `user:read` and, of a user, a level as high (`level.too_high` else).",
          tags: ["Users"],
          params: IdParameters,
          response: { 200: UserLevel, ...problems() },
        },
      },
      async ({ context, tenant, params }) => {
        const { level, isSuperuser, isStaff } = await getPerson(deps, context, tenant, params);
        return { level, isSuperuser, isStaff };
      },
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
