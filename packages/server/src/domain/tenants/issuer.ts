import type { Tenant } from "@ostiary/contracts";
import type { Deps } from "../deps.ts";

/** The slug whose issuer has no path. */
const DEFAULT_SLUG = "default";

/** Where a tenant's own addresses begin, relative to the server: empty for the default tenant, else `/t/<slug>`. */
function basePathOf(tenant: Pick<Tenant, "slug">): string {
  return tenant.slug === DEFAULT_SLUG ? "" : `/t/${tenant.slug}`;
}

/** The issuer identifier of a tenant (RFC 8414 §2); also the start of all its addresses. Never a trailing slash. */
export function issuerOf(deps: Pick<Deps, "publicUrl">, tenant: Pick<Tenant, "slug">): string {
  return deps.publicUrl + basePathOf(tenant);
}

/**
 * Whether tokens of this tenant may carry this issuer. The default tenant has two addresses, `/` and `/t/default`,
 * and each is an issuer of its own, since a client compares what it configured (RFC 8414 §3.3).
 */
export function isIssuerOf(
  deps: Pick<Deps, "publicUrl">,
  tenant: Pick<Tenant, "slug">,
  text: unknown,
): boolean {
  return text === issuerOf(deps, tenant) || text === `${deps.publicUrl}/t/${tenant.slug}`;
}
