import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { ADMINISTRATOR, checkPermission } from "../access/index.ts";
import type { Deps } from "../deps.ts";
import { normalizedIdentifier } from "../identifier.ts";
import { checkLevel, levelOf } from "./levels.ts";
import { type PersonRow, type RoleCodes, selectActivePeople, selectPerson } from "./person.store.ts";

/** A user with rank and groups, as the database has him now. */
export interface Person extends PersonRow {
  level: number;
}

/** How one user is meant. */
export type PersonKey = { id: string } | { serial: number } | { email: string };

/** People of one answer. Nobody scrolls through more, and the list has no pages. */
const LIST_LIMIT = 10_000;

function rolesOf(tenant: Tenant): RoleCodes {
  return { superuser: ADMINISTRATOR, staff: tenant.settings.zibanu.staffRole };
}

export async function findPerson(deps: Deps, tenant: Tenant, key: PersonKey): Promise<Person | null> {
  if ("serial" in key && !Number.isSafeInteger(key.serial)) return null;
  if ("email" in key && normalizedIdentifier(key.email) === null) return null;
  const row = await selectPerson(deps.database, tenant.id, rolesOf(tenant), key);
  return row ? ranked(tenant, row) : null;
}

/** @throws IdentityError `permission.denied`, `user.not_found`, `level.too_high` */
export async function getPerson(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  key: PersonKey,
): Promise<Person> {
  checkPermission(context, "user:read");
  const person = await findPerson(deps, tenant, key);
  if (!person) throw new IdentityError("user.not_found");
  await checkNotAbove(deps, context, tenant, person);
  return person;
}

/** Everybody active who is not above the caller, by given name. @throws IdentityError `permission.denied` */
export async function listPeople(deps: Deps, context: RequestContext, tenant: Tenant): Promise<Person[]> {
  checkPermission(context, "user:read");
  const own = await levelOfActor(deps, context, tenant);
  const rows = await selectActivePeople(deps.database, tenant.id, rolesOf(tenant), LIST_LIMIT);
  return rows.map((row) => ranked(tenant, row)).filter(({ level }) => level >= own);
}

/** Of the user who calls; whoever is no user (an API key) is bound by permissions alone. */
export async function levelOfActor(deps: Deps, context: RequestContext, tenant: Tenant): Promise<number> {
  const { type, id } = context.actor;
  if (type !== "user" || id === null) return 0;
  return (await findPerson(deps, tenant, { id }))?.level ?? Number.POSITIVE_INFINITY;
}

/** @throws IdentityError `level.too_high` for somebody above the caller, unless that is the caller himself */
export async function checkNotAbove(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  person: Person,
): Promise<void> {
  if (context.actor.id === person.id || tenant.settings.zibanu.dangerIgnoreLevels) return;
  checkLevel(await levelOfActor(deps, context, tenant), person.level);
}

function ranked(tenant: Tenant, row: PersonRow): Person {
  const groupLevels = row.groups.map(({ level }) => level);
  return { ...row, level: levelOf({ ...row, groupLevels }, tenant.settings.zibanu) };
}

/** Whether the sign-ins of a person at one door are limited to one at a time. */
export function isSingleSession(person: Pick<Person, "isSuperuser" | "preferences">): boolean {
  return !person.isSuperuser && person.preferences.multipleLogin !== true;
}
