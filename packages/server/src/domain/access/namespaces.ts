import {
  type CreateNamespace,
  IdentityError,
  type Namespace,
  type Page,
  type PageRequest,
  type UpdateNamespace,
} from "@ostiary/contracts";
import type { ChangeKey } from "../../kernel/changes.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { isId, newId } from "../../kernel/identifiers.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import { changeable } from "./changeable.ts";
import {
  deleteNamespaceRow,
  insertNamespace,
  lockNamespace,
  selectNamespace,
  selectNamespaces,
  writeNamespace,
} from "./namespace.store.ts";
import { checkPermission } from "./permissions.ts";
import { checkPermissionIn } from "./places.ts";
import { DEFAULT_NAMESPACE } from "./rights.ts";

/** The namespace of a new application: its code is the application's id. */
export async function createApplicationNamespace(
  tx: Transaction,
  tenantId: string,
  application: { id: string; name: string },
  now: Date,
): Promise<void> {
  const { id: applicationId, name } = application;
  const namespace = { id: newId(now), code: applicationId, name, description: "", applicationId };
  const made = await insertNamespace(tx, tenantId, namespace, now);
  if (!made) throw new IdentityError("object.id_taken", { reason: `namespace ${applicationId}` });
}

/** A code that looks like an id is kept for applications. @throws IdentityError `permission.denied`, `namespace.code_taken` */
export async function createNamespace(
  deps: Deps,
  context: RequestContext,
  input: CreateNamespace,
): Promise<Namespace> {
  checkPermission(context, "namespace:write");
  const now = deps.clock.now();
  const { code, name = code, description = "" } = input;
  if (isId(code)) throw new IdentityError("namespace.code_taken", { reason: "kept for applications" });
  return deps.database.transaction(async (tx) => {
    const values = { id: newId(now), code, name, description, applicationId: null };
    const namespace = await insertNamespace(tx, context.tenantId, values, now);
    if (!namespace) throw new IdentityError("namespace.code_taken");
    const target = { type: "namespace", id: namespace.id };
    await recordEvent(deps, tx, context, { type: "namespace.created", target, data: { code } });
    return namespace;
  });
}

/** @throws IdentityError `permission.denied`, `namespace.not_found` */
export async function getNamespace(deps: Deps, context: RequestContext, id: string): Promise<Namespace> {
  const namespace = await selectNamespace(deps.database, context.tenantId, id);
  await checkPermissionIn(deps, context, "namespace:read", { namespace: namespace?.code });
  if (!namespace) throw new IdentityError("namespace.not_found");
  return namespace;
}

/** Newest first. @throws IdentityError `permission.denied` */
export async function listNamespaces(
  deps: Deps,
  context: RequestContext,
  query: PageRequest & { search?: string | undefined },
): Promise<Page<Namespace>> {
  checkPermission(context, "namespace:read");
  const limit = query.limit ?? 50;
  const rows = await selectNamespaces(deps.database, context.tenantId, query.search, query.after, limit + 1);
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/**
 * @throws IdentityError `permission.denied`, `namespace.not_found`, `namespace.code_taken`, `namespace.protected`,
 *   `precondition.failed`
 */
export async function updateNamespace(
  deps: Deps,
  context: RequestContext,
  id: string,
  change: UpdateNamespace,
  expectedVersion?: number,
): Promise<Namespace> {
  const now = deps.clock.now();
  return deps.database.transaction(async (tx) => {
    const namespace = await lockedForNamespaceChange(deps, tx, context, id, expectedVersion);
    const next = { ...namespace, ...change };
    const fields = (["code", "name", "description"] as const).filter(
      (field) => namespace[field] !== next[field],
    );
    if (fields.length === 0) return namespace;
    if (fields.includes("code")) {
      if (isProtected(namespace)) throw new IdentityError("namespace.protected");
      if (isId(next.code))
        throw new IdentityError("namespace.code_taken", { reason: "kept for applications" });
    }
    if ((await writeNamespace(tx, context.tenantId, next, now)) === "taken") {
      throw new IdentityError("namespace.code_taken");
    }
    const target = { type: "namespace", id };
    await recordEvent(deps, tx, context, { type: "namespace.updated", target, data: { fields } }, [
      ...(fields.includes("code") ? everything(context.tenantId) : []),
    ]);
    return { ...next, version: namespace.version + 1, updatedAt: now.toISOString() };
  });
}

/**
 * Deletes a namespace with its resources, roles, policies and all grants of them.
 *
 * @throws IdentityError `permission.denied`, `namespace.not_found`, `namespace.protected`, `precondition.failed`
 */
export async function deleteNamespace(
  deps: Deps,
  context: RequestContext,
  id: string,
  expectedVersion?: number,
): Promise<void> {
  await deps.database.transaction(async (tx) => {
    const namespace = await lockedForNamespaceChange(deps, tx, context, id, expectedVersion);
    if (isProtected(namespace)) throw new IdentityError("namespace.protected");
    await deleteNamespaceRow(tx, context.tenantId, id);
    await recordEvent(
      deps,
      tx,
      context,
      { type: "namespace.deleted", target: { type: "namespace", id }, data: { code: namespace.code } },
      everything(context.tenantId),
    );
  });
}

/** So much of the access model changes that it is read anew. */
export function everything(tenantId: string): ChangeKey[] {
  return [`access:${tenantId}`, `access-part:${tenantId}:all:`];
}

function isProtected({ code, applicationId }: Namespace): boolean {
  return code === DEFAULT_NAMESPACE || applicationId !== null;
}

async function lockedForNamespaceChange(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  id: string,
  expectedVersion: number | undefined,
): Promise<Namespace> {
  const found = await lockNamespace(tx, context.tenantId, id);
  const place = { namespace: found?.code };
  const rule = {
    permission: "namespace:write",
    place,
    missing: "namespace.not_found" as const,
    expectedVersion,
  };
  return changeable(within(deps, tx), context, found, rule);
}
