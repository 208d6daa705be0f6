import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  AccessGrant,
  Code,
  CreateAccessGrant,
  CreateDelegation,
  Delegation,
  Id,
  ListQuery,
  OneOf,
  Pattern,
  SCOPE_TYPES,
  StrictObject,
  SUBJECT_TYPES,
  UpdateAccessGrant,
  UpdateDelegation,
} from "@ostiary/contracts";
import { Type } from "typebox";
import {
  createAccessGrant,
  createDelegation,
  deleteAccessGrant,
  deleteDelegation,
  getAccessGrant,
  getDelegation,
  listAccessGrants,
  listDelegations,
  updateAccessGrant,
  updateDelegation,
} from "../domain/access/index.ts";
import type { Deps } from "../domain/deps.ts";
import { registerResource } from "./resource.ts";

const GrantQuery = StrictObject({
  ...ListQuery.properties,
  subjectType: Type.Optional(OneOf(SUBJECT_TYPES)),
  subjectId: Type.Optional(Id),
  roleId: Type.Optional(Id),
  policyId: Type.Optional(Id),
  namespace: Type.Optional(Code),
  resource: Type.Optional(Pattern),
});

const DelegationQuery = StrictObject({
  ...ListQuery.properties,
  subjectType: Type.Optional(OneOf(SUBJECT_TYPES)),
  subjectId: Type.Optional(Id),
  scopeType: Type.Optional(OneOf(SCOPE_TYPES)),
  scopeId: Type.Optional(Code),
});

const PLACES =
  "It may also be delegated for the namespace of what is given, or for the place of the subject.";

/** Who is given what, and who administers what. */
export function accessGrantRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    registerResource(app, deps, {
      path: "/access-grants",
      names: {
        one: "access grant",
        many: "access grants",
        One: "AccessGrant",
        Many: "AccessGrants",
      },
      permissions: { read: "access-grant:read", write: "access-grant:write" },
      schemas: {
        item: AccessGrant,
        create: CreateAccessGrant,
        change: UpdateAccessGrant,
        query: GrantQuery,
      },
      notes: {
        list: PLACES,
        create: `Give one of \`roleId\`, \`policyId\`, or \`resource\` with \`actions\`. You need all that it gives; giving the same twice is giving it once. ${PLACES}`,
        change: `You need all that it gave and is to give. ${PLACES}`,
        remove: `You need all that it gave. ${PLACES}`,
      },
      list: listAccessGrants,
      get: getAccessGrant,
      create: createAccessGrant,
      change: updateAccessGrant,
      remove: deleteAccessGrant,
    });
    registerResource(app, deps, {
      path: "/delegations",
      names: { one: "delegation", many: "delegations", One: "Delegation", Many: "Delegations" },
      permissions: { read: "access-grant:read", write: "access-grant:write" },
      schemas: {
        item: Delegation,
        create: CreateDelegation,
        change: UpdateDelegation,
        query: DelegationQuery,
      },
      notes: {
        create:
          "The permissions hold in one organization, unit, application or namespace only. You need them there yourself.",
      },
      list: listDelegations,
      get: getDelegation,
      create: createDelegation,
      change: updateDelegation,
      remove: deleteDelegation,
    });
  };
}
