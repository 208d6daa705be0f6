import { type Grant, IdentityError } from "@ostiary/contracts";
import type { ChangeKey } from "../../kernel/changes.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { checkMayControl, checkNotImpersonated, checkPermission, findPrincipal } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import { addScopes, deleteGrant, findAllowed, findGrants, revokeFamiliesOfGrant } from "./grant.store.ts";

/** The scopes that a user has allowed an application and when he last did, or null when he was never asked. */
export function findGrant(
  deps: Deps,
  tenantId: string,
  userId: string,
  applicationId: string,
): Promise<{ scopes: string[]; updatedAt: Date } | null> {
  return findAllowed(deps.database, tenantId, userId, applicationId);
}

/**
 * Remembers that a user allowed scopes, beside those of before. Asks no permission: it is for the rule that has just
 * shown him the question.
 *
 * @returns all scopes allowed now.
 */
export async function rememberGrant(
  deps: Deps,
  context: RequestContext,
  userId: string,
  applicationId: string,
  scopes: readonly string[],
): Promise<{ scopes: string[] }> {
  checkNotImpersonated(context);
  return deps.database.transaction(async (tx) => {
    const now = deps.clock.now();
    const all = await addScopes(tx, context.tenantId, userId, applicationId, scopes, now);
    await recordEvent(deps, tx, context, {
      type: "user.consented",
      target: { type: "user", id: userId },
      data: { applicationId, scopes: [...scopes] },
    });
    return { scopes: all };
  });
}

/**
 * Takes back what a user has allowed an application, and ends every token the application has for him. One's own, or
 * with `session:write` and all his rights.
 *
 * @throws IdentityError `grant.not_found`, `permission.denied`, `permission.escalation`
 */
export async function revokeGrant(
  deps: Deps,
  context: RequestContext,
  userId: string,
  applicationId: string,
): Promise<void> {
  const own = isSelf(context, userId);
  if (!own) checkPermission(context, "session:write");
  const { tenantId } = context;
  await deps.database.transaction(async (tx) => {
    if (!own) await checkMayControl(within(deps, tx), context, userId);
    const families = await revokeFamiliesOfGrant(tx, tenantId, userId, applicationId, deps.clock.now());
    const existed = await deleteGrant(tx, tenantId, userId, applicationId);
    // An application with implicit consent has tokens without a grant; they can be taken back all the same.
    if (!existed && families.length === 0) throw new IdentityError("grant.not_found");
    const target = { type: "user", id: userId };
    const changes = families.map((id): ChangeKey => `family:${id}`);
    await recordEvent(deps, tx, context, { type: "grant.revoked", target, data: { applicationId } }, changes);
  });
}

/** What a user has allowed. One's own, or with `session:read`. @throws IdentityError `user.not_found` */
export async function listGrants(deps: Deps, context: RequestContext, userId: string): Promise<Grant[]> {
  if (!isSelf(context, userId)) {
    checkPermission(context, "session:read");
    if (!(await findPrincipal(deps, context.tenantId, userId))) throw new IdentityError("user.not_found");
  }
  return findGrants(deps.database, context.tenantId, userId);
}

function isSelf(context: RequestContext, userId: string): boolean {
  return context.actor.type === "user" && context.actor.id === userId;
}
