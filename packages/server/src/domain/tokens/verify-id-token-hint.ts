import type { Tenant } from "@ostiary/contracts";
import { IdentityError } from "@ostiary/contracts";
import type { Deps } from "../deps.ts";
import { isIssuerOf } from "../tenants/index.ts";
import { verifyJwt } from "./verify-jwt.ts";

export interface IdTokenHint {
  userId: string;
  applicationId: string;
  sessionId: string | null;
}

/**
 * Reads an ID token that was issued by us and comes back as a hint. It may have expired: it only says who is meant
 * (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2), and proves nothing about who sends it.
 *
 * @throws IdentityError `token.invalid`
 */
export async function verifyIdTokenHint(deps: Deps, tenant: Tenant, token: string): Promise<IdTokenHint> {
  const { iss, sub, aud, sid } = await verifyJwt(deps, tenant.id, "JWT", token);
  if (!isIssuerOf(deps, tenant, iss) || typeof sub !== "string" || typeof aud !== "string") {
    throw new IdentityError("token.invalid", { reason: "no ID token of this issuer" });
  }
  return { userId: sub, applicationId: aud, sessionId: typeof sid === "string" ? sid : null };
}
