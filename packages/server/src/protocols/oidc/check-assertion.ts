import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, jwtVerify } from "jose";
import type { Application } from "../../domain/applications/index.ts";
import { useOnce } from "../../domain/tokens/index.ts";
import { numericDate } from "../../kernel/clock.ts";
import { OAuthError } from "./errors.ts";
import type { Exchange } from "./exchange.ts";

/** Asymmetric only: with HMAC the public key would be the secret (RFC 8725 §2.1). */
export const ASSERTION_ALGORITHMS = ["ES256", "ES384", "ES512", "RS256", "PS256", "EdDSA"];

/** Seconds; an assertion is made for one request (RFC 7523 §3 rule 4 allows a limit). */
const MAX_LIFETIME = 3_600;
/** Seconds of difference between clocks to forgive. */
const LEEWAY = 30;

/**
 * A client's assertion: signed by its registered key, about itself, for us, not expired, used once (RFC 7523 §3).
 * Its audience is this issuer or its token endpoint, which is what OpenID Connect Core §9 told clients to send.
 */
export async function checkAssertion(
  exchange: Exchange,
  application: Application,
  assertion: string,
): Promise<void> {
  const payload = await verify(exchange, application, assertion).catch((cause: unknown) => {
    throw rejected("the assertion does not verify", cause);
  });
  const now = exchange.deps.clock.now();
  const { exp = 0, jti = "", aud } = payload;
  if (Array.isArray(aud) && aud.length !== 1) throw rejected("several audiences");
  if (exp > numericDate(now) + MAX_LIFETIME) throw rejected("lives too long");
  if (jti === "") throw rejected("no jti");
  const expiresAt = new Date((exp + LEEWAY) * 1000);
  const isFirst = await useOnce(
    exchange.deps,
    exchange.tenant.id,
    "client-assertion",
    `${application.id} ${jti}`,
    expiresAt,
  );
  if (!isFirst) throw rejected("used twice");
}

async function verify(exchange: Exchange, application: Application, assertion: string): Promise<JWTPayload> {
  const keys = createLocalJWKSet((application.jwks ?? { keys: [] }) as unknown as JSONWebKeySet);
  const { payload } = await jwtVerify(assertion, keys, {
    issuer: application.id,
    subject: application.id,
    audience: [exchange.issuer, `${exchange.issuer}/oauth/token`],
    algorithms: ASSERTION_ALGORITHMS,
    requiredClaims: ["exp", "jti"],
    clockTolerance: LEEWAY,
    currentDate: exchange.deps.clock.now(),
  });
  return payload;
}

function rejected(reason: string, cause?: unknown): OAuthError {
  return new OAuthError("invalid_client", "Client authentication failed", { reason, cause });
}
