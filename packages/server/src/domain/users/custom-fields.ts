import {
  type CreateCustomField,
  type CustomField,
  IdentityError,
  type Page,
  type PageRequest,
  type UpdateCustomField,
} from "@ostiary/contracts";
import { checkVersion } from "../../kernel/check-version.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { checkPermission } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import {
  deleteCustomFieldRow,
  insertCustomField,
  lockCustomField,
  selectCustomField,
  selectCustomFields,
  writeCustomField,
} from "./custom-field.store.ts";

/** @throws IdentityError `permission.denied`, `custom_field.key_taken`, `request.invalid` */
export async function createCustomField(
  deps: Deps,
  context: RequestContext,
  input: CreateCustomField,
): Promise<CustomField> {
  checkPermission(context, "settings:write");
  const now = deps.clock.now();
  const field = {
    id: newId(now),
    key: input.key,
    type: input.type,
    label: input.label ?? input.key,
    options: input.options ?? [],
    required: input.required ?? false,
  };
  checkOptions(field);
  return deps.database.transaction(async (tx) => {
    if (!(await insertCustomField(tx, context.tenantId, field, now))) {
      throw new IdentityError("custom_field.key_taken");
    }
    await record(deps, tx, context, "custom_field.created", field);
    return { ...field, version: 1, createdAt: now.toISOString(), updatedAt: now.toISOString() };
  });
}

/** @throws IdentityError `permission.denied`, `custom_field.not_found` */
export async function getCustomField(deps: Deps, context: RequestContext, id: string): Promise<CustomField> {
  checkPermission(context, "user:read");
  const field = await selectCustomField(deps.database, context.tenantId, id);
  if (!field) throw new IdentityError("custom_field.not_found");
  return field;
}

/** Newest first. @throws IdentityError `permission.denied` */
export async function listCustomFields(
  deps: Deps,
  context: RequestContext,
  query: PageRequest & { search?: string | undefined },
): Promise<Page<CustomField>> {
  checkPermission(context, "user:read");
  const limit = query.limit ?? 50;
  const rows = await selectCustomFields(
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
 * Values that users have already are not checked again.
 *
 * @throws IdentityError `permission.denied`, `custom_field.not_found`, `custom_field.type_fixed`,
 *   `precondition.failed`, `request.invalid`
 */
export async function updateCustomField(
  deps: Deps,
  context: RequestContext,
  id: string,
  change: UpdateCustomField,
  expectedVersion?: number,
): Promise<CustomField> {
  checkPermission(context, "settings:write");
  const now = deps.clock.now();
  return deps.database.transaction(async (tx) => {
    const field = await locked(tx, context, id, expectedVersion);
    if (change.type !== undefined && change.type !== field.type) {
      throw new IdentityError("custom_field.type_fixed");
    }
    const next = { ...field, ...change };
    checkOptions(next);
    if (JSON.stringify(next) === JSON.stringify(field)) return field;
    await writeCustomField(tx, context.tenantId, next, now);
    await record(deps, tx, context, "custom_field.updated", next);
    return { ...next, version: field.version + 1, updatedAt: now.toISOString() };
  });
}

/** Deletes the field and its values. @throws as `updateCustomField` */
export async function deleteCustomField(
  deps: Deps,
  context: RequestContext,
  id: string,
  expectedVersion?: number,
): Promise<void> {
  checkPermission(context, "settings:write");
  await deps.database.transaction(async (tx) => {
    const field = await locked(tx, context, id, expectedVersion);
    await deleteCustomFieldRow(tx, context.tenantId, field);
    await record(deps, tx, context, "custom_field.deleted", field);
  });
}

async function locked(
  tx: Transaction,
  context: RequestContext,
  id: string,
  expectedVersion: number | undefined,
): Promise<CustomField> {
  const field = await lockCustomField(tx, context.tenantId, id);
  if (!field) throw new IdentityError("custom_field.not_found");
  checkVersion(field.version, expectedVersion);
  return field;
}

/** @throws IdentityError `request.invalid` */
function checkOptions(field: Pick<CustomField, "type" | "options">): void {
  const isSelect = field.type === "select";
  if (isSelect === field.options.length > 0) return;
  const message = isSelect ? "a select needs options" : "only a select has options";
  throw new IdentityError("request.invalid", { fields: [{ path: "/options", message }] });
}

function record(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  type: "custom_field.created" | "custom_field.updated" | "custom_field.deleted",
  field: Pick<CustomField, "id" | "key">,
): Promise<void> {
  return recordEvent(deps, tx, context, {
    type,
    target: { type: "custom-field", id: field.id },
    data: { key: field.key },
  });
}
