import { createHmac, timingSafeEqual } from "node:crypto";
import { IdentityError, type Tenant } from "@ostiary/contracts";
import { after } from "../../kernel/after.ts";
import { addSeconds } from "../../kernel/clock.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { findPrincipal, type Principal } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, isJoined } from "../deps.ts";
import {
  findSession,
  nextTokenGeneration,
  noteShortfall,
  type Session,
  shortfallOf,
} from "../sessions/index.ts";
import { type DialectKey, findActiveDialectKey, findDialectKeyById } from "./dialect-key-ring.ts";
import { verifiedTokensOf } from "./verified-tokens.ts";
import { COMPACT, invalid, type JwtClaims, MAX_LENGTH, parseObject } from "./verify-jwt.ts";

/**
 * A sliding token of Zibanu (djangorestframework-simplejwt): one JWT that opens everything and is sent back to get the
 * next one. It belongs to one generation of one session, so whatever ends the session ends it; `jti` is both of them.
 */
export interface SlidingClaims {
  tenantId: string;
  sessionId: string;
  generation: number;
  /** NumericDate: seconds. */
  expiresAt: number;
  /** As `expiresAt`; null without that claim, and then the token cannot be refreshed. */
  refreshExpiresAt: number | null;
}

/** A token that is good now, and whom it is about as he is now. */
export interface VerifiedSlidingToken {
  claims: SlidingClaims;
  session: Session;
  principal: Principal;
}

const PURPOSE = "zibanu";

/** `jti`: the session's id and eight hex characters of the generation. */
const JTI = /^([0-9a-f]{24})([0-9a-f]{8})$/;

const verifiedTokens = verifiedTokensOf<SlidingClaims>();

/**
 * The present token of a session.
 *
 * @param session - `expiresAt` bounds the token's lifetime.
 * @param user - what the token says about the user, for its front end; no rule of ours reads it. `id`: his serial.
 */
export function issueSlidingToken(
  deps: Deps,
  tenant: Tenant,
  session: Pick<Session, "id" | "tokenGeneration" | "expiresAt">,
  user: { id: number | string; claim: object },
): string | Promise<string> {
  const now = deps.clock.now();
  const issuedAt = Math.floor(now.getTime() / 1_000);
  const end = addSeconds(now, tenant.settings.zibanu.tokenSeconds);
  const expiresAt = Math.floor(Math.min(end.getTime(), session.expiresAt.getTime()) / 1_000);
  const claims = {
    token_type: "sliding",
    exp: expiresAt,
    iat: issuedAt,
    jti: session.id + session.tokenGeneration.toString(16).padStart(8, "0"),
    refresh_exp: expiresAt,
    user_id: user.id,
    user: user.claim,
  };
  return after(findActiveDialectKey(deps, tenant.id, PURPOSE), (key) => sign(key, claims));
}

function sign({ kid, signingKey }: DialectKey, claims: object): string {
  if (!signingKey) throw new RangeError(`key ${kid} does not sign`);
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const input = `${encode({ alg: "HS512", typ: "JWT", kid })}.${encode(claims)}`;
  return `${input}.${createHmac("sha512", signingKey).update(input).digest("base64url")}`;
}

/**
 * Signature and form are checked once and remembered; expiry, session, generation and user are looked at each time in
 * caches that the change feed keeps right. Warm, it answers synchronously and without the database.
 *
 * @throws IdentityError (also as a rejection) `token.invalid`, `token.expired`, `token.incomplete` (its field names the
 *   claim), `token.wrong_type`, `token.revoked` (also when the session or the user is no more, or has proven less than
 *   the policy asks for by now)
 */
export function verifySlidingToken(
  deps: Deps,
  tenant: Tenant,
  token: string,
): VerifiedSlidingToken | Promise<VerifiedSlidingToken> {
  const known = verifiedTokens(deps).find(tenant.id, token);
  if (known) return checkCurrent(deps, tenant, known);
  return after(verifySignature(deps, tenant.id, token), (raw) => {
    const claims = readClaims(raw, tenant.id, deps.clock.now());
    if (deps.feed.live && !isJoined(deps)) verifiedTokens(deps).keep(token, claims);
    return checkCurrent(deps, tenant, claims);
  });
}

function verifySignature(deps: Deps, tenantId: string, token: string): JwtClaims | Promise<JwtClaims> {
  if (token.length > MAX_LENGTH || !COMPACT.test(token)) throw invalid("not a compact JWS");
  const { kid, alg, crit } = parseObject(token.slice(0, token.indexOf(".")));
  if (typeof kid !== "string") throw invalid("no kid");
  // The algorithm is the key's, never the header's choice (RFC 8725 §3.1).
  if (alg !== "HS512") throw invalid("not the key's algorithm");
  if (crit !== undefined) throw invalid("crit is not supported"); // RFC 7515 §4.1.11
  return after(findDialectKeyById(deps, tenantId, PURPOSE, kid), (key) => verifyWith(key, token));
}

function verifyWith(key: DialectKey | undefined, token: string): JwtClaims {
  if (key?.algorithm !== "HS512") throw invalid("unknown key");
  const end = token.lastIndexOf(".");
  const expected = createHmac("sha512", key.verifyingKey).update(token.slice(0, end)).digest("base64url");
  const given = token.slice(end + 1);
  const good = given.length === expected.length && timingSafeEqual(Buffer.from(given), Buffer.from(expected));
  if (!good) throw invalid("wrong signature");
  return parseObject(token.slice(token.indexOf(".") + 1, end));
}

function readClaims(raw: JwtClaims, tenantId: string, now: Date): SlidingClaims {
  const { token_type, exp, nbf, iat, jti, refresh_exp, user_id } = raw;
  const seconds = now.getTime() / 1_000;
  if (typeof exp === "number" && exp <= seconds) throw new IdentityError("token.expired");
  if (typeof nbf === "number" && nbf > seconds + 1) throw invalid("not valid yet");
  if (typeof iat === "number" && iat > seconds + 1) throw invalid("issued in the future");
  const parts = typeof jti === "string" ? JTI.exec(jti) : null;
  if (!parts) throw invalid("no jti of ours");
  if (exp === undefined) throw lacks("exp");
  if (token_type === undefined) throw lacks("token_type");
  if (token_type !== "sliding") throw new IdentityError("token.wrong_type");
  if (user_id === undefined) throw lacks("user_id");
  if (typeof exp !== "number" || !/^\d{1,16}$/.test(String(user_id))) throw invalid("a claim is malformed");
  return {
    tenantId,
    sessionId: parts[1] ?? "",
    generation: Number.parseInt(parts[2] ?? "", 16),
    expiresAt: exp,
    refreshExpiresAt: typeof refresh_exp === "number" ? refresh_exp : null,
  };
}

/** Which claim is missing is told, as front ends show it. */
const lacks = (claim: string) =>
  new IdentityError("token.incomplete", { fields: [{ path: `/${claim}`, message: "is missing" }] });

function checkCurrent(
  deps: Deps,
  tenant: Tenant,
  claims: SlidingClaims,
): VerifiedSlidingToken | Promise<VerifiedSlidingToken> {
  if (claims.expiresAt * 1_000 <= deps.clock.now().getTime()) throw new IdentityError("token.expired");
  return after(findSession(deps, claims.tenantId, claims.sessionId, claims.generation), (session) => {
    if (!session) throw new IdentityError("token.revoked", { reason: "session ended" });
    if (session.tokenGeneration !== claims.generation) {
      throw new IdentityError("token.revoked", { reason: "refreshed" });
    }
    return after(findPrincipal(deps, claims.tenantId, session.userId), (principal) => {
      if (principal?.status !== "active")
        throw new IdentityError("token.revoked", { reason: "no such user" });
      const shortfall = shortfallOf(tenant, null, principal.roles, session);
      if (shortfall) {
        noteShortfall(deps, session, shortfall);
        throw new IdentityError("token.revoked", { reason: shortfall.reason });
      }
      return { claims, session, principal };
    });
  });
}

/**
 * Ends a token and prolongs its session; then `issueSlidingToken` makes the next one. Of several requests with one
 * token one wins.
 *
 * @returns the session as it is now.
 * @throws IdentityError `token.incomplete` (`/refresh_exp`), `token.refresh_expired`, `token.revoked`
 */
export async function refreshSlidingToken(
  deps: Deps,
  context: RequestContext,
  { session, principal, claims }: VerifiedSlidingToken,
): Promise<Session> {
  if (claims.refreshExpiresAt === null) throw lacks("refresh_exp");
  if (claims.refreshExpiresAt * 1_000 <= deps.clock.now().getTime()) {
    throw new IdentityError("token.refresh_expired");
  }
  const who: RequestContext = { ...context, actor: { type: "user", id: principal.userId } };
  const expiresAt = await deps.database.transaction(async (tx) => {
    const end = await nextTokenGeneration(deps, tx, session);
    if (!end) throw new IdentityError("token.revoked", { reason: "refreshed at the same time" });
    await recordEvent(deps, tx, who, {
      type: "token.refreshed",
      target: { type: "user", id: principal.userId },
      data: { sessionId: session.id },
    });
    return end;
  });
  return { ...session, tokenGeneration: session.tokenGeneration + 1, expiresAt };
}
