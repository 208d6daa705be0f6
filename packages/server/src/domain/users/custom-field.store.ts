import type { CustomField } from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";

type CustomFieldRow = Omit<CustomField, "createdAt" | "updatedAt"> & { createdAt: Date; updatedAt: Date };

const COLUMNS = `id, key, type, label, options, required, version, created_at as "createdAt",
  updated_at as "updatedAt"`;

function toCustomField(row: CustomFieldRow): CustomField {
  return { ...row, createdAt: row.createdAt.toISOString(), updatedAt: row.updatedAt.toISOString() };
}

/** All of a tenant's, by key. */
export async function selectAllCustomFields(database: Queryable, tenantId: string): Promise<CustomField[]> {
  const rows = await database.query<CustomFieldRow>(
    `select ${COLUMNS} from custom_fields where tenant_id = $1 order by key`,
    [tenantId],
  );
  return rows.map(toCustomField);
}

/** Newest first, only ids below `after`. */
export async function selectCustomFields(
  database: Queryable,
  tenantId: string,
  search: string | undefined,
  after: string | undefined,
  limit: number,
): Promise<CustomField[]> {
  const rows = await database.query<CustomFieldRow>(
    `select ${COLUMNS} from custom_fields
      where tenant_id = $1 and ($2::text is null or id < $2)
        and ($3::text is null or position(lower($3) in lower(key || ' ' || label)) > 0)
      order by id desc limit $4`,
    [tenantId, after ?? null, search ?? null, limit],
  );
  return rows.map(toCustomField);
}

export async function selectCustomField(
  database: Queryable,
  tenantId: string,
  id: string,
): Promise<CustomField | undefined> {
  const [row] = await database.query<CustomFieldRow>(
    `select ${COLUMNS} from custom_fields where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return row && toCustomField(row);
}

export async function lockCustomField(
  tx: Transaction,
  tenantId: string,
  id: string,
): Promise<CustomField | undefined> {
  const [row] = await tx.query<CustomFieldRow>(
    `select ${COLUMNS} from custom_fields where tenant_id = $1 and id = $2 for update`,
    [tenantId, id],
  );
  return row && toCustomField(row);
}

/** False when the tenant has a field with this key. */
export async function insertCustomField(
  tx: Transaction,
  tenantId: string,
  field: Pick<CustomField, "id" | "key" | "type" | "label" | "options" | "required">,
  now: Date,
): Promise<boolean> {
  const rows = await tx.query<{ id: string }>(
    `insert into custom_fields (tenant_id, id, key, type, label, options, required, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $8) on conflict (tenant_id, key) do nothing returning id`,
    [tenantId, field.id, field.key, field.type, field.label, field.options, field.required, now],
  );
  return rows.length === 1;
}

export async function writeCustomField(
  tx: Transaction,
  tenantId: string,
  field: Pick<CustomField, "id" | "label" | "options" | "required">,
  now: Date,
): Promise<void> {
  await tx.query(
    `update custom_fields set label = $3, options = $4, required = $5, version = version + 1, updated_at = $6
      where tenant_id = $1 and id = $2`,
    [tenantId, field.id, field.label, field.options, field.required, now],
  );
}

/** The field goes with its value in every user. */
export async function deleteCustomFieldRow(
  tx: Transaction,
  tenantId: string,
  field: CustomField,
): Promise<void> {
  await tx.query("delete from custom_fields where tenant_id = $1 and id = $2", [tenantId, field.id]);
  await tx.query("update users set custom = custom - $2::text where tenant_id = $1 and custom ? $2::text", [
    tenantId,
    field.key,
  ]);
}
