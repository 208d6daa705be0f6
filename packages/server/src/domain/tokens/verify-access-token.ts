import { IdentityError, type Tenant } from "@ostiary/contracts";
import { findPrincipal, type Principal } from "../access/index.ts";
import { type Application, findApplication, mayUse } from "../applications/index.ts";
import { type Deps, isJoined } from "../deps.ts";
import { findSession } from "../sessions/index.ts";
import { isIssuerOf } from "../tenants/index.ts";
import { type FamilyFacts, findFamilyFacts } from "./family-facts.ts";
import { verifiedTokensOf } from "./verified-tokens.ts";
import { type JwtClaims, verifyJwt } from "./verify-jwt.ts";

/** What an access token of ours says; none of it changes while the token exists. */
export interface AccessTokenClaims {
  tenantId: string;
  familyId: string;
  /** The user's id, or the application's for client credentials. */
  subject: string;
  /** Null for client credentials. */
  userId: string | null;
  applicationId: string;
  /** Null for offline grants and client credentials. */
  sessionId: string | null;
  /** The administrator who acts as the user (`act`); null: the user himself. */
  impersonatorId: string | null;
  scopes: ReadonlySet<string>;
  issuer: string;
  jti: string;
  amr: readonly string[];
  /** NumericDate: seconds. */
  issuedAt: number;
  expiresAt: number;
  authenticatedAt: number | null;
}

/** A token that is good now, and whom it is about as he is now. */
export interface VerifiedToken {
  claims: AccessTokenClaims;
  family: FamilyFacts;
  application: Application;
  /** Null for client credentials. */
  principal: Principal | null;
}

const verifiedTokens = verifiedTokensOf<AccessTokenClaims>();

/**
 * THE verification of an access token: every dialect, the API, userinfo and introspection ask here. Signature and
 * form are checked once and remembered; expiry, revocation, session, user and application are looked at each time,
 * in caches that the change feed keeps right. Warm, it answers synchronously and without the database.
 *
 * @throws IdentityError (also as a rejection) `token.invalid` (also revoked, and of another tenant), `token.expired`,
 *   `user.suspended`, `user.not_found`, `application.disabled`, `application.access_denied`
 */
export function verifyAccessToken(
  deps: Deps,
  tenant: Tenant,
  token: string,
): VerifiedToken | Promise<VerifiedToken> {
  const known = verifiedTokens(deps).find(tenant.id, token);
  if (known) return checkCurrent(deps, known, token);
  const verified = verifyJwt(deps, tenant.id, "at+jwt", token);
  const proceed = (raw: JwtClaims) => {
    const claims = readClaims(deps, raw, tenant);
    if (deps.feed.live && !isJoined(deps)) verifiedTokens(deps).keep(token, claims);
    return checkCurrent(deps, claims, token);
  };
  return verified instanceof Promise ? verified.then(proceed) : proceed(verified);
}

function checkCurrent(
  deps: Deps,
  claims: AccessTokenClaims,
  token: string,
): VerifiedToken | Promise<VerifiedToken> {
  if (claims.expiresAt * 1000 <= deps.clock.now().getTime()) {
    verifiedTokens(deps).forget(token);
    throw new IdentityError("token.expired");
  }
  const { tenantId, userId, sessionId } = claims;
  const family = findFamilyFacts(deps, tenantId, claims.familyId);
  const application = findApplication(deps, tenantId, claims.applicationId);
  const principal = userId === null ? null : findPrincipal(deps, tenantId, userId);
  const session = sessionId === null ? null : findSession(deps, tenantId, sessionId);
  if (
    family instanceof Promise ||
    application instanceof Promise ||
    principal instanceof Promise ||
    session instanceof Promise
  ) {
    return Promise.all([family, application, principal, session]).then(([facts, app, user, signIn]) =>
      conclude(deps, claims, facts, app, user, signIn),
    );
  }
  return conclude(deps, claims, family, application, principal, session);
}

function conclude(
  deps: Deps,
  claims: AccessTokenClaims,
  family: FamilyFacts,
  application: Application | null,
  principal: Principal | null,
  session: object | null,
): VerifiedToken | Promise<VerifiedToken> {
  if (claims.userId !== null) {
    if (!principal || principal.status === "deleted") throw new IdentityError("user.not_found");
    if (principal.status === "suspended") throw new IdentityError("user.suspended");
  }
  if (family.revoked) throw new IdentityError("token.invalid", { reason: "revoked" });
  if (claims.sessionId !== null && !session)
    throw new IdentityError("token.invalid", { reason: "session ended" });
  if (!application) throw new IdentityError("token.invalid", { reason: "application is gone" });
  if (application.status !== "active") throw new IdentityError("application.disabled");
  const verified = { claims, family, application, principal };
  const allowed = claims.userId === null || mayUse(deps, application, claims.userId);
  const enter = (mayEnter: boolean) => {
    if (!mayEnter) throw new IdentityError("application.access_denied");
    return verified;
  };
  return allowed instanceof Promise ? allowed.then(enter) : enter(allowed);
}

function readClaims(deps: Deps, raw: JwtClaims, tenant: Tenant): AccessTokenClaims {
  const { iss, aud, sub, client_id, iat, exp, jti, scope, sid, auth_time, amr } = raw;
  if (typeof iss !== "string" || !isIssuerOf(deps, tenant, iss)) {
    throw new IdentityError("token.invalid", { reason: "another issuer" });
  }
  if (aud !== iss) throw new IdentityError("token.wrong_audience");
  if (
    typeof sub !== "string" ||
    typeof client_id !== "string" ||
    typeof iat !== "number" ||
    typeof exp !== "number" ||
    typeof jti !== "string" ||
    typeof scope !== "string"
  ) {
    throw new IdentityError("token.invalid", { reason: "a claim is missing" });
  }
  return {
    tenantId: tenant.id,
    familyId: jti.split(".", 1)[0] ?? jti,
    subject: sub,
    userId: sub === client_id ? null : sub,
    applicationId: client_id,
    sessionId: typeof sid === "string" ? sid : null,
    impersonatorId: actorOf(raw),
    scopes: new Set(scope === "" ? [] : scope.split(" ")),
    issuer: iss,
    jti,
    amr: Array.isArray(amr) ? amr.filter((method) => typeof method === "string") : [],
    issuedAt: iat,
    expiresAt: exp,
    authenticatedAt: typeof auth_time === "number" ? auth_time : null,
  };
}

/** RFC 8693 §4.1 */
function actorOf({ act }: JwtClaims): string | null {
  if (typeof act !== "object" || act === null || !("sub" in act)) return null;
  return typeof act.sub === "string" ? act.sub : null;
}
