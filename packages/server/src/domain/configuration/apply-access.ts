import { type ConfigurationRole, type ConfigurationTenant, IdentityError } from "@ostiary/contracts";
import {
  createNamespace,
  createPolicy,
  createResource,
  createRole,
  listNamespaces,
  listPolicies,
  listResources,
  listRoles,
  updateNamespace,
  updatePolicy,
  updateResource,
  updateRole,
} from "../access/index.ts";
import { differences, fieldsNamed } from "./differences.ts";
import { everyItem, forEachEntry, type TenantRun, wrongField } from "./run.ts";

type Lister<Item> = (
  deps: TenantRun["deps"],
  context: TenantRun["context"],
  page: { limit: number; after?: string },
) => ReturnType<Parameters<typeof everyItem<Item>>[0]>;

/** Everything of a kind that the tenant has, by its name. */
export async function present<Item>(
  run: TenantRun,
  list: Lister<Item>,
  nameOf: (item: Item) => string,
): Promise<Map<string, Item>> {
  const found = new Map<string, Item>();
  for await (const item of everyItem((page) => list(run.deps, run.context, page)))
    found.set(nameOf(item), item);
  return found;
}

/** `editor` in the namespace `default`, `shop/editor` in the namespace `shop`: as users' `roles` name it. */
export function nameIn({ namespace = "default", code }: { namespace?: string; code: string }): string {
  return namespace === "default" ? code : `${namespace}/${code}`;
}

/** Namespaces by code. */
export async function applyNamespaces(
  run: TenantRun,
  entries: ConfigurationTenant["namespaces"],
  path: string,
): Promise<void> {
  if (!entries?.length) return;
  const known = await present(run, listNamespaces, ({ code }) => code);
  await forEachEntry(entries, path, async (entry) => {
    const { code, ...wanted } = entry;
    const found = known.get(code);
    if (!found) {
      known.set(code, await createNamespace(run.deps, run.context, entry));
      return run.report.created(run.tenant, "namespace", code, Object.keys(entry));
    }
    const fields = differences(found, wanted);
    if (fields.length > 0) {
      known.set(code, await updateNamespace(run.deps, run.context, found.id, fieldsNamed(wanted, fields)));
    }
    run.report.updated(run.tenant, "namespace", code, fields);
  });
}

/** Resources by namespace and code. */
export async function applyResources(
  run: TenantRun,
  entries: ConfigurationTenant["resources"],
  path: string,
): Promise<void> {
  if (!entries?.length) return;
  const known = await present(run, listResources, nameIn);
  await forEachEntry(entries, path, async (entry) => {
    const name = nameIn(entry);
    const found = known.get(name);
    if (!found) {
      known.set(name, await createResource(run.deps, run.context, entry));
      return run.report.created(run.tenant, "resource", name, Object.keys(entry));
    }
    const { namespace: _namespace, code: _code, actions, ...values } = entry;
    const wanted = { ...values, ...(actions ? { actions: actions.map(toAction) } : {}) };
    const fields = differences(found, wanted);
    if (fields.length > 0) {
      known.set(name, await updateResource(run.deps, run.context, found.id, fieldsNamed(wanted, fields)));
    }
    run.report.updated(run.tenant, "resource", name, fields);
  });
}

function toAction(action: string | { name: string; description?: string }) {
  return typeof action === "string" ? { name: action, description: "" } : { description: "", ...action };
}

/** Roles by namespace and code; parents when all roles are there. */
export async function applyRoles(
  run: TenantRun,
  entries: ConfigurationTenant["roles"],
  path: string,
): Promise<void> {
  if (!entries?.length) return;
  const known = await present(run, listRoles, nameIn);
  await forEachEntry<ConfigurationRole>(entries, path, async (entry) => {
    const name = nameIn(entry);
    const { namespace: _namespace, code: _code, parent: _parent, ...wanted } = entry;
    const found = known.get(name);
    if (!found) {
      const { parent: _later, ...values } = entry;
      known.set(name, await createRole(run.deps, run.context, values));
      return run.report.created(run.tenant, "role", name, Object.keys(entry));
    }
    const fields = differences(found, wanted);
    if (fields.length > 0) {
      known.set(name, await updateRole(run.deps, run.context, found.id, fieldsNamed(wanted, fields)));
    }
    run.report.updated(run.tenant, "role", name, fields);
  });
  await forEachEntry<ConfigurationRole>(entries, path, async ({ parent, ...entry }) => {
    const role = known.get(nameIn(entry));
    if (parent === undefined || !role) return;
    const wanted = parent === null ? null : known.get(parent.replace(/^default\//, ""));
    if (wanted === undefined) throw wrongField("/parent", `there is no role ${parent}`);
    const parentId = wanted?.id ?? null;
    if (role.parentId === parentId) return;
    known.set(nameIn(entry), await updateRole(run.deps, run.context, role.id, { parentId }));
    run.report.amended(run.tenant, "role", nameIn(entry), "parent");
  });
}

/** Policies by namespace and code. */
export async function applyPolicies(
  run: TenantRun,
  entries: ConfigurationTenant["policies"],
  path: string,
): Promise<void> {
  if (!entries?.length) return;
  const known = await present(run, listPolicies, nameIn);
  await forEachEntry(entries, path, async (entry) => {
    const name = nameIn(entry);
    const found = known.get(name);
    if (!found) {
      known.set(name, await createPolicy(run.deps, run.context, entry));
      return run.report.created(run.tenant, "policy", name, Object.keys(entry));
    }
    const { namespace: _namespace, code: _code, statements, ...values } = entry;
    const wanted = {
      ...values,
      statements: statements.map((statement) => ({ conditions: [], ...statement })),
    };
    const fields = differences(found, wanted);
    if (fields.length > 0 && !found.system) {
      known.set(name, await updatePolicy(run.deps, run.context, found.id, fieldsNamed(wanted, fields)));
    } else if (fields.length > 0) throw new IdentityError("policy.system_protected");
    run.report.updated(run.tenant, "policy", name, fields);
  });
}
