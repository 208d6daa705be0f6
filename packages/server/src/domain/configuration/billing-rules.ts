import type { BillingRule, ConfigurationBillingRule, ConfigurationTenant } from "@ostiary/contracts";
import { listApplications } from "../applications/index.ts";
import { createBillingRule, listBillingRules, toDecimal, updateBillingRule } from "../usage/index.ts";
import { differences, fieldsNamed } from "./differences.ts";
import { by, type Reader } from "./export-lists.ts";
import { everyItem, forEachEntry, type TenantRun, wrongField } from "./run.ts";

/** Billing rules by application, method and path. */
export async function applyBillingRules(
  run: TenantRun,
  entries: ConfigurationTenant["billingRules"],
  path: string,
): Promise<void> {
  if (!entries?.length) return;
  const applications = new Map<string, string>();
  for await (const { id, slug } of everyItem((page) => listApplications(run.deps, run.context, page))) {
    applications.set(slug, id);
  }
  const present = new Map<string, BillingRule>();
  for await (const rule of everyItem((page) => listBillingRules(run.deps, run.context, page))) {
    present.set(keyOf(rule.applicationId, rule), rule);
  }
  await forEachEntry<ConfigurationBillingRule>(entries, path, async (entry) => {
    const { application, method: _method, path: _path, ...values } = entry;
    const applicationId = application === undefined ? null : applications.get(application);
    if (applicationId === undefined) throw wrongField("/application", "there is no such application");
    const name = [application, entry.method, entry.path].filter(Boolean).join(" ");
    const key = keyOf(applicationId, entry);
    const found = present.get(key);
    if (!found) {
      const { application: _application, ...input } = entry;
      present.set(key, await createBillingRule(run.deps, run.context, { ...input, applicationId }));
      return run.report.created(run.tenant, "billingRule", name, Object.keys(entry));
    }
    const { price } = values;
    const wanted = { ...values, ...(price === undefined ? {} : { price: toDecimal(price) ?? price }) };
    const fields = differences(found, wanted);
    if (fields.length > 0) {
      const change = fieldsNamed(wanted, fields);
      present.set(key, await updateBillingRule(run.deps, run.context, found.id, change));
    }
    run.report.updated(run.tenant, "billingRule", name, fields);
  });
}

function keyOf(
  applicationId: string | null,
  { method, path }: { method?: string | null | undefined; path: string },
): string {
  return JSON.stringify([applicationId, method ?? null, path]);
}

/** Rules that answers made, too: they are charged by like others. */
export async function exportBillingRules(
  { deps, context }: Reader,
  applications: ReadonlyMap<string, string>,
): Promise<ConfigurationBillingRule[]> {
  const entries: ConfigurationBillingRule[] = [];
  for await (const rule of everyItem((page) => listBillingRules(deps, context, page))) {
    const { applicationId, method, path, name, kind, price, status } = rule;
    const application = applicationId === null ? undefined : applications.get(applicationId);
    entries.push({
      ...(application === undefined ? {} : { application }),
      ...(method === null ? {} : { method }),
      path,
      name,
      kind,
      price,
      status,
    });
  }
  return entries.sort(by((one) => JSON.stringify([one.application ?? "", one.path, one.method ?? ""])));
}
