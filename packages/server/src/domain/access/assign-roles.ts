import { type EffectivePermissions, IdentityError } from "@ostiary/contracts";
import type { ChangeKey } from "../../kernel/changes.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { recordEvents } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import {
  deleteAllRights,
  deleteAssignments,
  hasActiveAdministrator,
  insertAssignments,
  lockAdministrators,
  lockUser,
  selectAssignedRoles,
  touchUser,
} from "./assignment.store.ts";
import { checkNotImpersonated, checkPermission } from "./permissions.ts";
import { checkGives } from "./places.ts";
import {
  DEFAULT_NAMESPACE,
  type Effective,
  loadEffectiveRights,
  loadRightsOf,
  type Right,
} from "./rights.ts";
import { selectRolesByName } from "./role.store.ts";
import { ADMINISTRATOR } from "./roles.ts";

/**
 * Gives roles to a user, in addition to what he has.
 *
 * @param roles - codes; `namespace/code` outside of the namespace `default`.
 * @returns the names of all the user's roles.
 * @throws IdentityError `permission.denied`, `permission.escalation`, `user.not_found`, `role.not_found`
 */
export function assignRoles(
  deps: Deps,
  context: RequestContext,
  userId: string,
  roles: readonly string[],
): Promise<string[]> {
  return changeRoles(deps, context, userId, { give: roles, take: [] });
}

/** Takes roles from a user; roles that he has not are passed by. @throws also `user.last_administrator` */
export function unassignRoles(
  deps: Deps,
  context: RequestContext,
  userId: string,
  roles: readonly string[],
): Promise<string[]> {
  return changeRoles(deps, context, userId, { give: [], take: roles });
}

/** Makes these the user's only roles. @throws also `user.last_administrator` */
export function setRoles(
  deps: Deps,
  context: RequestContext,
  userId: string,
  roles: readonly string[],
): Promise<string[]> {
  return changeRoles(deps, context, userId, { give: roles, take: "others" });
}

async function changeRoles(
  deps: Deps,
  context: RequestContext,
  userId: string,
  change: { give: readonly string[]; take: readonly string[] | "others" },
): Promise<string[]> {
  checkPermission(context, "user:write");
  const { tenantId } = context;
  const now = deps.clock.now();
  return deps.database.transaction(async (tx) => {
    if (!(await lockUser(tx, tenantId, userId))) throw new IdentityError("user.not_found");
    const before = await selectAssignedRoles(tx, tenantId, userId);
    const give = await rolesNamed(tx, tenantId, change.give);
    const take =
      change.take === "others"
        ? before.filter((role) => !give.some(({ id }) => id === role.id))
        : await rolesNamed(tx, tenantId, change.take);
    const given = give.filter(({ id }) => !before.some((role) => role.id === id));
    const taken = take.filter(({ id }) => before.some((role) => role.id === id));
    if (given.length + taken.length === 0) return before.map(({ name }) => name);
    await checkMayGiveRoles(within(deps, tx), context, [...given, ...taken]);
    const gone = await deleteAssignments(
      tx,
      tenantId,
      userId,
      taken.map(({ id }) => id),
    );
    const grants = given.map((role) => ({ id: newId(now), roleId: role.id }));
    await insertAssignments(tx, tenantId, userId, grants, now);
    await touchUser(tx, tenantId, userId, now);
    if (taken.some(({ name }) => name === ADMINISTRATOR)) await checkAdministratorRemains(tx, tenantId);
    const event = (type: "role.assigned" | "role.unassigned", names: { name: string }[]) =>
      names.length === 0
        ? []
        : [{ type, target: { type: "user", id: userId }, data: { roles: names.map(({ name }) => name) } }];
    await recordEvents(
      deps,
      tx,
      context,
      [...event("role.assigned", given), ...event("role.unassigned", taken)],
      [`user:${userId}`, ...grantParts(tenantId, [...gone, ...grants.map(({ id }) => id)])],
    );
    return (await selectAssignedRoles(tx, tenantId, userId)).map(({ name }) => name);
  });
}

function grantParts(tenantId: string, ids: readonly string[]): ChangeKey[] {
  return ids.map((id): ChangeKey => `access-part:${tenantId}:grant:${id}`);
}

/**
 * The roles of these names, which the caller may give: to be given later, by `giveRoles`.
 *
 * @throws IdentityError `role.not_found`, `permission.escalation`
 */
export async function findRolesToGive(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  names: readonly string[],
): Promise<string[]> {
  const roles = await rolesNamed(tx, context.tenantId, names);
  await checkMayGiveRoles(within(deps, tx), context, roles);
  return roles.map(({ id }) => id);
}

/**
 * Gives a user roles that somebody was allowed to give when he promised them (`findRolesToGive`). Asks no permission.
 * Those that the user has, and those that are no more, are passed by.
 *
 * @returns the names of those that were given.
 */
export async function giveRoles(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  userId: string,
  roleIds: readonly string[],
): Promise<string[]> {
  if (roleIds.length === 0) return [];
  const { tenantId } = context;
  const now = deps.clock.now();
  if (!(await lockUser(tx, tenantId, userId))) throw new IdentityError("user.not_found");
  const grants = roleIds.map((roleId) => ({ id: newId(now), roleId }));
  const names = await insertAssignments(tx, tenantId, userId, grants, now);
  if (names.length === 0) return [];
  await touchUser(tx, tenantId, userId, now);
  const given = {
    type: "role.assigned" as const,
    target: { type: "user", id: userId },
    data: { roles: names },
  };
  await recordEvents(
    deps,
    tx,
    context,
    [given],
    [
      `user:${userId}`,
      ...grantParts(
        tenantId,
        grants.map(({ id }) => id),
      ),
    ],
  );
  return names;
}

/** All that the roles give, by their parents and policies too. @throws IdentityError `permission.escalation` */
async function checkMayGiveRoles(
  deps: Deps,
  context: RequestContext,
  roles: readonly { id: string }[],
): Promise<void> {
  for (const { id } of roles) {
    await checkGives(
      deps,
      context,
      await loadRightsOf(deps.database, context.tenantId, { type: "role", id }),
    );
  }
}

/** @throws IdentityError `role.not_found` when one of the names is nobody's. */
async function rolesNamed(tx: Transaction, tenantId: string, names: readonly string[]) {
  if (names.length === 0) return [];
  const found = await selectRolesByName(tx, tenantId, names);
  const missing = names.find((name) => !found.some((role) => role.name === name.replace(/^default\//, "")));
  if (missing !== undefined) throw new IdentityError("role.not_found", { reason: `no role ${missing}` });
  return found;
}

/** Takes everything from a user who is being deleted; the rules have been asked already. */
export async function dropRoles(tx: Transaction, tenantId: string, userId: string): Promise<void> {
  await deleteAllRights(tx, tenantId, userId);
}

/**
 * To be called after the change, in its transaction, when it may have taken an administrator away. Those who do so
 * at the same time wait here for each other, and then see what the other has done.
 *
 * @param userId - the one user whom the change concerns: nothing is asked when he is no administrator.
 * @throws IdentityError `user.last_administrator`
 */
export async function checkAdministratorRemains(
  tx: Transaction,
  tenantId: string,
  userId?: string,
): Promise<void> {
  if (userId !== undefined) {
    const rights = await loadRightsOf(tx, tenantId, { type: "user", id: userId });
    if (!rights.some(isEverything)) return;
  }
  await lockAdministrators(tx, tenantId);
  if (!(await hasActiveAdministrator(tx, tenantId, ADMINISTRATOR))) {
    throw new IdentityError("user.last_administrator");
  }
}

/** As `checkAdministratorRemains`, after something was taken that gave these rights. */
export async function checkAdministratorRemainsWithout(
  tx: Transaction,
  tenantId: string,
  taken: readonly Right[],
): Promise<void> {
  if (taken.some(isEverything)) await checkAdministratorRemains(tx, tenantId);
}

const isEverything = ({ namespace, resource, action }: Right) =>
  namespace === DEFAULT_NAMESPACE && resource === "*" && action === "*";

export function hasAdministrator(deps: Deps, tenantId: string): Promise<boolean> {
  return hasActiveAdministrator(deps.database, tenantId, ADMINISTRATOR);
}

/** The rights of a user as the database has them now, not as a cache does: for decisions inside a transaction. */
export function loadRights(deps: Deps, tenantId: string, userId: string): Promise<Effective> {
  return loadEffectiveRights(deps, tenantId, { type: "user", id: userId });
}

/**
 * Whether the actor may act on another user's credentials, status or identifiers: he needs all the rights that he
 * could get hold of by it. Acting on oneself gives nothing new.
 *
 * @throws IdentityError `permission.escalation`, `impersonation.not_allowed`
 */
export async function checkMayControl(deps: Deps, context: RequestContext, userId: string): Promise<void> {
  checkNotImpersonated(context);
  if (context.actor.type === "user" && context.actor.id === userId) return;
  const subject = { type: "user", id: userId } as const;
  await checkGives(deps, context, await loadRightsOf(deps.database, context.tenantId, subject));
}

/** What a user may do, and by which roles. @throws IdentityError `permission.denied` */
export async function effectivePermissions(
  deps: Deps,
  context: RequestContext,
  userId: string,
): Promise<EffectivePermissions> {
  if (!(context.actor.type === "user" && context.actor.id === userId)) checkPermission(context, "user:read");
  return loadRights(deps, context.tenantId, userId);
}
