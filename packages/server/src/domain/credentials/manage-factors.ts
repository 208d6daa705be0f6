import { IdentityError, type UserFactors } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { checkMayControl, checkPermissionIn } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import { deleteAllFactors, deleteFactorRow, lockFactors, selectFactors } from "./factor.store.ts";
import { factorRemoved } from "./factor-changes.ts";
import { listAllFactors } from "./factors.ts";

/** @throws IdentityError `permission.denied` (needs `user:read`), `user.not_found` */
export async function listFactorsOfUser(
  deps: Deps,
  context: RequestContext,
  userId: string,
): Promise<UserFactors> {
  await checkPermissionIn(deps, context, "user:read", { userId });
  return listAllFactors(deps, context.tenantId, userId);
}

/**
 * An administrator removes a factor, such as one that was lost. Where a policy demands one the user sets up another at
 * the next sign-in.
 *
 * @throws IdentityError `permission.denied`, `permission.escalation`, `user.not_found`, `factor.not_found`
 */
export async function removeFactorOfUser(
  deps: Deps,
  context: RequestContext,
  userId: string,
  id: string,
): Promise<void> {
  await checkPermissionIn(deps, context, "user:write", { userId });
  const { tenantId } = context;
  await deps.database.transaction(async (tx) => {
    await lockControlled(deps, tx, context, userId);
    const gone = await deleteFactorRow(tx, tenantId, userId, id);
    if (!gone) throw new IdentityError("factor.not_found");
    await factorRemoved(deps, tx, context, { id: tenantId }, userId, { id, ...gone });
  });
}

/**
 * An administrator removes all of a user's factors but the password and the addresses: authenticator apps, passkeys,
 * recovery codes, remembered devices.
 *
 * @throws IdentityError `permission.denied`, `permission.escalation`, `user.not_found`
 */
export async function resetFactorsOfUser(deps: Deps, context: RequestContext, userId: string): Promise<void> {
  await checkPermissionIn(deps, context, "user:write", { userId });
  const { tenantId } = context;
  await deps.database.transaction(async (tx) => {
    await lockControlled(deps, tx, context, userId);
    for (const { id, kind, name } of await selectFactors(tx, tenantId, userId)) {
      await factorRemoved(deps, tx, context, { id: tenantId }, userId, { id, kind, name });
    }
    const removed = await deleteAllFactors(tx, tenantId, userId);
    const event = { type: "factors.reset", target: { type: "user", id: userId }, data: { removed } } as const;
    await recordEvent(deps, tx, context, event, [`user:${userId}`]);
  });
}

async function lockControlled(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  userId: string,
): Promise<void> {
  if (!(await lockFactors(tx, context.tenantId, userId))) throw new IdentityError("user.not_found");
  await checkMayControl(within(deps, tx), context, userId);
}
