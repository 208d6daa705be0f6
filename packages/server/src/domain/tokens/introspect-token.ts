import { IdentityError, type Tenant } from "@ostiary/contracts";
import { numericDate } from "../../kernel/clock.ts";
import { findPrincipal } from "../access/index.ts";
import type { Application } from "../applications/index.ts";
import type { Deps } from "../deps.ts";
import { acrOf, findSession } from "../sessions/index.ts";
import { issuerOf } from "../tenants/index.ts";
import { parseRefreshToken } from "./refresh-token.ts";
import { selectFamily } from "./token-family.store.ts";
import { type VerifiedToken, verifyAccessToken } from "./verify-access-token.ts";

/** RFC 7662 §2.2. Nothing but `active` is said about a token that is not. */
export type Introspection = { active: false } | ({ active: true } & Record<string, unknown>);

const INACTIVE: Introspection = { active: false };

/**
 * What a token is worth now. Access tokens may be asked about by every confidential application of the tenant
 * (it may be a resource server), refresh tokens only by the application that has them.
 *
 * @returns a plain value for an access token whose facts are in the caches.
 */
export function introspectToken(
  deps: Deps,
  tenant: Tenant,
  asker: Application,
  token: string,
): Introspection | Promise<Introspection> {
  if (!token.includes(".")) return introspectRefreshToken(deps, tenant, asker, token);
  try {
    const verified = verifyAccessToken(deps, tenant, token);
    return verified instanceof Promise ? verified.then(describe, refuse) : describe(verified);
  } catch (error) {
    return refuse(error);
  }
}

/** Our refusals mean "not active"; a database that does not answer does not. */
function refuse(error: unknown): Introspection {
  if (error instanceof IdentityError && error.status < 500) return INACTIVE;
  throw error;
}

function describe({ claims, principal }: VerifiedToken): Introspection {
  return {
    active: true,
    scope: [...claims.scopes].join(" "),
    client_id: claims.applicationId,
    username: principal?.username ?? undefined,
    token_type: "Bearer",
    exp: claims.expiresAt,
    iat: claims.issuedAt,
    sub: claims.subject,
    aud: claims.issuer,
    iss: claims.issuer,
    jti: claims.jti,
    sid: claims.sessionId ?? undefined,
    act: claims.impersonatorId === null ? undefined : { sub: claims.impersonatorId },
    auth_time: claims.authenticatedAt ?? undefined,
    acr: claims.amr.length > 0 ? acrOf(claims.amr) : undefined,
    amr: claims.amr.length > 0 ? claims.amr : undefined,
    roles: claims.scopes.has("roles") ? principal?.roles : undefined,
  };
}

async function introspectRefreshToken(
  deps: Deps,
  tenant: Tenant,
  asker: Application,
  token: string,
): Promise<Introspection> {
  const parsed = parseRefreshToken(deps, tenant.id, token);
  const family = parsed && (await selectFamily(deps.database, tenant.id, parsed.familyId));
  if (!family?.refreshExpiresAt || family.applicationId !== asker.id) return INACTIVE;
  if (family.revokedAt || family.generation !== parsed?.generation) return INACTIVE;
  if (family.refreshExpiresAt <= deps.clock.now()) return INACTIVE;
  const principal = await findPrincipal(deps, tenant.id, family.userId);
  if (principal?.status !== "active") return INACTIVE;
  if (family.sessionId && !(await findSession(deps, tenant.id, family.sessionId))) return INACTIVE;
  return {
    active: true,
    scope: family.scopes.join(" "),
    client_id: family.applicationId,
    username: principal.username ?? undefined,
    token_type: "refresh_token",
    exp: numericDate(family.refreshExpiresAt),
    sub: family.userId,
    iss: issuerOf(deps, tenant),
  };
}
