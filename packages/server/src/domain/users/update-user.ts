import { IdentityError, type UpdateMe, type UpdateUser, type User } from "@ostiary/contracts";
import { checkVersion } from "../../kernel/check-version.ts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Transaction } from "../../platform/database/types.ts";
import {
  checkAdministratorRemains,
  checkMayControl,
  checkPermission,
  checkPermissionIn,
  dropRoles,
} from "../access/index.ts";
import { type NewEvent, recordEvent, recordEvents } from "../audit/index.ts";
import { dropFactors, dropPassword, dropSent } from "../credentials/index.ts";
import { type Deps, within } from "../deps.ts";
import { revokeSessionsOfUser } from "../sessions/index.ts";
import { selectAllCustomFields } from "./custom-field.store.ts";
import { checkCustomValues } from "./custom-values.ts";
import { eraseUser, lockUser, selectUser, type UserFields, updateUserRow } from "./user.store.ts";
import { applyChanges, CONTROLLING, changedFields, refuseTaken } from "./user-fields.ts";

/**
 * Changes a user: absent = unchanged, null = cleared. A change that changes nothing leaves the version.
 *
 * @throws IdentityError `permission.denied`, `permission.escalation` (identifiers and status need the user's rights),
 *   `user.not_found`, `user.*_taken`, `user.identifier_required`, `user.last_administrator`,
 *   `custom_field.invalid_value`, `precondition.failed`
 */
export async function updateUser(
  deps: Deps,
  context: RequestContext,
  id: string,
  change: UpdateUser,
  expectedVersion?: number,
): Promise<User> {
  await checkPermissionIn(deps, context, "user:write", { userId: id });
  return writeUser(deps, context, id, change, expectedVersion);
}

/** The user cannot sign in, and what he had open ends. @throws as `updateUser` */
export function suspendUser(deps: Deps, context: RequestContext, id: string): Promise<User> {
  return updateUser(deps, context, id, { status: "suspended" });
}

/** @throws as `updateUser` */
export function activateUser(deps: Deps, context: RequestContext, id: string): Promise<User> {
  return updateUser(deps, context, id, { status: "active" });
}

/**
 * A signed-in user changes his own profile.
 *
 * @throws IdentityError `authentication.required` when the caller is no user, `user.not_found`, `precondition.failed`
 */
export async function updateMe(
  deps: Deps,
  context: RequestContext,
  change: UpdateMe,
  expectedVersion?: number,
): Promise<User> {
  const { type, id } = context.actor;
  if (type !== "user" || id === null) throw new IdentityError("authentication.required");
  const { nickname, name, profile, preferences } = change;
  const allowed = { nickname, name, profile, preferences };
  return writeUser(deps, context, id, allowed as UpdateMe, expectedVersion);
}

/**
 * Deletes a user: his data is erased, his sessions end and his identifiers are free. The id stays known as deleted.
 *
 * @throws IdentityError `permission.denied`, `permission.escalation`, `user.not_found`, `user.last_administrator`,
 *   `precondition.failed`
 */
export async function deleteUser(
  deps: Deps,
  context: RequestContext,
  id: string,
  expectedVersion?: number,
): Promise<void> {
  checkPermission(context, "user:write");
  const now = deps.clock.now();
  await deps.database.transaction(async (tx) => {
    const user = await locked(tx, context, id, expectedVersion);
    await checkMayControl(within(deps, tx), context, id);
    await eraseUser(tx, context.tenantId, id, now);
    await checkAdministratorRemains(tx, context.tenantId, id);
    await dropRoles(tx, context.tenantId, id);
    await dropPassword(tx, context.tenantId, id);
    await dropFactors(tx, context.tenantId, id);
    await revokeSessionsOfUser(within(deps, tx), context, id, { reason: "user deleted" });
    const data = { username: user.username };
    await recordEvent(deps, tx, context, { type: "user.deleted", target: { type: "user", id }, data }, [
      `user:${id}`,
      `access-part:${context.tenantId}:user:${id}`,
    ]);
  });
}

/** The change itself; who may make it was asked before. @throws as `updateUser`, but `permission.denied` */
export async function writeUser(
  deps: Deps,
  context: RequestContext,
  id: string,
  change: UpdateUser,
  expectedVersion: number | undefined,
): Promise<User> {
  const { tenantId } = context;
  return deps.database.transaction(async (tx) => {
    const user = await locked(tx, context, id, expectedVersion);
    const next = applyChanges(user, change);
    if (change.custom) {
      checkCustomValues(await selectAllCustomFields(tx, tenantId), next.custom, change.custom, false);
    }
    const fields = changedFields(user, next);
    if (fields.length === 0) return user;
    if (fields.some((field) => CONTROLLING.has(field))) await checkMayControl(within(deps, tx), context, id);
    refuseTaken(await updateUserRow(tx, tenantId, id, next, deps.clock.now()));
    if (fields.includes("email") || fields.includes("phone")) await dropSent(tx, tenantId, id);
    if (fields.includes("status") && next.status !== "active") {
      await checkAdministratorRemains(tx, tenantId, id);
      await revokeSessionsOfUser(within(deps, tx), context, id, { reason: "user suspended" });
    }
    await recordEvents(deps, tx, context, eventsOf(id, fields, next), [
      `user:${id}`,
      ...(fields.includes("status") ? ([`access-part:${tenantId}:user:${id}`] as const) : []),
    ]);
    const updated = await selectUser(tx, tenantId, id);
    if (!updated) throw new IdentityError("user.not_found");
    return updated;
  });
}

async function locked(
  tx: Transaction,
  context: RequestContext,
  id: string,
  expectedVersion: number | undefined,
): Promise<User> {
  const user = await lockUser(tx, context.tenantId, id);
  if (!user) throw new IdentityError("user.not_found");
  checkVersion(user.version, expectedVersion);
  return user;
}

function eventsOf(id: string, fields: readonly (keyof UserFields)[], next: UserFields): NewEvent[] {
  const target = { type: "user", id };
  const others = fields.filter((field) => field !== "status");
  const events: NewEvent[] = [];
  if (others.length > 0) events.push({ type: "user.updated", target, data: { fields: others } });
  if (others.length < fields.length) {
    events.push({ type: next.status === "active" ? "user.activated" : "user.suspended", target });
  }
  return events;
}
