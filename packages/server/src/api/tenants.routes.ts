import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { CreateTenant, ListQuery, SearchText, StrictObject, Tenant, UpdateTenant } from "@ostiary/contracts";
import { Type } from "typebox";
import type { Deps } from "../domain/deps.ts";
import { createTenant, deleteTenant, getTenant, listTenants, updateTenant } from "../domain/tenants/index.ts";
import { registerResource } from "./resource.ts";

const TenantQuery = StrictObject({ ...ListQuery.properties, search: Type.Optional(SearchText) });

/** Tenants; making and deleting them is for administrators of the default tenant. */
export function tenantRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    registerResource(app, deps, {
      path: "/tenants",
      names: { one: "tenant", many: "tenants", One: "Tenant", Many: "Tenants" },
      permissions: { read: "tenants:manage", write: "tenants:manage" },
      schemas: { item: Tenant, create: CreateTenant, change: UpdateTenant, query: TenantQuery },
      notes: {
        list: "Only in the default tenant. One's own tenant can be read with `tenant:read`.",
        create: "Only in the default tenant.",
        change: "One's own tenant: `tenant:write`, and `settings:write` for its settings.",
        remove: "Everything of the tenant is deleted but its audit log. The default tenant stays.",
      },
      list: listTenants,
      get: getTenant,
      create: createTenant,
      change: updateTenant,
      remove: deleteTenant,
    });
  };
}
