import { IdentityError, type Tenant } from "@ostiary/contracts";
import { findPrincipal } from "../../domain/access/index.ts";
import { type Application, findApplicationByCode, mayUse } from "../../domain/applications/index.ts";
import type { Deps } from "../../domain/deps.ts";
import { isProofAlive, type PersonProof } from "../../domain/tickets/index.ts";
import { signDialectJwt, verifyDialectJwt } from "../../domain/tokens/index.ts";
import { findUserByUsername } from "../../domain/users/index.ts";
import { numericDate } from "../../kernel/clock.ts";
import { isId } from "../../kernel/identifiers.ts";
import { toUsername } from "./translate.ts";

/** Seconds of 1.8: how far back a token is good, how long, and for how long one is given out again. */
const LEEWAY = 300;
const LIFETIME = 1_500;
const REUSE = 600;

/** BlueKing's own; a header names the issuer only where it is another. */
const DEFAULT_ISSUER = "APIGW";

/** Tokens that are given out again; about a kilobyte each. */
const CAPACITY = 5_000;

/** For whom a gateway vouches. */
export interface GatewayCall {
  gateway: string;
  application: Application;
  /** The user, and by what he was proven (null: he was only named); null: nobody was named. */
  user: { username: string; proof: PersonProof | null } | null;
}

export interface GatewayToken {
  jwt: string;
  /** Seconds. */
  expiresIn: number;
}

/** Tokens by what they say, so that one entry can never stand for another call. */
export class GatewayTokens {
  readonly #deps: Deps;
  readonly #tokens = new Map<string, { jwt: string; issuedAt: number }>();

  constructor(deps: Deps) {
    this.#deps = deps;
    // A key may have leaked: what it signed is not given out again.
    const clear = () => this.#tokens.clear();
    deps.feed.subscribe({ onChange: (noun) => noun === "signing-keys" && clear(), onGap: clear });
  }

  /** Signing costs a third of a millisecond, and a page makes many calls: a token is good for ten minutes of them. */
  async issue(tenant: Tenant, call: GatewayCall): Promise<GatewayToken> {
    const now = numericDate(this.#deps.clock.now());
    const said = claimsOf(tenant, call);
    const key = JSON.stringify([tenant.id, call.gateway, said]);
    const kept = this.#tokens.get(key);
    if (kept && now >= kept.issuedAt && now - kept.issuedAt < REUSE) {
      return { jwt: kept.jwt, expiresIn: kept.issuedAt + LIFETIME - now };
    }
    const header = {
      kid: call.gateway,
      iat: now,
      ...(said.iss === DEFAULT_ISSUER ? {} : { iss: said.iss }),
    };
    const claims = { ...said, nbf: now - LEEWAY, exp: now + LIFETIME };
    const jwt = await signDialectJwt(this.#deps, tenant.id, "blueking", header, claims);
    if (this.#deps.feed.live) this.#keep(key, { jwt, issuedAt: now });
    return { jwt, expiresIn: LIFETIME };
  }

  #keep(key: string, token: { jwt: string; issuedAt: number }): void {
    this.#tokens.delete(key);
    if (this.#tokens.size >= CAPACITY) {
      const oldest = this.#tokens.keys().next();
      if (!oldest.done) this.#tokens.delete(oldest.value);
    }
    this.#tokens.set(key, token);
  }
}

/** No `aud`: apigw-manager refuses a token that has one. */
function claimsOf(tenant: Tenant, { application, user }: GatewayCall) {
  return {
    iss: tenant.settings.blueking.gatewayIssuer,
    app: {
      version: 1,
      app_code: application.slug,
      verified: true,
      valid_error_message: "",
      tenant_mode: "single",
      tenant_id: tenant.slug,
    },
    user: {
      version: 1,
      username: user?.username ?? "",
      verified: user?.proof != null,
      valid_error_message: user?.proof ? "" : "no proof of the user was given",
      tenant_id: tenant.slug,
    },
    // Ours: so that whoever asks hears when the person has signed out since. Other readers pass it over.
    ...(user?.proof ? { proof: toClaim(user.proof) } : {}),
  };
}

function toClaim({ sessionId, familyId }: PersonProof): object {
  return { ...(sessionId ? { session: sessionId } : {}), ...(familyId ? { family: familyId } : {}) };
}

function toProof(claim: unknown): PersonProof {
  const { session, family } = objectOf(claim);
  return { sessionId: idOf(session), familyId: idOf(family) };
}

const idOf = (value: unknown) => (typeof value === "string" && isId(value) ? value : null);

/** What a good token says. */
export interface GatewayFacts {
  gateway: string;
  application: Application;
  username: string;
  userVerified: boolean;
  expiresAt: number;
}

/**
 * Verification for who is asked: the application that the token names, or the gateway's own (an application whose slug
 * is the gateway's name). Anybody else would be handed somebody's token, and learns nothing. Beyond what a public key
 * can tell, the application and the user must still be active, he still allowed to use it, and signed in.
 *
 * @throws IdentityError `token.invalid`, `token.expired`, `application.access_denied`
 */
export async function verifyGatewayToken(
  deps: Deps,
  tenant: Tenant,
  caller: Application,
  gateway: string,
  jwt: string,
): Promise<GatewayFacts> {
  const { header, claims } = await verifyDialectJwt(deps, tenant.id, "blueking", jwt);
  const app = objectOf(claims.app);
  const user = objectOf(claims.user);
  if (header.kid !== gateway) throw new IdentityError("token.invalid", { reason: "another gateway" });
  if (claims.iss !== tenant.settings.blueking.gatewayIssuer) {
    throw new IdentityError("token.invalid", { reason: "another issuer" });
  }
  const application = await findApplicationByCode(deps, tenant.id, String(app.app_code ?? ""));
  if (application?.status !== "active") {
    throw new IdentityError("token.invalid", { reason: "the application is gone or disabled" });
  }
  if (caller.id !== application.id && caller.slug !== gateway) {
    throw new IdentityError("application.access_denied", { reason: "a token of another application" });
  }
  const username = String(user.username ?? "");
  const userVerified = user.verified === true;
  if (userVerified) await checkUser(deps, tenant, application, { username, proof: toProof(claims.proof) });
  return { gateway, application, username, userVerified, expiresAt: Number(claims.exp) };
}

async function checkUser(
  deps: Deps,
  tenant: Tenant,
  application: Application,
  { username, proof }: { username: string; proof: PersonProof },
): Promise<void> {
  const id = isId(username) ? username : (await findUserByUsername(deps, tenant.id, username))?.id;
  const principal = id === undefined ? null : await findPrincipal(deps, tenant.id, id);
  if (principal?.status !== "active" || toUsername(principal) !== username) {
    throw new IdentityError("token.invalid", { reason: "the user is gone or suspended" });
  }
  if (!(await mayUse(deps, application, principal.userId))) {
    throw new IdentityError("application.access_denied");
  }
  if (!(await isProofAlive(deps, tenant, application, principal, proof))) {
    throw new IdentityError("token.invalid", {
      reason: "the sign-in has ended, or a second factor is demanded",
    });
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
