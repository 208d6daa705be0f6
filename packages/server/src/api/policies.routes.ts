import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  Code,
  CreatePolicy,
  ListQuery,
  Policy,
  SearchText,
  StrictObject,
  UpdatePolicy,
} from "@ostiary/contracts";
import { Type } from "typebox";
import { createPolicy, deletePolicy, getPolicy, listPolicies, updatePolicy } from "../domain/access/index.ts";
import type { Deps } from "../domain/deps.ts";
import { registerResource } from "./resource.ts";

const PolicyQuery = StrictObject({
  ...ListQuery.properties,
  namespace: Type.Optional(Code),
  search: Type.Optional(SearchText),
});

/** Rules that allow or deny, with conditions. */
export function policyRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    registerResource(app, deps, {
      path: "/policies",
      names: { one: "policy", many: "policies", One: "Policy", Many: "Policies" },
      permissions: { read: "policy:read", write: "policy:write" },
      schemas: { item: Policy, create: CreatePolicy, change: UpdatePolicy, query: PolicyQuery },
      notes: {
        list: "With `namespace`, the permission for that namespace is enough.",
        change: "You need everything that the policy allowed and is to allow: somebody may have it.",
        remove: "It is taken from everybody. You need everything that it allowed.",
      },
      list: listPolicies,
      get: getPolicy,
      create: createPolicy,
      change: updatePolicy,
      remove: deletePolicy,
    });
  };
}
