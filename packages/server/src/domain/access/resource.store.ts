import type { Resource, ResourceType } from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";
import { violatedConstraint } from "../../platform/database/unique-violation.ts";

type ResourceRow = Omit<Resource, "createdAt" | "updatedAt"> & { createdAt: Date; updatedAt: Date };

const COLUMNS = `id, namespace, code, type, name, names, description, actions, version,
  created_at as "createdAt", updated_at as "updatedAt"`;

function toResource(row: ResourceRow): Resource {
  return { ...row, createdAt: row.createdAt.toISOString(), updatedAt: row.updatedAt.toISOString() };
}

export type NewResource = Omit<Resource, "version" | "createdAt" | "updatedAt">;

/** False when the namespace has one with this code. */
export async function insertResource(
  tx: Transaction,
  tenantId: string,
  resource: NewResource,
  now: Date,
): Promise<boolean> {
  const rows = await tx.query<{ id: string }>(
    `insert into resources (tenant_id, id, namespace, code, type, name, names, description, actions, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
     on conflict (tenant_id, namespace, code) do nothing returning id`,
    [
      tenantId,
      resource.id,
      resource.namespace,
      resource.code,
      resource.type,
      resource.name,
      JSON.stringify(resource.names),
      resource.description,
      JSON.stringify(resource.actions),
      now,
    ],
  );
  return rows.length === 1;
}

export async function selectResource(
  database: Queryable,
  tenantId: string,
  id: string,
): Promise<Resource | undefined> {
  const [row] = await database.query<ResourceRow>(
    `select ${COLUMNS} from resources where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return row && toResource(row);
}

export async function lockResource(
  tx: Transaction,
  tenantId: string,
  id: string,
): Promise<Resource | undefined> {
  const [row] = await tx.query<ResourceRow>(
    `select ${COLUMNS} from resources where tenant_id = $1 and id = $2 for update`,
    [tenantId, id],
  );
  return row && toResource(row);
}

export interface ResourceFilter {
  namespace?: string | undefined;
  type?: ResourceType | undefined;
  /** Part of code or name, in any case. */
  search?: string | undefined;
}

/** Newest first, only ids below `after`. */
export async function selectResources(
  database: Queryable,
  tenantId: string,
  filter: ResourceFilter,
  after: string | undefined,
  limit: number,
): Promise<Resource[]> {
  const rows = await database.query<ResourceRow>(
    `select ${COLUMNS} from resources
      where tenant_id = $1 and ($2::text is null or id < $2) and ($3::text is null or namespace = $3)
        and ($4::text is null or position(lower($4) in lower(code || ' ' || name)) > 0)
        and ($6::text is null or type = $6)
      order by id desc limit $5`,
    [tenantId, after ?? null, filter.namespace ?? null, filter.search ?? null, limit, filter.type ?? null],
  );
  return rows.map(toResource);
}

/** Writes all that can change. "taken" when the namespace has one with this code. */
export async function writeResource(
  tx: Transaction,
  tenantId: string,
  resource: Resource,
  now: Date,
): Promise<"written" | "taken"> {
  try {
    await tx.query(
      `update resources set code = $3, type = $5, name = $6, names = $7, description = $8, actions = $9,
              version = version + 1, updated_at = $4 where tenant_id = $1 and id = $2`,
      [
        tenantId,
        resource.id,
        resource.code,
        now,
        resource.type,
        resource.name,
        JSON.stringify(resource.names),
        resource.description,
        JSON.stringify(resource.actions),
      ],
    );
    return "written";
  } catch (error) {
    if (violatedConstraint(error) === "resources_tenant_id_namespace_code_key") return "taken";
    throw error;
  }
}

export async function deleteResourceRow(tx: Transaction, tenantId: string, id: string): Promise<void> {
  await tx.query("delete from resources where tenant_id = $1 and id = $2", [tenantId, id]);
}
