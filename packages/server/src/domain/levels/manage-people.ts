import { type CreateUser, IdentityError, type Tenant, type UpdateUser } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { ADMINISTRATOR, assignRoles, checkPermission, unassignRoles } from "../access/index.ts";
import { type Deps, within } from "../deps.ts";
import { setGroupsOfUser } from "../groups/index.ts";
import { createUser, deleteUser, updateUser } from "../users/index.ts";
import { checkLevel } from "./levels.ts";
import { checkNotAbove, findPerson, levelOfActor, type Person, type PersonKey } from "./people.ts";
import { ensureFlagRole, setDirectPermissions } from "./permission-numbers.ts";

/** What may be given to a user beside his fields; absent = unchanged. */
export interface Standing {
  isSuperuser?: boolean | undefined;
  isStaff?: boolean | undefined;
  /** Serials. */
  groups?: readonly number[] | undefined;
  permissions?: readonly number[] | undefined;
}

/**
 * A new user with his standing, who may not stand above the one who makes him: all or nothing.
 *
 * @throws IdentityError `permission.denied`, `permission.escalation`, `level.too_high`, `group.not_found`,
 *   `permission.not_found`, and what `createUser` throws
 */
export async function addPerson(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  input: CreateUser & Standing,
): Promise<Person> {
  const { isSuperuser, isStaff, groups, permissions, ...fields } = input;
  return deps.database.transaction(async (tx) => {
    const joined = within(deps, tx);
    const user = await createUser(joined, context, fields);
    await give(joined, context, tenant, user.id, { isSuperuser, isStaff, groups, permissions });
    return finish(joined, context, tenant, user.id);
  });
}

/**
 * Changes a user and his standing: all or nothing. Neither before nor after may he stand above the caller; what he
 * stands on himself nobody changes upwards.
 *
 * @throws IdentityError `user.not_found`, and what `addPerson` throws
 */
export async function updatePerson(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  key: PersonKey,
  change: UpdateUser & Standing,
): Promise<Person> {
  checkPermission(context, "user:write");
  const { isSuperuser, isStaff, groups, permissions, ...fields } = change;
  return deps.database.transaction(async (tx) => {
    const joined = within(deps, tx);
    const person = await findPerson(joined, tenant, key);
    if (!person) throw new IdentityError("user.not_found");
    await checkNotAbove(joined, context, tenant, person);
    const own = await levelOfActor(joined, context, tenant); // before he may have changed it himself
    await updateUser(joined, context, person.id, fields);
    await give(joined, context, tenant, person.id, { isSuperuser, isStaff, groups, permissions }, person);
    return finish(joined, context, tenant, person.id, own);
  });
}

/**
 * @throws IdentityError `user.not_found`, `user.own_account`, `level.too_high`, and what `deleteUser` throws
 */
export async function deletePerson(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  key: PersonKey,
): Promise<Person> {
  checkPermission(context, "user:write");
  return deps.database.transaction(async (tx) => {
    const joined = within(deps, tx);
    const person = await findPerson(joined, tenant, key);
    if (!person) throw new IdentityError("user.not_found");
    if (person.id === context.actor.id) throw new IdentityError("user.own_account");
    await checkNotAbove(joined, context, tenant, person);
    await deleteUser(joined, context, person.id);
    return person;
  });
}

async function give(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  userId: string,
  { isSuperuser, isStaff, groups, permissions }: Standing,
  before = { isSuperuser: false, isStaff: false },
): Promise<void> {
  const { staffRole } = tenant.settings.zibanu;
  if (isSuperuser !== undefined && isSuperuser !== before.isSuperuser) {
    await setRole(deps, context, userId, ADMINISTRATOR, isSuperuser);
  }
  if (isStaff !== undefined && isStaff !== before.isStaff) {
    if (isStaff) await ensureFlagRole(deps, context, staffRole);
    await setRole(deps, context, userId, staffRole, isStaff);
  }
  if (groups) await setGroupsOfUser(deps, context, userId, groups);
  if (permissions) await setDirectPermissions(deps, context, userId, permissions);
}

async function setRole(
  deps: Deps,
  context: RequestContext,
  userId: string,
  role: string,
  has: boolean,
): Promise<void> {
  await (has ? assignRoles : unassignRoles)(deps, context, userId, [role]);
}

async function finish(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  userId: string,
  own?: number,
): Promise<Person> {
  const person = await findPerson(deps, tenant, { id: userId });
  if (!person) throw new IdentityError("user.not_found");
  checkLevel(own ?? (await levelOfActor(deps, context, tenant)), person.level);
  return person;
}
