import type { ConfigurationTenant, CreateNamespace } from "@ostiary/contracts";
import { createNamespace, listNamespaces, updateNamespace } from "../access/index.ts";
import { differences, fieldsNamed } from "./differences.ts";
import { everyItem, forEachEntry, type TenantRun } from "./run.ts";

/** Namespaces by code. */
export async function applyNamespaces(
  run: TenantRun,
  entries: ConfigurationTenant["namespaces"],
  path: string,
): Promise<void> {
  if (!entries?.length) return;
  const present = new Map<string, Awaited<ReturnType<typeof createNamespace>>>();
  for await (const namespace of everyItem((page) => listNamespaces(run.deps, run.context, page))) {
    present.set(namespace.code, namespace);
  }
  await forEachEntry<CreateNamespace>(entries, path, async (entry) => {
    const { code, ...wanted } = entry;
    const found = present.get(code);
    if (!found) {
      present.set(code, await createNamespace(run.deps, run.context, entry));
      return run.report.created(run.tenant, "namespace", code, Object.keys(entry));
    }
    const fields = differences(found, wanted);
    if (fields.length > 0) {
      const changed = await updateNamespace(run.deps, run.context, found.id, fieldsNamed(wanted, fields));
      present.set(code, changed);
    }
    run.report.updated(run.tenant, "namespace", code, fields);
  });
}
