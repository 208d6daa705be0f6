import {
  type CreateOrganization,
  IdentityError,
  type Organization,
  type Page,
  type PageRequest,
  type UpdateOrganization,
} from "@ostiary/contracts";
import { checkVersion } from "../../kernel/check-version.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { checkPermission, checkPermissionIn, everything } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import {
  deleteOrganizationRow,
  insertOrganization,
  lockOrganization,
  selectOrganization,
  selectOrganizations,
  writeOrganization,
} from "./organization.store.ts";
import { insertUnit } from "./unit.store.ts";
import { checkMayEmpty } from "./unit-rights.ts";

/** `id` and `serial` only from the configuration file. */
export interface NewOrganization extends CreateOrganization {
  id?: string | undefined;
  serial?: number | undefined;
}

/**
 * Makes an organization and the unit that stands for it as a whole.
 *
 * @throws IdentityError `permission.denied`, `organization.code_taken`, `object.id_taken`
 */
export async function createOrganization(
  deps: Deps,
  context: RequestContext,
  input: NewOrganization,
): Promise<Organization> {
  checkPermission(context, "organization:write");
  const { tenantId } = context;
  const now = deps.clock.now();
  const { id = newId(now), serial, code, name = code, names = {}, description = "" } = input;
  return deps.database.transaction(async (tx) => {
    const values = { id, serial, code, name, names, description };
    const outcome = await insertOrganization(tx, tenantId, values, now);
    if (outcome === "code taken") throw new IdentityError("organization.code_taken");
    if (outcome === "id taken") throw new IdentityError("object.id_taken");
    const root = newId(now);
    const unit = {
      id: root,
      organizationId: id,
      parentId: null,
      code,
      name,
      names,
      description,
      position: 0,
    };
    await insertUnit(tx, tenantId, unit, now);
    const target = { type: "organization", id };
    await recordEvent(deps, tx, context, { type: "organization.created", target, data: { code } }, [
      `access-part:${tenantId}:unit:${root}`,
    ]);
    return found(await selectOrganization(tx, tenantId, id));
  });
}

/** @throws IdentityError `permission.denied`, `organization.not_found` */
export async function getOrganization(
  deps: Deps,
  context: RequestContext,
  id: string,
): Promise<Organization> {
  await checkPermissionIn(deps, context, "organization:read", { organizationId: id });
  return found(await selectOrganization(deps.database, context.tenantId, id));
}

/** Newest first. @throws IdentityError `permission.denied` */
export async function listOrganizations(
  deps: Deps,
  context: RequestContext,
  query: PageRequest & { search?: string | undefined },
): Promise<Page<Organization>> {
  checkPermission(context, "organization:read");
  const limit = query.limit ?? 50;
  const rows = await selectOrganizations(
    deps.database,
    context.tenantId,
    query.search,
    query.after,
    limit + 1,
  );
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/**
 * @throws IdentityError `permission.denied`, `organization.not_found`, `organization.code_taken`, `unit.code_taken`,
 *   `precondition.failed`
 */
export async function updateOrganization(
  deps: Deps,
  context: RequestContext,
  id: string,
  change: UpdateOrganization,
  expectedVersion?: number,
): Promise<Organization> {
  const now = deps.clock.now();
  return deps.database.transaction(async (tx) => {
    const organization = await changeable(deps, tx, context, id, expectedVersion);
    const next = { ...organization, ...change };
    const fields = (["code", "name", "names", "description"] as const).filter(
      (field) => JSON.stringify(organization[field]) !== JSON.stringify(next[field]),
    );
    if (fields.length === 0) return organization;
    const outcome = await writeOrganization(tx, context.tenantId, next, now);
    if (outcome === "code taken") throw new IdentityError("organization.code_taken");
    if (outcome === "unit code taken") throw new IdentityError("unit.code_taken");
    const target = { type: "organization", id };
    await recordEvent(
      deps,
      tx,
      context,
      { type: "organization.updated", target, data: { fields } },
      next.rootUnitId === null ? [] : [`access-part:${context.tenantId}:unit:${next.rootUnitId}`],
    );
    return { ...next, version: organization.version + 1, updatedAt: now.toISOString() };
  });
}

/**
 * Deletes an organization with its units; their members lose what was given to them by it.
 *
 * @throws IdentityError `permission.denied`, `permission.escalation`, `organization.not_found`,
 *   `user.last_administrator`, `precondition.failed`
 */
export async function deleteOrganization(
  deps: Deps,
  context: RequestContext,
  id: string,
  expectedVersion?: number,
): Promise<void> {
  const { tenantId } = context;
  await deps.database.transaction(async (tx) => {
    const organization = await changeable(deps, tx, context, id, expectedVersion);
    const checkRemains = await checkMayEmpty(within(deps, tx), tx, context, organization.rootUnitId);
    await deleteOrganizationRow(tx, tenantId, id);
    await checkRemains();
    const target = { type: "organization", id };
    const data = { code: organization.code };
    const changes = everything(tenantId);
    await recordEvent(deps, tx, context, { type: "organization.deleted", target, data }, changes);
  });
}

async function changeable(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  id: string,
  expectedVersion: number | undefined,
): Promise<Organization> {
  await checkPermissionIn(within(deps, tx), context, "organization:write", { organizationId: id });
  const organization = found(await lockOrganization(tx, context.tenantId, id));
  checkVersion(organization.version, expectedVersion);
  return organization;
}

function found(organization: Organization | undefined): Organization {
  if (!organization) throw new IdentityError("organization.not_found");
  return organization;
}
