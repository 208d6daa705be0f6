import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  CreateOrganization,
  CreateUnit,
  Id,
  ListQuery,
  Organization,
  PageOf,
  PutUnitMember,
  SearchText,
  StrictObject,
  Unit,
  UnitMember,
  UpdateOrganization,
  UpdateUnit,
  UserUnits,
} from "@ostiary/contracts";
import { Type } from "typebox";
import type { Deps } from "../domain/deps.ts";
import {
  createOrganization,
  createUnit,
  deleteOrganization,
  deleteUnit,
  getOrganization,
  getUnit,
  listOrganizations,
  listUnitMembers,
  listUnits,
  listUnitsOfUser,
  putUnitMember,
  removeUnitMember,
  updateOrganization,
  updateUnit,
} from "../domain/organizations/index.ts";
import { answer, IdempotencyHeaders } from "./idempotency.ts";
import { problems } from "./problems.ts";
import { IdParameters, registerResource } from "./resource.ts";

type App = Parameters<FastifyPluginAsyncTypebox>[0];

const OrganizationQuery = StrictObject({ ...ListQuery.properties, search: Type.Optional(SearchText) });
const UnitQuery = StrictObject({
  ...ListQuery.properties,
  organizationId: Type.Optional(Id),
  parentId: Type.Optional(Id),
  search: Type.Optional(SearchText),
});
const MemberParameters = Type.Object({ id: Id, userId: Id });

/** Organizations, their units, and who is a member. */
export function organizationRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    registerResource(app, deps, {
      path: "/organizations",
      names: {
        one: "organization",
        many: "organizations",
        One: "Organization",
        Many: "Organizations",
      },
      permissions: { read: "organization:read", write: "organization:write" },
      schemas: {
        item: Organization,
        create: CreateOrganization,
        change: UpdateOrganization,
        query: OrganizationQuery,
      },
      notes: {
        create: "It gets a unit that stands for it as a whole: `rootUnitId`.",
        remove: "Its units go with it. You need all that their members got by it.",
      },
      list: listOrganizations,
      get: getOrganization,
      create: createOrganization,
      change: updateOrganization,
      remove: deleteOrganization,
    });
    registerResource(app, deps, {
      path: "/units",
      names: { one: "unit", many: "units", One: "Unit", Many: "Units" },
      permissions: { read: "organization:read", write: "organization:write" },
      schemas: { item: Unit, create: CreateUnit, change: UpdateUnit, query: UnitQuery },
      notes: {
        list: "With `organizationId` or `parentId`, the permission for that place is enough.",
        create: "Without `parentId`, directly below the organization.",
        change:
          "Another `parentId` moves the unit with all below it; you need all that its members get by that.",
        remove: "All units below it go too. You need all that their members got by them.",
      },
      list: listUnits,
      get: getUnit,
      create: createUnit,
      change: updateUnit,
      remove: deleteUnit,
    });
    registerMembers(app, deps);
  };
}

function registerMembers(app: App, deps: Deps): void {
  app.get(
    "/units/:id/members",
    {
      schema: {
        operationId: "listUnitMembers",
        summary: "List the members of a unit",
        description: "Needs the permission `organization:read`. Newest users first; `after` is a user's id.",
        tags: ["Units"],
        params: IdParameters,
        querystring: ListQuery,
        response: { 200: PageOf(UnitMember), ...problems() },
      },
    },
    (request) => listUnitMembers(deps, request.context, request.params.id, request.query),
  );
  app.put(
    "/units/:id/members/:userId",
    {
      schema: {
        operationId: "putUnitMember",
        summary: "Make a user a member of a unit, or change what he is there",
        description:
          "Needs the permission `organization:write`, and for a new member all that the unit gives. With `main`, the " +
          "user's main unit is this one.",
        tags: ["Units"],
        params: MemberParameters,
        headers: IdempotencyHeaders,
        body: PutUnitMember,
        response: { 200: UnitMember, ...problems(409, 413, 415, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        const { context, params, body } = request;
        return {
          status: 200,
          headers: {},
          body: await putUnitMember(joined, context, params.id, params.userId, body),
        };
      }),
  );
  app.delete(
    "/units/:id/members/:userId",
    {
      schema: {
        operationId: "removeUnitMember",
        summary: "Take a user out of a unit",
        description: "Needs the permission `organization:write` and all that the unit gives.",
        tags: ["Units"],
        params: MemberParameters,
        headers: IdempotencyHeaders,
        response: { 204: Type.Null({ description: "Taken out" }), ...problems(409, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        await removeUnitMember(joined, request.context, request.params.id, request.params.userId);
        return { status: 204, headers: {} };
      }),
  );
  app.get(
    "/users/:id/units",
    {
      schema: {
        operationId: "listUnitsOfUser",
        summary: "List the units that a user is in",
        description: "Needs the permission `organization:read`; of oneself, none. The main one first.",
        tags: ["Users"],
        params: IdParameters,
        response: { 200: UserUnits, ...problems() },
      },
    },
    async (request) => ({ items: await listUnitsOfUser(deps, request.context, request.params.id) }),
  );
}
