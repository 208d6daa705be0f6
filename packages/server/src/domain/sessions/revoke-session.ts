import { IdentityError } from "@ostiary/contracts";
import type { ChangeKey } from "../../kernel/changes.ts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { checkMayControl, checkNoEscalation, checkPermission, findPrincipal } from "../access/index.ts";
import { findApplication } from "../applications/index.ts";
import { recordEvents } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import { announceLogouts } from "./announce-logouts.ts";
import {
  loadSession,
  type RevokedSession,
  revokeFamiliesOfApplication,
  revokeFamiliesOfSessions,
  revokeOfflineFamilies,
  revokeSessionRow,
  revokeSessionRows,
  revokeSessionRowsOfApplication,
} from "./session.store.ts";

/**
 * Ends a session, those derived from it, and every token that was bound to them. Asks no permission: it is for rules that know why
 * (`domain/sign-in`, a changed password). A person or an administrator comes by `endSession`.
 *
 * @param reason - for the audit log.
 * @returns false when it is not there any more: another tab, or a double click, was quicker.
 */
export async function revokeSession(
  deps: Deps,
  context: RequestContext,
  id: string,
  reason: string,
): Promise<boolean> {
  return deps.database.transaction(async (tx) => {
    const revoked = await revokeSessionRow(tx, context.tenantId, id, deps.clock.now());
    if (revoked.length === 0) return false;
    const families = await revokeFamiliesOfSessions(tx, context.tenantId, idsOf(revoked), deps.clock.now());
    await recordRevocation(deps, tx, context, revoked, families, reason);
    return true;
  });
}

/**
 * Ends a user's sessions, with every token that was bound to them, and what he has granted for longer than a session:
 * "everywhere" and a changed password leave no application with access but those of the session that stays. Asks no permission: it is for rules that know
 * why. A person or an administrator comes by `endSessionsOfUser`.
 *
 * @param options - `exceptSessionId`: one that stays; `reason`: for the audit log.
 * @returns how many were ended.
 */
export async function revokeSessionsOfUser(
  deps: Deps,
  context: RequestContext,
  userId: string,
  options: { exceptSessionId?: string | undefined; reason: string },
): Promise<number> {
  return deps.database.transaction(async (tx) => {
    const now = deps.clock.now();
    const revoked = await revokeSessionRows(tx, context.tenantId, userId, options.exceptSessionId, now);
    const families = [
      ...(await revokeFamiliesOfSessions(tx, context.tenantId, idsOf(revoked), now)),
      ...(await revokeOfflineFamilies(tx, context.tenantId, userId, now)),
    ];
    await recordRevocation(deps, tx, context, revoked, families, options.reason);
    return revoked.length;
  });
}

async function recordRevocation(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  revoked: readonly RevokedSession[],
  families: readonly string[],
  reason: string,
): Promise<void> {
  await announceLogouts(deps, tx, context.tenantId, revoked);
  const changes: ChangeKey[] = [
    ...revoked.map(({ id }): ChangeKey => `session:${id}`),
    ...families.map((id): ChangeKey => `family:${id}`),
  ];
  const events = revoked.map(({ id, userId }) => ({
    type: "session.revoked" as const,
    target: { type: "session", id },
    data: { userId, reason },
  }));
  await recordEvents(deps, tx, context, events, changes);
}

function idsOf(sessions: readonly RevokedSession[]): string[] {
  return sessions.map(({ id }) => id);
}

/**
 * Ends one session. One's own always; somebody else's with `session:write` and all rights of its user.
 *
 * @throws IdentityError `session.not_found`, `permission.denied`, `permission.escalation`
 */
export async function endSession(deps: Deps, context: RequestContext, id: string): Promise<void> {
  await deps.database.transaction(async (tx) => {
    const session = await loadSession(tx, context.tenantId, id);
    const own = session !== null && isSelf(context, session.userId);
    if (!own) checkPermission(context, "session:write");
    if (!session) throw new IdentityError("session.not_found");
    if (!own) await checkMayControl(within(deps, tx), context, session.userId);
    if (!(await revokeSession(within(deps, tx), context, id, "revoked"))) {
      throw new IdentityError("session.not_found");
    }
  });
}

/**
 * Ends all sessions of a user, or all but one. One's own always; somebody else's with `session:write` and all his
 * rights.
 *
 * @returns how many were ended.
 * @throws IdentityError `user.not_found`, `permission.denied`, `permission.escalation`
 */
export async function endSessionsOfUser(
  deps: Deps,
  context: RequestContext,
  userId: string,
  options: { exceptSessionId?: string | undefined } = {},
): Promise<number> {
  const own = isSelf(context, userId);
  if (!own) checkPermission(context, "session:write");
  return deps.database.transaction(async (tx) => {
    if (!own) {
      if (!(await findPrincipal(within(deps, tx), context.tenantId, userId))) {
        throw new IdentityError("user.not_found");
      }
      await checkMayControl(within(deps, tx), context, userId);
    }
    return revokeSessionsOfUser(within(deps, tx), context, userId, { ...options, reason: "revoked" });
  });
}

/** Rows of one statement. */
const BATCH = 1_000;

/**
 * Ends every session that began through an application, and every token that it holds for anybody: nobody is signed in
 * there any more. Needs `session:write` and, as administrators may be among its users, `*`.
 *
 * @returns how many sessions were ended.
 * @throws IdentityError `application.not_found`, `permission.denied`, `permission.escalation`
 */
export async function endSessionsOfApplication(
  deps: Deps,
  context: RequestContext,
  applicationId: string,
): Promise<number> {
  checkPermission(context, "session:write");
  checkNoEscalation(context, ["*"]);
  const { tenantId } = context;
  if (!(await findApplication(deps, tenantId, applicationId)))
    throw new IdentityError("application.not_found");
  return deps.database.transaction(async (tx) => {
    const now = deps.clock.now();
    let count = 0;
    for (let size = BATCH; size > 0; count += size) {
      const revoked = await revokeSessionRowsOfApplication(tx, tenantId, applicationId, now, BATCH);
      const families = await revokeFamiliesOfSessions(tx, tenantId, idsOf(revoked), now);
      await recordRevocation(deps, tx, context, revoked, families, "all of the application");
      size = revoked.length;
    }
    for (let size = BATCH; size === BATCH; ) {
      const families = await revokeFamiliesOfApplication(tx, tenantId, applicationId, now, BATCH);
      tx.notify(families.map((id): ChangeKey => `family:${id}`));
      size = families.length;
    }
    const target = { type: "application", id: applicationId };
    const event = { type: "application.sessions_revoked" as const, target, data: { count } };
    await recordEvents(deps, tx, context, [event]);
    return count;
  });
}

/** Whether the actor is this user. */
export function isSelf(context: RequestContext, userId: string): boolean {
  return context.actor.type === "user" && context.actor.id === userId;
}
