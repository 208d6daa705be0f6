import type { Namespace } from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";
import { violatedConstraint } from "../../platform/database/unique-violation.ts";

type NamespaceRow = Omit<Namespace, "createdAt" | "updatedAt"> & { createdAt: Date; updatedAt: Date };

const COLUMNS = `id, serial, code, name, description, application_id as "applicationId", version,
  created_at as "createdAt", updated_at as "updatedAt"`;

function toNamespace(row: NamespaceRow): Namespace {
  return { ...row, createdAt: row.createdAt.toISOString(), updatedAt: row.updatedAt.toISOString() };
}

export type NewNamespace = Pick<Namespace, "id" | "code" | "name" | "description" | "applicationId">;

/** Undefined when there is one with this code. */
export async function insertNamespace(
  tx: Queryable,
  tenantId: string,
  { id, code, name, description, applicationId }: NewNamespace,
  now: Date,
): Promise<Namespace | undefined> {
  const [row] = await tx.query<NamespaceRow>(
    `insert into namespaces (tenant_id, id, code, name, description, application_id, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $7) on conflict (tenant_id, code) do nothing returning ${COLUMNS}`,
    [tenantId, id, code, name, description, applicationId, now],
  );
  return row && toNamespace(row);
}

export async function selectNamespace(
  database: Queryable,
  tenantId: string,
  id: string,
): Promise<Namespace | undefined> {
  const [row] = await database.query<NamespaceRow>(
    `select ${COLUMNS} from namespaces where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return row && toNamespace(row);
}

export async function lockNamespace(
  tx: Transaction,
  tenantId: string,
  id: string,
): Promise<Namespace | undefined> {
  const [row] = await tx.query<NamespaceRow>(
    `select ${COLUMNS} from namespaces where tenant_id = $1 and id = $2 for update`,
    [tenantId, id],
  );
  return row && toNamespace(row);
}

/** Keeps the namespace from being deleted or renamed until the end of the transaction. */
export async function holdNamespace(tx: Queryable, tenantId: string, code: string): Promise<boolean> {
  const rows = await tx.query<{ id: string }>(
    "select id from namespaces where tenant_id = $1 and code = $2 for key share",
    [tenantId, code],
  );
  return rows.length === 1;
}

/** Newest first, only ids below `after`. */
export async function selectNamespaces(
  database: Queryable,
  tenantId: string,
  search: string | undefined,
  after: string | undefined,
  limit: number,
): Promise<Namespace[]> {
  const rows = await database.query<NamespaceRow>(
    `select ${COLUMNS} from namespaces
      where tenant_id = $1 and ($2::text is null or id < $2)
        and ($3::text is null or position(lower($3) in lower(code || ' ' || name)) > 0)
      order by id desc limit $4`,
    [tenantId, after ?? null, search ?? null, limit],
  );
  return rows.map(toNamespace);
}

export async function writeNamespace(
  tx: Transaction,
  tenantId: string,
  { id, code, name, description }: Namespace,
  now: Date,
): Promise<"written" | "taken"> {
  try {
    await tx.query(
      `update namespaces set code = $3, name = $4, description = $5, version = version + 1, updated_at = $6
        where tenant_id = $1 and id = $2`,
      [tenantId, id, code, name, description, now],
    );
    return "written";
  } catch (error) {
    if (violatedConstraint(error) === "namespaces_tenant_id_code_key") return "taken";
    throw error;
  }
}

export async function deleteNamespaceRow(tx: Transaction, tenantId: string, id: string): Promise<void> {
  await tx.query("delete from namespaces where tenant_id = $1 and id = $2", [tenantId, id]);
}
