import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Application } from "../applications/index.ts";
import type { Deps } from "../deps.ts";
import { parseRefreshToken } from "./refresh-token.ts";
import { revokeFamily, revokeRowlessFamily } from "./revoke-family.ts";
import { selectFamily } from "./token-family.store.ts";
import { verifyAccessToken } from "./verify-access-token.ts";

/**
 * Revokes a token at its application's wish (RFC 7009). Revoking any token of an authorization ends all of them,
 * access tokens too, on every process within a second. A token that is good for nothing already is no error (§2.2).
 *
 * @throws IdentityError `token.wrong_client`: it is another application's, and stays as it is (§2.1).
 */
export async function revokeToken(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  application: Application,
  token: string,
): Promise<void> {
  const refresh = parseRefreshToken(deps, tenant.id, token);
  if (refresh) {
    const family = await selectFamily(deps.database, tenant.id, refresh.familyId);
    if (family && family.applicationId !== application.id) throw new IdentityError("token.wrong_client");
    if (family) await revokeFamily(deps, context, family.id, "by the client");
    return;
  }
  const claims = await readAccessToken(deps, tenant, token);
  if (!claims) return;
  if (claims.applicationId !== application.id) throw new IdentityError("token.wrong_client");
  if (claims.userId !== null) return revokeFamily(deps, context, claims.familyId, "by the client");
  const expiresAt = new Date(claims.expiresAt * 1000);
  await revokeRowlessFamily(deps, context, {
    id: claims.familyId,
    applicationId: application.id,
    expiresAt,
  });
}

async function readAccessToken(deps: Deps, tenant: Tenant, token: string) {
  try {
    return (await verifyAccessToken(deps, tenant, token)).claims;
  } catch (error) {
    if (error instanceof IdentityError && error.status < 500) return undefined;
    throw error;
  }
}
