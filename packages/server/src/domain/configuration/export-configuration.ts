import {
  type ApiKey,
  type Application,
  CONFIGURATION_VERSION,
  type ConfigurationApiKey,
  type ConfigurationApplication,
  type ConfigurationFile,
  type ConfigurationTenant,
  type ConfigurationUser,
  type CreateCustomField,
  IdentityError,
  type Tenant,
  type TenantSettings,
  type TenantSettingsPatch,
  type User,
} from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { isId } from "../../kernel/identifiers.ts";
import { isObject } from "../../kernel/is-object.ts";
import { ADMINISTRATOR, checkNoEscalation, checkPermission, holds } from "../access/index.ts";
import { listApiKeys } from "../api-keys/index.ts";
import { listApplications, listAssigned } from "../applications/index.ts";
import { type Deps, within } from "../deps.ts";
import {
  DEFAULT_SETTINGS,
  DEFAULT_TENANT,
  findTenantById,
  findTenantBySlug,
  listTenants,
} from "../tenants/index.ts";
import { listCustomFields, listUsers } from "../users/index.ts";
import { exportBillingRules } from "./billing-rules.ts";
import { beginSnapshot, selectApiKeyHashes, selectPasswords, selectSecrets } from "./configuration.store.ts";
import { canonical } from "./differences.ts";
import {
  exportAccess,
  exportNamespaces,
  exportPolicies,
  exportResources,
  exportRoles,
} from "./export-access.ts";
import { by, filled, type Reader } from "./export-lists.ts";
import { exportWebhooks } from "./export-webhooks.ts";
import { writeKeyedHash } from "./keyed-hash.ts";
import { exportMessageTemplates } from "./message-templates.ts";
import { everyItem } from "./run.ts";

export interface ExportOptions {
  /** Slug of the one tenant. Default: all that the caller may see. */
  tenant?: string | undefined;
  /** Hashes of passwords, secrets and keys too; needs the permission `*`. */
  credentials: boolean;
}

/**
 * Everything that a file can say about the tenants, as of one moment and always in the same order. Applied to the same
 * installation it changes nothing. Sessions, tokens, signing keys, deleted users and the audit log are no part of it.
 *
 * Needs `configuration:read`, the permission to read each part, and for other tenants `tenants:manage` in `default`.
 *
 * @throws IdentityError `permission.denied`, `permission.escalation` (credentials), `tenant.not_found`
 */
export async function exportConfiguration(
  deps: Deps,
  context: RequestContext,
  { tenant: slug, credentials }: ExportOptions,
): Promise<ConfigurationFile> {
  checkPermission(context, "configuration:read");
  if (credentials) checkNoEscalation(context, ["*"]);
  return deps.database.transaction(async (tx) => {
    await beginSnapshot(tx);
    const joined = within(deps, tx);
    const tenants: ConfigurationTenant[] = [];
    for (const tenant of await visibleTenants(joined, context, slug)) {
      const reader = { deps: joined, context: { ...context, tenantId: tenant.id }, credentials };
      tenants.push(await exportTenant(reader, tenant));
    }
    return { version: CONFIGURATION_VERSION, tenants };
  });
}

/** `default` first, then by slug. */
async function visibleTenants(
  deps: Deps,
  context: RequestContext,
  slug: string | undefined,
): Promise<Tenant[]> {
  const own = await findTenantById(deps, context.tenantId);
  const seesAll = own?.slug === DEFAULT_TENANT && holds(context.permissions, "tenants:manage");
  if (slug !== undefined) {
    const one = await findTenantBySlug(deps, slug);
    if (!one || (one.id !== own?.id && !seesAll)) throw new IdentityError("tenant.not_found");
    return [one];
  }
  if (!seesAll) return own ? [own] : [];
  const all: Tenant[] = [];
  for await (const tenant of everyItem((page) => listTenants(deps, context, page))) all.push(tenant);
  const order = (tenant: Tenant) => (tenant.slug === DEFAULT_TENANT ? "" : tenant.slug);
  return all.sort(by(order));
}

async function exportTenant(reader: Reader, tenant: Tenant): Promise<ConfigurationTenant> {
  const users = await exportUsers(reader);
  const applications = await exportApplications(reader, users.names);
  const keys = await exportApiKeys(reader, users.names, applications.keys);
  return {
    slug: tenant.slug,
    id: tenant.id,
    name: tenant.name,
    settings: settingsOf(tenant.settings),
    ...filled("customFields", await exportCustomFields(reader)),
    ...filled("namespaces", await exportNamespaces(reader)),
    ...filled("resources", await exportResources(reader)),
    ...filled("roles", await exportRoles(reader)),
    ...filled("policies", await exportPolicies(reader)),
    ...filled("users", users.entries),
    ...filled("applications", applications.entries),
    ...(await exportAccess(reader, users.names, applications.keys)),
    ...filled("apiKeys", keys),
    ...filled("webhooks", await exportWebhooks(reader, applications.keys)),
    ...filled("billingRules", await exportBillingRules(reader, applications.keys)),
    ...filled("messageTemplates", await exportMessageTemplates(reader)),
  };
}

/** What differs from the defaults: an absent setting means its default. */
function settingsOf(settings: TenantSettings): TenantSettingsPatch {
  return different(settings, DEFAULT_SETTINGS) as TenantSettingsPatch;
}

function different(value: object, fallback: object): object {
  const defaults = new Map<string, unknown>(Object.entries(fallback));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, item]) => canonical(item) !== canonical(defaults.get(name)))
      .map(([name, item]) => {
        const group = defaults.get(name);
        // A list is one value: half of it means something else.
        return [name, isObject(item) && isObject(group) ? different(item, group) : item];
      }),
  );
}

async function exportCustomFields({ deps, context }: Reader): Promise<CreateCustomField[]> {
  const entries: CreateCustomField[] = [];
  for await (const field of everyItem((page) => listCustomFields(deps, context, page))) {
    const { key, type, label, options, required } = field;
    entries.push({ key, type, label, options, required });
  }
  return entries.sort(by(({ key }) => key));
}

async function exportUsers(reader: Reader) {
  const { deps, context } = reader;
  const users: User[] = [];
  for await (const user of everyItem((page) => listUsers(deps, context, page))) users.push(user);
  users.reverse(); // oldest first
  const ids = reader.credentials ? users.filter((user) => user.hasPassword).map(({ id }) => id) : [];
  const passwords = new Map(
    (await selectPasswords(deps.database, context.tenantId, ids)).map((row) => [row.userId, row]),
  );
  return {
    entries: users.map((user) => userEntry(user, passwords.get(user.id))),
    names: new Map(users.map((user) => [user.id, referenceTo(user)])),
  };
}

/** A username that can be nobody else's id, address or number; else the id. */
function referenceTo({ id, username }: User): string {
  return username !== null && /^[A-Za-z_][\w.-]*$/.test(username) && !isId(username) ? username : id;
}

function userEntry(
  user: User,
  password: { hash: string; mustChange: boolean } | undefined,
): ConfigurationUser {
  const { id, serial, registerSource, emailVerified, phoneVerified, profile, custom, preferences } = user;
  const texts = Object.fromEntries(
    (["username", "email", "phone", "externalId", "nickname", "name"] as const)
      .filter((name) => user[name] !== null)
      .map((name) => [name, user[name]]),
  );
  return {
    id,
    serial,
    ...texts,
    ...(user.email === null ? {} : { emailVerified }),
    ...(user.phone === null ? {} : { phoneVerified }),
    status: user.status === "suspended" ? "suspended" : "active",
    registerSource,
    ...(password ? { password: { hash: password.hash } } : {}),
    ...(password?.mustChange ? { mustChangePassword: true } : {}),
    roles: user.roles.filter((name) => name !== ADMINISTRATOR),
    administrator: user.roles.includes(ADMINISTRATOR),
    ...(Object.keys(profile).length === 0 ? {} : { profile }),
    ...(Object.keys(custom).length === 0 ? {} : { custom }),
    ...(Object.keys(preferences).length === 0 ? {} : { preferences }),
  };
}

async function exportApplications(reader: Reader, users: ReadonlyMap<string, string>) {
  const { deps, context } = reader;
  const all: Application[] = [];
  for await (const item of everyItem((page) => listApplications(deps, context, page))) all.push(item);
  all.sort(by(({ slug }) => slug));
  const entries: ConfigurationApplication[] = [];
  for (const application of all) {
    const {
      id,
      serial,
      slug,
      version: _version,
      createdAt: _createdAt,
      updatedAt: _updatedAt,
      ...values
    } = application;
    entries.push({
      key: slug,
      id,
      serial,
      ...values,
      ...filled("secrets", reader.credentials ? await secretsOf(reader, id) : []),
      ...(application.access === "assigned" ? { users: await assignedTo(reader, id, users) } : {}),
    });
  }
  return { entries, keys: new Map(all.map(({ id, slug }) => [id, slug])) };
}

async function secretsOf({ deps, context }: Reader, applicationId: string) {
  const rows = await selectSecrets(deps.database, context.tenantId, applicationId, deps.clock.now());
  return rows.map(({ hash, hint, expiresAt }) => ({
    hash: writeKeyedHash(deps, hash),
    hint,
    ...(expiresAt ? { expiresAt: expiresAt.toISOString() } : {}),
  }));
}

async function assignedTo(
  { deps, context }: Reader,
  applicationId: string,
  users: ReadonlyMap<string, string>,
): Promise<string[]> {
  const names: string[] = [];
  const assigned = everyItem((page) => listAssigned(deps, context, applicationId, page));
  for await (const { userId } of assigned) {
    const name = users.get(userId); // a deleted user's assignment is nobody's
    if (name !== undefined) names.push(name);
  }
  return names.sort();
}

async function exportApiKeys(
  { deps, context, credentials }: Reader,
  users: ReadonlyMap<string, string>,
  applications: ReadonlyMap<string, string>,
): Promise<ConfigurationApiKey[]> {
  const all: ApiKey[] = [];
  for await (const key of everyItem((page) => listApiKeys(deps, context, page))) all.push(key);
  const ids = credentials ? all.map(({ id }) => id) : [];
  const rows = await selectApiKeyHashes(deps.database, context.tenantId, ids);
  const hashes = new Map(rows.map(({ id, hash }) => [id, writeKeyedHash(deps, hash)]));
  const entries: ConfigurationApiKey[] = [];
  for (const { id, type, userId, applicationId, name, description, hint, ...rest } of all) {
    const user = userId === null ? undefined : users.get(userId);
    if (userId !== null && user === undefined) continue; // a deleted user's
    const application = applicationId === null ? undefined : applications.get(applicationId);
    const hash = hashes.get(id);
    entries.push({
      name,
      type,
      ...(user === undefined ? {} : { user }),
      ...(application === undefined ? {} : { application }),
      description,
      permissions: rest.permissions,
      status: rest.status,
      expiresAt: rest.expiresAt,
      ...(hash === undefined ? {} : { hash, hint }),
    });
  }
  const owner = ({ user = "", application = "" }: ConfigurationApiKey) => user || application;
  return entries.sort(by((one) => `${one.type}/${owner(one)}/${one.name}/${one.hash ?? ""}`));
}
