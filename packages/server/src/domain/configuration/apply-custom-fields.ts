import type { ConfigurationTenant, CreateCustomField } from "@ostiary/contracts";
import { createCustomField, listCustomFields, updateCustomField } from "../users/index.ts";
import { differences, fieldsNamed } from "./differences.ts";
import { everyItem, forEachEntry, type TenantRun } from "./run.ts";

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
