import { IdentityError } from "@ostiary/contracts";
import type { Deps } from "../deps.ts";
import { findTenantById } from "../tenants/index.ts";
import { findActiveKey, findSigningKeys } from "./key-ring.ts";

/**
 * The tenant's public keys, those that are published ahead and those that retire included (RFC 7517 §5).
 *
 * @throws IdentityError `tenant.not_found`
 */
export async function publicJwks(deps: Deps, tenantId: string): Promise<{ keys: Record<string, unknown>[] }> {
  const tenant = await findTenantById(deps, tenantId);
  if (!tenant) throw new IdentityError("tenant.not_found");
  await findActiveKey(deps, tenantId, tenant.settings.tokens.signingAlgorithm);
  const ring = await findSigningKeys(deps, tenantId);
  return { keys: [...ring.byKid.values()].map((key) => key.publicJwk) };
}
