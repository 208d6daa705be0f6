import type { ConfigurationRole, ConfigurationTenant, CreateCustomField } from "@ostiary/contracts";
import { createRole, listRoles, updateRole } from "../access/index.ts";
import { createCustomField, listCustomFields, updateCustomField } from "../users/index.ts";
import { differences, fieldsNamed } from "./differences.ts";
import { everyItem, forEachEntry, type TenantRun } from "./run.ts";

/** Roles by namespace and code. */
export async function applyRoles(
  run: TenantRun,
  entries: ConfigurationTenant["roles"],
  path: string,
): Promise<void> {
  if (!entries?.length) return;
  const present = new Map<string, Awaited<ReturnType<typeof createRole>>>();
  for await (const role of everyItem((page) => listRoles(run.deps, run.context, page))) {
    present.set(roleName(role), role);
  }
  await forEachEntry(entries, path, async (entry) => {
    const name = roleName(entry);
    const found = present.get(name);
    if (!found) {
      present.set(name, await createRole(run.deps, run.context, entry));
      return run.report.created(run.tenant, "role", name, Object.keys(entry));
    }
    const { namespace: _namespace, code: _code, ...wanted } = entry;
    const fields = differences(found, wanted);
    if (fields.length > 0) {
      present.set(name, await updateRole(run.deps, run.context, found.id, fieldsNamed(wanted, fields)));
    }
    run.report.updated(run.tenant, "role", name, fields);
  });
}

/** `editor` in the namespace `default`, `shop/editor` in the namespace `shop`: as users' `roles` name it. */
function roleName({ namespace = "default", code }: Pick<ConfigurationRole, "namespace" | "code">): string {
  return namespace === "default" ? code : `${namespace}/${code}`;
}

/** Custom fields by key. */
export async function applyCustomFields(
  run: TenantRun,
  entries: ConfigurationTenant["customFields"],
  path: string,
): Promise<void> {
  if (!entries?.length) return;
  const present = new Map<string, Awaited<ReturnType<typeof createCustomField>>>();
  for await (const field of everyItem((page) => listCustomFields(run.deps, run.context, page))) {
    present.set(field.key, field);
  }
  await forEachEntry<CreateCustomField>(entries, path, async (entry) => {
    const found = present.get(entry.key);
    if (!found) {
      present.set(entry.key, await createCustomField(run.deps, run.context, entry));
      return run.report.created(run.tenant, "customField", entry.key, Object.keys(entry));
    }
    const { key: _key, ...wanted } = entry;
    const fields = differences(found, wanted);
    if (fields.length > 0) {
      present.set(
        entry.key,
        await updateCustomField(run.deps, run.context, found.id, fieldsNamed(wanted, fields)),
      );
    }
    run.report.updated(run.tenant, "customField", entry.key, fields);
  });
}
