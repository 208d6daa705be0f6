import { IdentityError, type Tenant } from "@ostiary/contracts";
import { Batches } from "../../kernel/batches.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { findPrincipal } from "../access/index.ts";
import type { Application } from "../applications/index.ts";
import { type Deps, isJoined, onePerServer } from "../deps.ts";
import { findSession, type Session, type Shortfall, shortfallOf, touchSession } from "../sessions/index.ts";
import type { Issue } from "./authorization-code.ts";
import { lifetimesOf } from "./lifetimes.ts";
import { parseRefreshToken, refreshTokenOf } from "./refresh-token.ts";
import { endReusedFamily, revokeFamily } from "./revoke-family.ts";
import { type Rotation, rotateFamilies, selectFamily, type TokenFamily } from "./token-family.store.ts";

/**
 * Takes a refresh token and gives the next one. A token of an older generation was used before, by the client or by
 * a thief: nobody can tell, so the whole family ends (RFC 9700 §4.14.2).
 *
 * @param scopes - what the client asks for; empty = all. More than was granted is refused (RFC 6749 §6).
 * A grant whose sign-in has proven less than the policy asks for by now ends: it is stricter, or the user has got a role
 * that is asked for more. Proving more in the session that the grant belongs to counts.
 *
 * @throws IdentityError `grant.invalid`, `grant.too_weak`, `scope.not_granted`
 */
export async function rotateRefreshToken(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  application: Application,
  refreshToken: string,
  scopes: readonly string[],
): Promise<Issue> {
  const parsed = parseRefreshToken(deps, tenant.id, refreshToken);
  if (!parsed) throw new IdentityError("grant.invalid", { reason: "not a refresh token of this tenant" });
  const { refreshExpiresAt, familyExpiresAt } = lifetimesOf(tenant, application, deps.clock.now());
  if (!refreshExpiresAt) throw new IdentityError("grant.invalid", { reason: "no refresh tokens any more" });
  const family = await rotate(deps, {
    ...parsed,
    tenantId: tenant.id,
    applicationId: application.id,
    scopes,
    refreshExpiresAt,
    expiresAt: familyExpiresAt,
  });
  if (family) {
    const session = family.sessionId === null ? null : await findSession(deps, tenant.id, family.sessionId);
    const shortfall = await shortfallOfFamily(deps, tenant, application, family, session);
    if (shortfall) {
      await revokeFamily(deps, context, family.id, shortfall.reason);
      throw new IdentityError("grant.too_weak", { reason: shortfall.reason });
    }
    // Who uses an application is there, though the browser does not show us its cookie. Nothing is written now.
    if (session) await touchSession(deps, session);
    return { family, refreshToken: refreshTokenOf(deps, tenant.id, family) };
  }
  throw await explainRefusal(deps, context, application, parsed, scopes);
}

/**
 * Rotations that come at the same time are one statement. A statement for each spends most of its time on waking a
 * process of PostgreSQL and on the commit: of 310 µs of CPU time that a rotation took, 90 were the write to its socket.
 */
const batchesOf = onePerServer(
  () =>
    new Batches<Rotation, TokenFamily | undefined>({
      places: 2,
      size: 200,
      keyOf: (rotation) => rotation.familyId,
    }),
);

function rotate(deps: Deps, rotation: Rotation): Promise<TokenFamily | undefined> {
  const run = (rotations: Rotation[]) => rotateFamilies(deps.database, rotations, deps.clock.now());
  return isJoined(deps) ? run([rotation]).then(([family]) => family) : batchesOf(deps).submit(rotation, run);
}

/** What was proven when the grant was made counts, and what its session has proven since. */
async function shortfallOfFamily(
  deps: Deps,
  tenant: Tenant,
  application: Application,
  { userId, details }: TokenFamily,
  session: Session | null,
): Promise<Shortfall | undefined> {
  const roles = (await findPrincipal(deps, tenant.id, userId))?.roles ?? [];
  const shortfall = shortfallOf(tenant, application, roles, details);
  return shortfall && session ? shortfallOf(tenant, application, roles, session) : shortfall;
}

async function explainRefusal(
  deps: Deps,
  context: RequestContext,
  application: Application,
  token: { familyId: string; generation: number },
  scopes: readonly string[],
): Promise<IdentityError> {
  const family = await selectFamily(deps.database, context.tenantId, token.familyId);
  const refused = (reason: string) => new IdentityError("grant.invalid", { reason });
  if (!family) return refused("family is gone");
  if (family.revokedAt) return refused("family was revoked");
  if (token.generation < family.generation) {
    await endReusedFamily(deps, context, family.id, "refresh token");
    return refused("refresh token used twice");
  }
  if (family.applicationId !== application.id) return refused("another client's refresh token");
  if (!family.refreshExpiresAt || family.refreshExpiresAt <= deps.clock.now()) return refused("expired");
  return scopes.every((scope) => family.scopes.includes(scope))
    ? refused("rotated at this moment")
    : new IdentityError("scope.not_granted");
}
