import {
  type CreateResource,
  IdentityError,
  type Page,
  type PageRequest,
  type Resource,
  type UpdateResource,
} from "@ostiary/contracts";
import type { ChangeKey } from "../../kernel/changes.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import { changeable } from "./changeable.ts";
import { holdNamespace } from "./namespace.store.ts";
import { checkPermissionIn } from "./places.ts";
import {
  deleteResourceRow,
  insertResource,
  lockResource,
  type ResourceFilter,
  selectResource,
  selectResources,
  writeResource,
} from "./resource.store.ts";
import { DEFAULT_NAMESPACE } from "./rights.ts";

/** @throws IdentityError `permission.denied`, `namespace.not_found`, `resource.code_taken` */
export async function createResource(
  deps: Deps,
  context: RequestContext,
  input: CreateResource,
): Promise<Resource> {
  const { namespace = DEFAULT_NAMESPACE, code } = input;
  await checkPermissionIn(deps, context, "resource:write", { namespace });
  const now = deps.clock.now();
  const resource = { id: newId(now), namespace, code, ...normalized(input) };
  return deps.database.transaction(async (tx) => {
    if (!(await holdNamespace(tx, context.tenantId, namespace)))
      throw new IdentityError("namespace.not_found");
    if (!(await insertResource(tx, context.tenantId, resource, now)))
      throw new IdentityError("resource.code_taken");
    const target = { type: "resource", id: resource.id };
    await recordEvent(deps, tx, context, { type: "resource.created", target, data: { namespace, code } }, [
      partOf(context, resource.id),
    ]);
    return { ...resource, version: 1, createdAt: now.toISOString(), updatedAt: now.toISOString() };
  });
}

/** @throws IdentityError `permission.denied`, `resource.not_found` */
export async function getResource(deps: Deps, context: RequestContext, id: string): Promise<Resource> {
  const resource = await selectResource(deps.database, context.tenantId, id);
  await checkPermissionIn(deps, context, "resource:read", { namespace: resource?.namespace });
  if (!resource) throw new IdentityError("resource.not_found");
  return resource;
}

/** Newest first. @throws IdentityError `permission.denied` */
export async function listResources(
  deps: Deps,
  context: RequestContext,
  query: PageRequest & ResourceFilter,
): Promise<Page<Resource>> {
  await checkPermissionIn(deps, context, "resource:read", { namespace: query.namespace });
  const limit = query.limit ?? 50;
  const rows = await selectResources(deps.database, context.tenantId, query, query.after, limit + 1);
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/** @throws IdentityError `permission.denied`, `resource.not_found`, `resource.code_taken`, `precondition.failed` */
export async function updateResource(
  deps: Deps,
  context: RequestContext,
  id: string,
  change: UpdateResource,
  expectedVersion?: number,
): Promise<Resource> {
  const now = deps.clock.now();
  return deps.database.transaction(async (tx) => {
    const resource = await lockedForResourceChange(deps, tx, context, id, expectedVersion);
    const next = {
      ...resource,
      ...normalized({ ...resource, ...change }),
      code: change.code ?? resource.code,
    };
    const fields = (["code", "type", "name", "names", "description", "actions"] as const).filter(
      (field) => JSON.stringify(resource[field]) !== JSON.stringify(next[field]),
    );
    if (fields.length === 0) return resource;
    if ((await writeResource(tx, context.tenantId, next, now)) === "taken") {
      throw new IdentityError("resource.code_taken");
    }
    const target = { type: "resource", id };
    await recordEvent(deps, tx, context, { type: "resource.updated", target, data: { fields } }, [
      partOf(context, id),
    ]);
    return { ...next, version: resource.version + 1, updatedAt: now.toISOString() };
  });
}

/** @throws IdentityError as `updateResource` */
export async function deleteResource(
  deps: Deps,
  context: RequestContext,
  id: string,
  expectedVersion?: number,
): Promise<void> {
  await deps.database.transaction(async (tx) => {
    const resource = await lockedForResourceChange(deps, tx, context, id, expectedVersion);
    await deleteResourceRow(tx, context.tenantId, id);
    const { namespace, code } = resource;
    const target = { type: "resource", id };
    await recordEvent(deps, tx, context, { type: "resource.deleted", target, data: { namespace, code } }, [
      partOf(context, id),
    ]);
  });
}

function partOf({ tenantId }: RequestContext, id: string): ChangeKey {
  return `access-part:${tenantId}:resource:${id}`;
}

async function lockedForResourceChange(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  id: string,
  expectedVersion: number | undefined,
): Promise<Resource> {
  const found = await lockResource(tx, context.tenantId, id);
  const place = { namespace: found?.namespace };
  const rule = {
    permission: "resource:write",
    place,
    missing: "resource.not_found" as const,
    expectedVersion,
  };
  return changeable(within(deps, tx), context, found, rule);
}

type Values = Pick<Resource, "type" | "name" | "names" | "description" | "actions">;

/** Absent fields filled in; actions may be given by name alone, and of one that is named twice the last counts. */
function normalized(input: CreateResource): Values {
  const { code, type, name = code, names = {}, description = "", actions = [] } = input;
  return {
    type,
    name,
    names,
    description,
    actions: [...new Map(actions.map(toAction).map((action) => [action.name, action])).values()],
  };
}

function toAction(action: NonNullable<CreateResource["actions"]>[number]): Resource["actions"][number] {
  return typeof action === "string"
    ? { name: action, description: "" }
    : { name: action.name, description: action.description ?? "" };
}
