import { createHash } from "node:crypto";
import { IdentityError, type Tenant } from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId, newSecret } from "../../kernel/identifiers.ts";
import type { Application } from "../applications/index.ts";
import { recordEvent } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import { letKnowSession } from "../sessions/index.ts";
import { issuerOf } from "../tenants/index.ts";
import { accessTokenSeconds } from "./issue-access-token.ts";
import { lifetimesOf } from "./lifetimes.ts";
import { refreshTokenOf } from "./refresh-token.ts";
import { endReusedFamily } from "./revoke-family.ts";
import {
  consumeCode,
  type FamilyDetails,
  insertFamily,
  isCodeUsed,
  type TokenFamily,
} from "./token-family.store.ts";

export interface Authorization {
  /** The address under which the application knows us; default: `issuerOf(tenant)`. */
  issuer?: string | undefined;
  application: Application;
  userId: string;
  /** The sign-in this comes from; the family ends with it unless `offline`. */
  session: { id: string; authenticatedAt: Date; impersonatorId: string | null };
  /** Scope `offline_access` was granted (OpenID Connect Core §11). */
  offline: boolean;
  scopes: readonly string[];
  details: FamilyDetails;
  /** As in the request; null where it was left out. */
  redirectUri: string | null;
  /** S256; null where the client sent none. */
  codeChallenge: string | null;
}

/** A family id, then 256 random bits: found by primary key, proven by its hash. */
const CODE = /^([0-9a-f]{24})([A-Za-z0-9_-]{43})$/;

/** A new authorization and its code (RFC 6749 §4.1.2). The code is returned once and stored as a keyed hash. */
export async function createAuthorizationCode(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  authorization: Authorization,
): Promise<string> {
  const { application, userId, session, scopes, issuer = issuerOf(deps, tenant) } = authorization;
  const { impersonatorId } = session;
  // What an administrator opens in a user's name ends with that session, whatever was asked for.
  const offline = authorization.offline && impersonatorId === null;
  const now = deps.clock.now();
  const id = newId(now);
  const code = id + newSecret();
  const { codeSeconds } = tenant.settings.tokens;
  const who: RequestContext = { ...context, actor: { type: "user", id: userId }, impersonatorId };
  const hearsOfLogout = application.backchannelLogoutUri !== null;
  await deps.database.transaction(async (tx) => {
    if (hearsOfLogout) {
      const known = { sessionId: session.id, applicationId: application.id, issuer };
      await letKnowSession(tx, tenant.id, known);
    }
    await insertFamily(tx, tenant.id, {
      id,
      applicationId: application.id,
      userId,
      sessionId: offline ? null : session.id,
      scopes: [...scopes],
      details: {
        ...authorization.details,
        ...(impersonatorId === null ? {} : { impersonatorId }),
        ...(offline && hearsOfLogout ? { sid: session.id } : {}),
      },
      authenticatedAt: session.authenticatedAt,
      codeHash: codeHash(deps, code),
      codeExpiresAt: addSeconds(now, codeSeconds),
      codeChallenge: authorization.codeChallenge,
      redirectUri: authorization.redirectUri,
      createdAt: now,
      expiresAt: addSeconds(now, codeSeconds + accessTokenSeconds(tenant, application)),
    });
    await recordEvent(deps, tx, who, {
      type: "token.issued",
      target: { type: "application", id: application.id },
      data: { familyId: id, sessionId: session.id, scopes, offline },
    });
  });
  return code;
}

export interface Redemption {
  application: Application;
  code: string;
  redirectUri: string | null;
  codeVerifier: string | null;
}

/** A family, and the refresh token that belongs to its new generation, where the application gets one. */
export interface Issue {
  family: TokenFamily;
  refreshToken: string | undefined;
}

/**
 * Redeems a code. It works once; a second redemption is a theft, so everything that came from the first ends
 * (RFC 6749 §4.1.2, RFC 9700 §2.1.1).
 *
 * @throws IdentityError `grant.invalid` for every refusal; `reason` says which.
 */
export async function redeemCode(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  redemption: Redemption,
): Promise<Issue> {
  const { application, code } = redemption;
  const familyId = CODE.exec(code)?.[1];
  if (!familyId) throw new IdentityError("grant.invalid", { reason: "not a code of ours" });
  const now = deps.clock.now();
  const lifetimes = lifetimesOf(tenant, application, now);
  const hash = codeHash(deps, code);
  const family = await consumeCode(deps.database, tenant.id, {
    familyId,
    codeHash: hash,
    applicationId: application.id,
    redirectUri: redemption.redirectUri,
    codeChallenge: redemption.codeVerifier === null ? null : challengeOf(redemption.codeVerifier),
    refreshExpiresAt: lifetimes.refreshExpiresAt,
    expiresAt: lifetimes.familyExpiresAt,
    now,
  });
  if (family) return { family, refreshToken: refreshTokenOf(deps, tenant.id, family) };
  if (await isCodeUsed(deps.database, tenant.id, familyId, hash)) {
    await endReusedFamily(deps, context, familyId, "authorization code");
    throw new IdentityError("grant.invalid", { reason: "code used twice" });
  }
  throw new IdentityError("grant.invalid", {
    reason: "code unknown, expired, another client's, or with another redirect URI or verifier",
  });
}

/** RFC 7636 §4.6, method S256. */
export function challengeOf(verifier: string): string {
  return createHash("sha256").update(verifier, "ascii").digest("base64url");
}

function codeHash(deps: Deps, code: string): Buffer {
  return deps.secrets.keyedHash(code, "authorization-code");
}
