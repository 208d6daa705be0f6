import {
  type CreateTenant,
  IdentityError,
  type Page,
  type PageRequest,
  type Tenant,
  type TenantSettings,
  type TenantSettingsPatch,
  type UpdateTenant,
} from "@ostiary/contracts";
import { checkVersion } from "../../kernel/check-version.ts";
import { type RequestContext, systemContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { checkPermission, createBuiltInRoles } from "../access/index.ts";
import { type NewEvent, recordEvent, recordEvents } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import { completeSettings, mergeSettings } from "./default-settings.ts";
import { findTenantById } from "./find-tenant.ts";
import {
  deleteTenantRow,
  insertTenant,
  isTenantUsed,
  lockTenant,
  selectTenantById,
  selectTenantBySlug,
  selectTenants,
  writeTenant,
} from "./tenant.store.ts";

/** The slug of the tenant that every installation has, and whose administrators may make others. */
export const DEFAULT_TENANT = "default";

/** `id` only from the configuration file. */
export interface NewTenant extends CreateTenant {
  id?: string | undefined;
}

/**
 * Makes a tenant with its built-in roles.
 *
 * @throws IdentityError `permission.denied`, `tenant.slug_taken`, `object.id_taken`, `request.invalid`
 */
export async function createTenant(deps: Deps, context: RequestContext, input: NewTenant): Promise<Tenant> {
  await checkManagesTenants(deps, context);
  const now = deps.clock.now();
  const tenant = {
    id: input.id ?? newId(now),
    slug: input.slug,
    name: input.name,
    settings: mergeSettings({}, input.settings ?? {}),
  };
  const settings = checkedSettings(tenant.settings);
  return deps.database.transaction(async (tx) => {
    const outcome = await insertTenant(tx, tenant, now);
    if (outcome === "slug taken") throw new IdentityError("tenant.slug_taken");
    if (outcome === "id taken") throw new IdentityError("object.id_taken");
    await createBuiltInRoles(tx, tenant.id, now);
    await recordEvent(deps, tx, context, created(tenant), [`tenant:${tenant.id}`]);
    const at = now.toISOString();
    return { ...tenant, settings, version: 1, createdAt: at, updatedAt: at };
  });
}

/**
 * The default tenant, made where there is none. Safe to call in several processes at once.
 *
 * @param id - wanted by a configuration file. A tenant that holds nothing yet gives up its own:
 *   nobody can have learned it.
 * @throws IdentityError `object.id_fixed` when the tenant is in use under another id, `object.id_taken`
 */
export async function ensureDefaultTenant(
  deps: Deps,
  options: { id?: string | undefined } = {},
): Promise<Tenant> {
  const existing = await selectTenantBySlug(deps.database, DEFAULT_TENANT);
  if (existing && (options.id === undefined || existing.id === options.id)) return existing;
  const now = deps.clock.now();
  const tenant = { id: options.id ?? newId(now), slug: DEFAULT_TENANT, name: "Default", settings: {} };
  return deps.database.transaction(async (tx) => {
    const before = existing && (await lockTenant(tx, existing.id))?.tenant;
    if (before) {
      if (await isTenantUsed(tx, before.id)) {
        throw new IdentityError("object.id_fixed", { reason: `the default tenant is ${before.id}` });
      }
      Object.assign(tenant, { name: before.name, settings: before.settings });
      await deleteTenantRow(tx, before.id);
      tx.notify([`tenant:${before.id}`]);
    }
    const outcome = await insertTenant(tx, tenant, now);
    if (outcome === "id taken") throw new IdentityError("object.id_taken");
    if (outcome === "inserted") {
      await createBuiltInRoles(tx, tenant.id, now);
      await recordEvent(deps, tx, systemContext(tenant.id), created(tenant), [`tenant:${tenant.id}`]);
    }
    // Another process may have been quicker; then the row is that one's.
    const made = await selectTenantBySlug(tx, DEFAULT_TENANT);
    if (!made) throw new Error("the default tenant vanished while it was made");
    return made;
  });
}

/** One's own tenant, or any for who manages tenants. @throws IdentityError `permission.denied`, `tenant.not_found` */
export async function getTenant(deps: Deps, context: RequestContext, id: string): Promise<Tenant> {
  await checkReaches(deps, context, id, "tenant:read");
  const tenant = await selectTenantById(deps.database, id);
  if (!tenant) throw new IdentityError("tenant.not_found");
  return tenant;
}

/** Newest first. @throws IdentityError `permission.denied` */
export async function listTenants(
  deps: Deps,
  context: RequestContext,
  query: PageRequest & { search?: string | undefined },
): Promise<Page<Tenant>> {
  await checkManagesTenants(deps, context);
  const limit = query.limit ?? 50;
  const rows = await selectTenants(deps.database, query.search, query.after, limit + 1);
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/**
 * @throws IdentityError `permission.denied`, `tenant.not_found`, `tenant.slug_taken`, `tenant.default_protected`,
 *   `precondition.failed`, `request.invalid`
 */
export async function updateTenant(
  deps: Deps,
  context: RequestContext,
  id: string,
  change: UpdateTenant,
  expectedVersion?: number,
): Promise<Tenant> {
  await checkReaches(deps, context, id, "tenant:write");
  if (change.settings) await checkReaches(deps, context, id, "settings:write");
  return write(deps, context, id, expectedVersion, ({ tenant, stored }) => ({
    slug: change.slug ?? tenant.slug,
    name: change.name ?? tenant.name,
    settings: mergeSettings(stored, change.settings ?? {}),
  }));
}

/** The settings of the caller's tenant. @throws IdentityError `permission.denied`, `tenant.not_found` */
export async function getSettings(
  deps: Deps,
  context: RequestContext,
): Promise<{ settings: TenantSettings; version: number }> {
  checkPermission(context, "settings:read");
  const tenant = await selectTenantById(deps.database, context.tenantId);
  if (!tenant) throw new IdentityError("tenant.not_found");
  return { settings: tenant.settings, version: tenant.version };
}

/**
 * Changes settings of the caller's tenant; what is absent stays.
 *
 * @throws IdentityError `permission.denied`, `precondition.failed`, `request.invalid`
 */
export function updateSettings(
  deps: Deps,
  context: RequestContext,
  patch: TenantSettingsPatch,
  expectedVersion?: number,
): Promise<Tenant> {
  checkPermission(context, "settings:write");
  return write(deps, context, context.tenantId, expectedVersion, ({ tenant, stored }) => ({
    ...tenant,
    settings: mergeSettings(stored, patch),
  }));
}

/** Sets settings of the caller's tenant and returns all others to their defaults. @throws as `updateSettings` */
export function replaceSettings(
  deps: Deps,
  context: RequestContext,
  settings: TenantSettingsPatch,
): Promise<Tenant> {
  checkPermission(context, "settings:write");
  return write(deps, context, context.tenantId, undefined, ({ tenant }) => ({
    ...tenant,
    settings: mergeSettings({}, settings),
  }));
}

/** Deletes a tenant with everything in it; the audit log stays. @throws also `tenant.default_protected` */
export async function deleteTenant(
  deps: Deps,
  context: RequestContext,
  id: string,
  expectedVersion?: number,
): Promise<void> {
  await checkManagesTenants(deps, context);
  await deps.database.transaction(async (tx) => {
    const { tenant } = await locked(tx, id, expectedVersion);
    if (tenant.slug === DEFAULT_TENANT) throw new IdentityError("tenant.default_protected");
    await deleteTenantRow(tx, id);
    const event: NewEvent = {
      type: "tenant.deleted",
      target: { type: "tenant", id },
      data: { slug: tenant.slug },
    };
    await recordEvent(deps, tx, context, event, [`tenant:${id}`, `access:${id}`]);
  });
}

interface Writable {
  slug: string;
  name: string;
  settings: TenantSettingsPatch;
}

async function write(
  deps: Deps,
  context: RequestContext,
  id: string,
  expectedVersion: number | undefined,
  change: (before: { tenant: Tenant; stored: TenantSettingsPatch }) => Writable,
): Promise<Tenant> {
  const now = deps.clock.now();
  return deps.database.transaction(async (tx) => {
    const before = await locked(tx, id, expectedVersion);
    const { slug, name, settings: stored } = change(before);
    const { tenant } = before;
    const next = { slug, name, settings: checkedSettings(stored) };
    const changed = (field: keyof Writable) => JSON.stringify(tenant[field]) !== JSON.stringify(next[field]);
    if (changed("slug") && tenant.slug === DEFAULT_TENANT)
      throw new IdentityError("tenant.default_protected");
    const fields = (["slug", "name"] as const).filter(changed);
    const groups = Object.keys(next.settings).filter(
      (group) =>
        JSON.stringify(Object(tenant.settings)[group]) !== JSON.stringify(Object(next.settings)[group]),
    );
    if (fields.length + groups.length === 0) return tenant;
    const row = { id, slug, name, settings: stored };
    if ((await writeTenant(tx, row, now)) === "slug taken") throw new IdentityError("tenant.slug_taken");
    const target = { type: "tenant", id };
    const events: NewEvent[] = [];
    if (fields.length > 0) events.push({ type: "tenant.updated", target, data: { fields } });
    if (groups.length > 0) events.push({ type: "settings.updated", target, data: { fields: groups } });
    await recordEvents(deps, tx, context, events, [`tenant:${id}`]);
    return { ...tenant, ...next, version: tenant.version + 1, updatedAt: now.toISOString() };
  });
}

async function locked(tx: Transaction, id: string, expectedVersion: number | undefined) {
  const found = await lockTenant(tx, id);
  if (!found) throw new IdentityError("tenant.not_found");
  checkVersion(found.tenant.version, expectedVersion);
  return found;
}

/** What one schema cannot say: settings that limit each other. @throws IdentityError `request.invalid` */
function checkedSettings(stored: TenantSettingsPatch): TenantSettings {
  const settings = completeSettings(stored);
  const { minLength, maxLength } = settings.passwordPolicy;
  if (minLength > maxLength) {
    throw new IdentityError("request.invalid", {
      fields: [{ path: "/settings/passwordPolicy/minLength", message: "must not be above maxLength" }],
    });
  }
  const { secondFactor, secondFactors, secondFactorRoles } = settings.signIn;
  const demandsOne =
    secondFactor === "new_device" || secondFactor === "always" || secondFactorRoles.length > 0;
  if (demandsOne && !secondFactors.some((factor) => factor === "totp" || factor === "passkey")) {
    const message = "must have `totp` or `passkey`, or nobody without a second factor could enrol one";
    throw new IdentityError("request.invalid", {
      fields: [{ path: "/settings/signIn/secondFactors", message }],
    });
  }
  return settings;
}

function created(tenant: { id: string; slug: string }): NewEvent {
  return {
    type: "tenant.created",
    target: { type: "tenant", id: tenant.id },
    data: { slug: tenant.slug },
  };
}

/** Only in the default tenant does `tenants:manage` mean anything. @throws IdentityError `permission.denied` */
async function checkManagesTenants(deps: Deps, context: RequestContext): Promise<void> {
  checkPermission(context, "tenants:manage");
  const own = await findTenantById(deps, context.tenantId);
  if (own?.slug !== DEFAULT_TENANT) {
    throw new IdentityError("permission.denied", { reason: "not of the default tenant" });
  }
}

/** Another tenant's id is answered as if it were nobody's. @throws IdentityError */
async function checkReaches(
  deps: Deps,
  context: RequestContext,
  id: string,
  permission: string,
): Promise<void> {
  if (id === context.tenantId) return checkPermission(context, permission);
  checkPermission(context, "tenants:manage");
  const own = await findTenantById(deps, context.tenantId);
  if (own?.slug !== DEFAULT_TENANT) throw new IdentityError("tenant.not_found");
}
