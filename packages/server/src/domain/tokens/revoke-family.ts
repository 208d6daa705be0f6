import type { RequestContext } from "../../kernel/context.ts";
import { recordEvent } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import { endFamily, insertRevokedFamily } from "./token-family.store.ts";

/** Ends an authorization: its code, its refresh token and all its access tokens, on every process. */
export async function revokeFamily(
  deps: Deps,
  context: RequestContext,
  familyId: string,
  reason: string,
): Promise<void> {
  await end(deps, context, familyId, { type: "token.revoked", reason });
}

/** As `revokeFamily`, for something that was used twice. */
export async function endReusedFamily(
  deps: Deps,
  context: RequestContext,
  familyId: string,
  what: "authorization code" | "refresh token",
): Promise<void> {
  await end(deps, context, familyId, {
    type: "token.reused",
    outcome: "refused",
    reason: `${what} used twice`,
  });
}

async function end(
  deps: Deps,
  context: RequestContext,
  familyId: string,
  event: { type: "token.revoked" | "token.reused"; outcome?: "refused"; reason: string },
): Promise<void> {
  await deps.database.transaction(async (tx) => {
    if (!(await endFamily(tx, context.tenantId, familyId, deps.clock.now()))) return;
    await recordEvent(deps, tx, context, { ...event, target: { type: "token-family", id: familyId } }, [
      `family:${familyId}`,
    ]);
  });
}

/** Revokes a client credentials token, whose family has no row until then. */
export async function revokeRowlessFamily(
  deps: Deps,
  context: RequestContext,
  family: { id: string; applicationId: string; expiresAt: Date },
): Promise<void> {
  await deps.database.transaction(async (tx) => {
    if (!(await insertRevokedFamily(tx, context.tenantId, { ...family, now: deps.clock.now() }))) return;
    const target = { type: "token-family", id: family.id };
    await recordEvent(deps, tx, context, { type: "token.revoked", target, reason: "by the client" }, [
      `family:${family.id}`,
    ]);
  });
}
