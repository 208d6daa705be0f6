import type { Deps } from "../deps.ts";
import { findTenantById } from "./find-tenant.ts";

/** The address of a hosted page of a tenant, as a mail names it. */
export async function linkTo(
  deps: Deps,
  tenantId: string,
  path: `/${string}`,
  query: Record<string, string>,
): Promise<string> {
  const slug = (await findTenantById(deps, tenantId))?.slug ?? "default";
  const base = slug === "default" ? "" : `/t/${slug}`;
  return `${deps.publicUrl}${base}${path}?${new URLSearchParams(query)}`;
}
