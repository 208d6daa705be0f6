import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  CreateNamespace,
  ListQuery,
  Namespace,
  SearchText,
  StrictObject,
  UpdateNamespace,
} from "@ostiary/contracts";
import { Type } from "typebox";
import {
  createNamespace,
  deleteNamespace,
  getNamespace,
  listNamespaces,
  updateNamespace,
} from "../domain/access/index.ts";
import type { Deps } from "../domain/deps.ts";
import { registerResource } from "./resource.ts";

const NamespaceQuery = StrictObject({
  ...ListQuery.properties,
  search: Type.Optional(SearchText),
});

/** Where codes of resources, roles and policies are unique. */
export function namespaceRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    registerResource(app, deps, {
      path: "/namespaces",
      names: { one: "namespace", many: "namespaces", One: "Namespace", Many: "Namespaces" },
      permissions: { read: "namespace:read", write: "namespace:write" },
      schemas: { item: Namespace, create: CreateNamespace, change: UpdateNamespace, query: NamespaceQuery },
      notes: {
        create:
          "Every application has a namespace of its own, with its id as code; a code that looks like an id is kept for them.",
        change: "The code of `default` and of an application's namespace is fixed.",
        remove: "Its resources, roles and policies go with it, and all grants of them.",
      },
      list: listNamespaces,
      get: getNamespace,
      create: createNamespace,
      change: updateNamespace,
      remove: deleteNamespace,
    });
  };
}
