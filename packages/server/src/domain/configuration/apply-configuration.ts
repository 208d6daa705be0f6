import {
  type ConfigurationFile,
  type ConfigurationResult,
  type ConfigurationTenant,
  IdentityError,
  type Tenant,
} from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { checkNoEscalation, checkPermission } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import {
  createTenant,
  DEFAULT_TENANT,
  ensureDefaultTenant,
  findTenantBySlug,
  replaceSettings,
  updateTenant,
} from "../tenants/index.ts";
import { applyNamespaces, applyPolicies, applyResources, applyRoles } from "./apply-access.ts";
import { applyApiKeys } from "./apply-api-keys.ts";
import { applyApplications, applyApplicationUsers } from "./apply-applications.ts";
import { applyCustomFields } from "./apply-custom-fields.ts";
import { applyDelegations, applyGrants } from "./apply-grants.ts";
import { applyGroups, applyOrganizations } from "./apply-groups.ts";
import { applyUsers } from "./apply-users.ts";
import { applyWebhooks } from "./apply-webhooks.ts";
import { applyBillingRules } from "./billing-rules.ts";
import { lockConfiguration } from "./configuration.store.ts";
import { differences } from "./differences.ts";
import { applyMessageTemplates } from "./message-templates.ts";
import { checkFixed, forEachEntry, Report } from "./run.ts";

/**
 * Makes the tenants what the file says, all of it or nothing. Changes only what differs; what the file does not name
 * stays, but for `settings`, where an absent field means its default. Every change goes through the door of its module
 * with the caller's rights, so no rule is passed by.
 *
 * Needs `configuration:write` and what each change needs; for other tenants than the caller's, `tenants:manage` in the
 * tenant `default`.
 *
 * @throws IdentityError `permission.denied`, `permission.escalation`, `configuration.invalid`, `object.id_fixed`,
 *   `object.id_taken`, and what the changes throw; `fields` names the entry
 */
export async function applyConfiguration(
  deps: Deps,
  context: RequestContext,
  file: ConfigurationFile,
): Promise<ConfigurationResult> {
  checkPermission(context, "configuration:write");
  return deps.database.transaction(async (tx) => {
    await lockConfiguration(tx);
    const report = new Report();
    const joined = within(deps, tx);
    const home = await homeOf(joined, context);
    await forEachEntry(file.tenants, "/tenants", (entry) => applyTenant(joined, home, entry, report));
    if (report.changes.length > 0) {
      await recordEvent(deps, tx, home.context, {
        type: "configuration.applied",
        target: { type: "tenant", id: home.context.tenantId },
        data: { changes: report.changes.length },
      });
    }
    return report.result();
  });
}

/** Carries the plan out of the transaction that must not be kept. */
class Planned extends Error {
  readonly result: ConfigurationResult;
  constructor(result: ConfigurationResult) {
    super("planned");
    this.result = result;
  }
}

/**
 * What `applyConfiguration` would do now: it is done and rolled back, so plan and application cannot differ, and what
 * would be refused is refused already. Needs the same permissions. (Serials that were tried are not given again.)
 *
 * @throws as `applyConfiguration`
 */
export async function planConfiguration(
  deps: Deps,
  context: RequestContext,
  file: ConfigurationFile,
): Promise<ConfigurationResult> {
  try {
    return await deps.database.transaction(async (tx) => {
      const result = await applyConfiguration(within(deps, tx), context, file);
      throw new Planned({ ...result, generated: [] });
    });
  } catch (error) {
    if (error instanceof Planned) return error.result;
    throw error;
  }
}

/** Where the caller is at home. The tenant `default` may get another id while the file is applied. */
interface Home {
  context: RequestContext;
  isDefault: boolean;
}

async function homeOf(deps: Deps, context: RequestContext): Promise<Home> {
  const tenant = await findTenantBySlug(deps, DEFAULT_TENANT);
  return { context, isDefault: tenant?.id === context.tenantId };
}

async function applyTenant(
  deps: Deps,
  home: Home,
  entry: ConfigurationTenant,
  report: Report,
): Promise<void> {
  const tenant = await reachTenant(deps, home, entry, report);
  const context = { ...home.context, tenantId: tenant.id };
  const run = { deps, context, tenant: entry.slug, report };
  await applyCustomFields(run, entry.customFields, "/customFields");
  await applyApplications(run, entry.applications, "/applications"); // each brings its namespace
  await applyNamespaces(run, entry.namespaces, "/namespaces");
  await applyResources(run, entry.resources, "/resources");
  await applyRoles(run, entry.roles, "/roles");
  await applyPolicies(run, entry.policies, "/policies");
  await applyUsers(run, entry.users, "/users");
  await applyApplicationUsers(run, entry.applications, "/applications");
  await applyGroups(run, entry.groups, "/groups");
  await applyOrganizations(run, entry.organizations, "/organizations");
  await applyGrants(run, entry.grants, "/grants");
  await applyDelegations(run, entry.delegations, "/delegations");
  await applyApiKeys(run, entry.apiKeys, "/apiKeys");
  await applyWebhooks(run, entry.webhooks, "/webhooks");
  await applyBillingRules(run, entry.billingRules, "/billingRules");
  await applyMessageTemplates(run, entry.messageTemplates, "/messageTemplates");
}

/** The tenant itself: name, settings, id. */
async function reachTenant(
  deps: Deps,
  home: Home,
  entry: ConfigurationTenant,
  report: Report,
): Promise<Tenant> {
  const { slug, id, name = slug, settings } = entry;
  const found = await findTenantBySlug(deps, slug);
  checkReaches(home, found);
  if (!found) {
    const input = { slug, name, ...(settings ? { settings } : {}), ...(id ? { id } : {}) };
    const tenant = await createTenant(deps, home.context, input);
    const fields = ["id", "name", "settings"].filter((field) => Object.hasOwn(entry, field));
    report.created(slug, "tenant", slug, fields);
    return tenant;
  }
  const kept = await withWantedId(deps, home, found, id);
  const context = { ...home.context, tenantId: kept.id };
  const fields = kept.id === found.id ? [] : ["id"];
  if (entry.name !== undefined && entry.name !== kept.name) {
    await updateTenant(deps, context, kept.id, { name: entry.name });
    fields.push("name");
  }
  report.updated(slug, "tenant", slug, fields);
  if (!settings) return kept;
  const changed = await replaceSettings(deps, context, settings);
  const groups = Object.keys(changed.settings);
  report.updated(slug, "settings", slug, differences(kept.settings, changed.settings, groups));
  return changed;
}

/** One's own tenant, or any for who manages tenants. @throws IdentityError `permission.denied` */
function checkReaches(home: Home, tenant: Tenant | null): void {
  if (tenant?.id === home.context.tenantId) return;
  if (!home.isDefault) throw new IdentityError("permission.denied", { reason: "another tenant" });
  checkPermission(home.context, "tenants:manage");
}

/** A fresh installation has not handed out the id of its tenant, so the file may choose it. */
async function withWantedId(deps: Deps, home: Home, found: Tenant, id: string | undefined): Promise<Tenant> {
  if (found.slug !== DEFAULT_TENANT || id === undefined || id === found.id) {
    checkFixed(found, { id });
    return found;
  }
  checkNoEscalation(home.context, ["*"]);
  const tenant = await ensureDefaultTenant(deps, { id });
  if (home.context.tenantId === found.id) home.context = { ...home.context, tenantId: tenant.id };
  return tenant;
}
