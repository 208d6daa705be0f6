import { randomFillSync } from "node:crypto";
import type { Tenant } from "@ostiary/contracts";
import { numericDate } from "../../kernel/clock.ts";
import type { Application } from "../applications/index.ts";
import type { Deps } from "../deps.ts";
import { acrOf } from "../sessions/index.ts";
import { issuerOf } from "../tenants/index.ts";
import { signJwt } from "./sign-jwt.ts";

export interface AccessTokenFacts {
  tenant: Tenant;
  /** Default: `issuerOf(tenant)`. */
  issuer?: string | undefined;
  application: Application;
  /** Of the authorization this token comes from; revoking any of its tokens ends them all. */
  familyId: string;
  /** The user's id, or the application's own for client credentials (RFC 9068 §2.2). */
  subject: string;
  scopes: readonly string[];
  /** Absent for offline grants, which outlive the session. */
  sessionId?: string | undefined;
  /** When and how the person signed in; absent for client credentials. */
  authenticatedAt?: Date | undefined;
  amr?: readonly string[] | undefined;
  /** The administrator who acts as the user: becomes the claim `act` (RFC 8693 §4.1). */
  impersonatorId?: string | undefined;
  /** Role codes; only said when the scope `roles` was granted. */
  roles?: readonly string[] | undefined;
  /** Seconds. Default: the application's or tenant's setting. */
  expiresIn?: number | undefined;
}

export interface IssuedAccessToken {
  token: string;
  /** Seconds. */
  expiresIn: number;
}

/**
 * An access token in the form of RFC 9068. `jti` begins with the family's id: so verification finds whether it was
 * revoked without a row for each token. The audience is the tenant's own issuer, the default resource (§3).
 *
 * @returns a plain value where signing is synchronous.
 */
export function issueAccessToken(
  deps: Deps,
  facts: AccessTokenFacts,
): IssuedAccessToken | Promise<IssuedAccessToken> {
  const { tenant, application, authenticatedAt } = facts;
  const { signingAlgorithm } = tenant.settings.tokens;
  const expiresIn = facts.expiresIn ?? accessTokenSeconds(tenant, application);
  const now = numericDate(deps.clock.now());
  const issuer = facts.issuer ?? issuerOf(deps, tenant);
  // JSON.stringify leaves out what is undefined.
  const claims = {
    iss: issuer,
    sub: facts.subject,
    aud: issuer,
    client_id: application.id,
    iat: now,
    exp: now + expiresIn,
    jti: `${facts.familyId}.${tokenSuffix()}`,
    scope: facts.scopes.join(" "),
    auth_time: authenticatedAt && numericDate(authenticatedAt),
    acr: facts.amr && facts.amr.length > 0 ? acrOf(facts.amr) : undefined,
    amr: facts.amr,
    sid: facts.sessionId,
    act: facts.impersonatorId === undefined ? undefined : { sub: facts.impersonatorId },
    roles: facts.scopes.includes("roles") ? facts.roles : undefined,
  };
  const token = signJwt(deps, tenant.id, "at+jwt", claims, signingAlgorithm);
  return token instanceof Promise ? token.then((text) => ({ token: text, expiresIn })) : { token, expiresIn };
}

/** Seconds: the application's own setting, else the tenant's. */
export function accessTokenSeconds(tenant: Tenant, application: Application): number {
  return application.settings.accessTokenSeconds ?? tenant.settings.tokens.accessTokenSeconds;
}

const SUFFIX_BYTES = 9;
const pool = Buffer.alloc(SUFFIX_BYTES * 512);
let used = pool.length;

/** 72 random bits; drawn many at once, since a call for each costs as much as the signature's hash. */
function tokenSuffix(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += SUFFIX_BYTES;
  return pool.toString("base64url", used - SUFFIX_BYTES, used);
}
