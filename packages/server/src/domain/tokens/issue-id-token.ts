import { createHash } from "node:crypto";
import type { Tenant } from "@ostiary/contracts";
import { numericDate } from "../../kernel/clock.ts";
import type { Application } from "../applications/index.ts";
import type { Deps } from "../deps.ts";
import { acrOf } from "../sessions/index.ts";
import { issuerOf } from "../tenants/index.ts";
import { signJwt } from "./sign-jwt.ts";

export interface IdTokenFacts {
  tenant: Tenant;
  /** Default: `issuerOf(tenant)`. */
  issuer?: string | undefined;
  application: Application;
  userId: string;
  nonce?: string | undefined;
  authenticatedAt: Date;
  amr: readonly string[];
  sessionId?: string | undefined;
  /** The administrator who acts as the user: becomes the claim `act` (RFC 8693 §4.1). */
  impersonatorId?: string | undefined;
  accessToken: string;
  /** Claims about the user that the `claims` parameter asked for (OpenID Connect Core §5.5). */
  userClaims?: Record<string, unknown> | undefined;
}

/** @see https://openid.net/specs/openid-connect-core-1_0.html#IDToken */
export function issueIdToken(deps: Deps, facts: IdTokenFacts): string | Promise<string> {
  const { tenant, application } = facts;
  const { idTokenSeconds, signingAlgorithm } = tenant.settings.tokens;
  const algorithm = application.settings.idTokenSignedResponseAlg ?? signingAlgorithm;
  const now = numericDate(deps.clock.now());
  const claims = {
    ...facts.userClaims,
    iss: facts.issuer ?? issuerOf(deps, tenant),
    sub: facts.userId,
    aud: application.id,
    iat: now,
    exp: now + idTokenSeconds,
    auth_time: numericDate(facts.authenticatedAt),
    nonce: facts.nonce,
    acr: acrOf(facts.amr),
    amr: facts.amr,
    sid: facts.sessionId,
    act: facts.impersonatorId === undefined ? undefined : { sub: facts.impersonatorId },
    at_hash: leftHalfHash(facts.accessToken, algorithm),
  };
  return signJwt(deps, tenant.id, "JWT", claims, algorithm);
}

/**
 * `at_hash` (OpenID Connect Core §3.1.3.6): the left half of the token's hash, with the hash of the signature
 * algorithm. Ed25519 hashes with SHA-512 inside, and so do clients.
 */
function leftHalfHash(token: string, algorithm: "ES256" | "RS256" | "EdDSA"): string {
  const hash = createHash(algorithm === "EdDSA" ? "sha512" : "sha256")
    .update(token, "ascii")
    .digest();
  return hash.subarray(0, hash.length / 2).toString("base64url");
}
