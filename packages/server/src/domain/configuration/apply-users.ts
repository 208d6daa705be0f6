import {
  type ConfigurationTenant,
  type ConfigurationUser,
  IdentityError,
  type PasswordInput,
  type UpdateUser,
  type User,
} from "@ostiary/contracts";
import { equalBytes } from "../../kernel/constant-time.ts";
import { isId } from "../../kernel/identifiers.ts";
import { ADMINISTRATOR, checkMayControl, checkPermission, setRoles } from "../access/index.ts";
import { importedMark, setPassword } from "../credentials/index.ts";
import { createUser, findUser, findUserByIdentifier, updateUser } from "../users/index.ts";
import { type StoredPassword, selectPasswords } from "./configuration.store.ts";
import { differences, fieldsNamed, sameMembers } from "./differences.ts";
import { checkFixed, forEachEntry, type TenantRun, wrongField } from "./run.ts";

/** Merged key by key, like in a change over the API. */
const GROUPS = ["profile", "profile.address", "custom", "preferences"];

export async function applyUsers(
  run: TenantRun,
  entries: ConfigurationTenant["users"],
  path: string,
): Promise<void> {
  const apply = (entry: ConfigurationUser) => applyUser(run, entry);
  // New administrators first: the last one cannot be removed, and the file may replace him by another.
  const first = (entries ?? []).map((entry) => (makesAdministrator(entry) ? entry : undefined));
  await forEachEntry(first, path, async (entry) => {
    if (entry) await apply(entry);
  });
  await forEachEntry(entries, path, async (entry) => {
    if (!makesAdministrator(entry)) await apply(entry);
  });
}

function makesAdministrator({ administrator, roles }: ConfigurationUser): boolean {
  return administrator ?? roles?.includes(ADMINISTRATOR) ?? false;
}

async function applyUser(run: TenantRun, entry: ConfigurationUser): Promise<void> {
  const { deps, context } = run;
  const { id, serial, password, mustChangePassword, roles, administrator, registerSource, ...values } = entry;
  const found = await findEntry(run, entry);
  if (!found) {
    const user = await createUser(deps, context, {
      ...values,
      id,
      serial,
      registerSource: registerSource ?? "configuration",
      roles: wantedRoles(entry, []),
      ...(password === undefined ? {} : { password }),
      ...(mustChangePassword === undefined ? {} : { mustChangePassword }),
    });
    const named = Object.keys(entry).filter((name) => name !== "mustChangePassword");
    return run.report.created(run.tenant, "user", nameOf(user), named);
  }
  checkFixed(found, { id, serial });
  const fields = await applyValues(run, found, values);
  if (await applyPassword(run, found, entry)) fields.push("password");
  const wanted = wantedRoles(entry, found.roles);
  if (!sameMembers(wanted, found.roles)) {
    await setRoles(deps, context, found.id, wanted);
    fields.push("roles");
  }
  run.report.updated(run.tenant, "user", nameOf(found), fields);
}

/** @returns what has really changed: texts are trimmed and numbers normalised on the way. */
async function applyValues(run: TenantRun, found: User, values: UpdateUser): Promise<string[]> {
  const named = differences(found, values, GROUPS);
  if (named.length === 0) return [];
  // An address that changes without this is no longer a verified one.
  const patch = fieldsNamed(values, [...named, "emailVerified", "phoneVerified"]);
  const after = await updateUser(run.deps, run.context, found.id, patch);
  return differences(found, fieldsNamed(after, Object.keys(patch)), GROUPS);
}

/** By id, else by the first identifier that the entry has. Another person's second identifier is no match. */
async function findEntry(run: TenantRun, entry: ConfigurationUser): Promise<User | null> {
  const byId = entry.id === undefined ? null : await findUser(run.deps, run.context.tenantId, entry.id);
  if (byId) return byId;
  for (const name of ["username", "email", "phone"] as const) {
    const wanted = entry[name];
    if (wanted == null) continue;
    const user = await findUserByIdentifier(run.deps, run.context.tenantId, wanted);
    return user?.[name]?.toLowerCase() === wanted.toLowerCase() ? user : null;
  }
  if (entry.id !== undefined) return null;
  throw wrongField("", "needs an id, username, email or phone, by which the user is found");
}

/** @returns whether it was another one. A second application of the file finds it right. */
async function applyPassword(run: TenantRun, user: User, entry: ConfigurationUser): Promise<boolean> {
  const { password, mustChangePassword: mustChange = false } = entry;
  if (!password) return false;
  checkPermission(run.context, "user:write");
  await checkMayControl(run.deps, run.context, user.id); // before the comparison: its answer tells something
  const [stored] = await selectPasswords(run.deps.database, run.context.tenantId, [user.id]);
  if (stored && (await isPassword(run, stored, password))) return false;
  await setPassword(run.deps, run.context, user.id, password, { mustChange });
  return true;
}

async function isPassword(
  { deps }: TenantRun,
  stored: StoredPassword,
  given: PasswordInput,
): Promise<boolean> {
  if ("plain" in given) return (await deps.hasher.verify(stored.hash, given.plain)).ok;
  if (stored.hash === given.hash) return true;
  return stored.imported !== null && equalBytes(stored.imported, importedMark(deps, given.hash));
}

/** `roles` are all roles but that of administrators, of which `administrator` alone decides when it is given. */
function wantedRoles({ roles, administrator }: ConfigurationUser, present: readonly string[]): string[] {
  const named = (roles ?? present).map((name) => name.replace(/^default\//, ""));
  const isAdministrator = administrator ?? (named.includes(ADMINISTRATOR) || present.includes(ADMINISTRATOR));
  const others = named.filter((name) => name !== ADMINISTRATOR);
  return isAdministrator ? [...others, ADMINISTRATOR] : others;
}

/** How reports and references name a user. */
function nameOf(user: Pick<User, "id" | "username" | "email" | "phone">): string {
  return user.username ?? user.email ?? user.phone ?? user.id;
}

/** @throws IdentityError `user.not_found` naming the field. */
export async function resolveUser(run: TenantRun, reference: string, path: string): Promise<string> {
  const { tenantId } = run.context;
  const byId = isId(reference) ? await findUser(run.deps, tenantId, reference) : null;
  const user = byId ?? (await findUserByIdentifier(run.deps, tenantId, reference));
  if (user) return user.id;
  throw new IdentityError("user.not_found", { fields: [{ path, message: `there is no user ${reference}` }] });
}
