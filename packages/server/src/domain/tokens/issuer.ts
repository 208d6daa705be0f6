import type { Tenant } from "@ostiary/contracts";
import type { Deps } from "../deps.ts";

/** The slug whose issuer has no path. */
const DEFAULT_SLUG = "default";

/** Where a tenant's own addresses begin, relative to the server: empty for the default tenant, else `/t/<slug>`. */
export function basePathOf(tenant: Pick<Tenant, "slug">): string {
  return tenant.slug === DEFAULT_SLUG ? "" : `/t/${tenant.slug}`;
}

/** The issuer identifier of a tenant (RFC 8414 §2); also the start of all its addresses. Never a trailing slash. */
export function issuerOf(deps: Pick<Deps, "publicUrl">, tenant: Pick<Tenant, "slug">): string {
  return deps.publicUrl + basePathOf(tenant);
}
