import type { Deps } from "../deps.ts";
import { findTenantById } from "./find-tenant.ts";
import { issuerOf } from "./issuer.ts";

/** The address of a hosted page of a tenant, as a message names it. */
export async function linkTo(
  deps: Deps,
  tenantId: string,
  path: `/${string}`,
  query: Record<string, string>,
): Promise<string> {
  const tenant = await findTenantById(deps, tenantId);
  const start = tenant ? issuerOf(deps, tenant) : deps.publicUrl;
  return `${start}${path}?${new URLSearchParams(query)}`;
}
