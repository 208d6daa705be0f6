import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  Code,
  CreateResource,
  ListQuery,
  OneOf,
  RESOURCE_TYPES,
  Resource,
  SearchText,
  StrictObject,
  UpdateResource,
} from "@ostiary/contracts";
import { Type } from "typebox";
import {
  createResource,
  deleteResource,
  getResource,
  listResources,
  updateResource,
} from "../domain/access/index.ts";
import type { Deps } from "../domain/deps.ts";
import { registerResource } from "./resource.ts";

const ResourceQuery = StrictObject({
  ...ListQuery.properties,
  namespace: Type.Optional(Code),
  type: Type.Optional(OneOf(RESOURCE_TYPES)),
  search: Type.Optional(SearchText),
});

/** What can be acted on. */
export function resourceRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    registerResource(app, deps, {
      path: "/resources",
      names: { one: "resource", many: "resources", One: "Resource", Many: "Resources" },
      permissions: { read: "resource:read", write: "resource:write" },
      schemas: { item: Resource, create: CreateResource, change: UpdateResource, query: ResourceQuery },
      notes: {
        list: "With `namespace`, the permission for that namespace is enough.",
        create: "What is granted need not be defined; what is, has a type and names.",
      },
      list: listResources,
      get: getResource,
      create: createResource,
      change: updateResource,
      remove: deleteResource,
    });
  };
}
