import type { Organization } from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";
import { violatedConstraint } from "../../platform/database/unique-violation.ts";

type OrganizationRow = Omit<Organization, "createdAt" | "updatedAt"> & { createdAt: Date; updatedAt: Date };

const COLUMNS = `o.id, o.serial, o.code, o.name, o.names, o.description, o.version, o.created_at as "createdAt",
  o.updated_at as "updatedAt",
  (select u.id from units u where u.tenant_id = o.tenant_id and u.organization_id = o.id and u.parent_id is null)
    as "rootUnitId"`;

function toOrganization(row: OrganizationRow): Organization {
  return { ...row, createdAt: row.createdAt.toISOString(), updatedAt: row.updatedAt.toISOString() };
}

export type NewOrganization = Pick<Organization, "id" | "code" | "name" | "names" | "description"> & {
  serial: number | undefined;
};

export async function insertOrganization(
  tx: Transaction,
  tenantId: string,
  { id, serial, code, name, names, description }: NewOrganization,
  now: Date,
): Promise<"inserted" | "code taken" | "id taken"> {
  try {
    await tx.query(
      `insert into organizations (tenant_id, id, serial, code, name, names, description, created_at, updated_at)
       values ($1, $2, coalesce($3::bigint, nextval(pg_get_serial_sequence('organizations', 'serial'))), $4, $5, $6, $7,
               $8, $8)`,
      [tenantId, id, serial ?? null, code, name, JSON.stringify(names), description, now],
    );
  } catch (error) {
    const constraint = violatedConstraint(error);
    if (constraint === "organizations_tenant_id_code_key") return "code taken";
    if (constraint === "organizations_pkey" || constraint === "organizations_serial") return "id taken";
    throw error;
  }
  if (serial !== undefined) {
    await tx.query(
      `select setval('organizations_serial_seq', $1::bigint) from organizations_serial_seq
        where last_value < $1::bigint`,
      [serial],
    );
  }
  return "inserted";
}

export async function selectOrganization(
  database: Queryable,
  tenantId: string,
  id: string,
): Promise<Organization | undefined> {
  const [row] = await database.query<OrganizationRow>(
    `select ${COLUMNS} from organizations o where o.tenant_id = $1 and o.id = $2`,
    [tenantId, id],
  );
  return row && toOrganization(row);
}

/** Whoever changes the tree of an organization takes turns here: two moves at once could make a circle. */
export async function lockOrganization(
  tx: Transaction,
  tenantId: string,
  id: string,
): Promise<Organization | undefined> {
  await tx.query("select id from organizations where tenant_id = $1 and id = $2 for update", [tenantId, id]);
  return selectOrganization(tx, tenantId, id);
}

/** Newest first, only ids below `after`. */
export async function selectOrganizations(
  database: Queryable,
  tenantId: string,
  search: string | undefined,
  after: string | undefined,
  limit: number,
): Promise<Organization[]> {
  const rows = await database.query<OrganizationRow>(
    `select ${COLUMNS} from organizations o
      where o.tenant_id = $1 and ($2::text is null or o.id < $2)
        and ($3::text is null or position(lower($3) in lower(o.code || ' ' || o.name)) > 0)
      order by o.id desc limit $4`,
    [tenantId, after ?? null, search ?? null, limit],
  );
  return rows.map(toOrganization);
}

/** Writes the texts of an organization and of the unit that stands for it. */
export async function writeOrganization(
  tx: Transaction,
  tenantId: string,
  { id, code, name, names, description }: Organization,
  now: Date,
): Promise<"written" | "code taken" | "unit code taken"> {
  try {
    const values = [tenantId, id, code, name, JSON.stringify(names), description, now];
    await tx.query(
      `update organizations set code = $3, name = $4, names = $5, description = $6, version = version + 1,
              updated_at = $7 where tenant_id = $1 and id = $2`,
      values,
    );
    await tx.query(
      `update units set code = $3, name = $4, names = $5, description = $6, version = version + 1, updated_at = $7
        where tenant_id = $1 and organization_id = $2 and parent_id is null`,
      values,
    );
    return "written";
  } catch (error) {
    const constraint = violatedConstraint(error);
    if (constraint === "organizations_tenant_id_code_key") return "code taken";
    if (constraint === "units_tenant_id_organization_id_code_key") return "unit code taken";
    throw error;
  }
}

export async function deleteOrganizationRow(tx: Transaction, tenantId: string, id: string): Promise<void> {
  await tx.query("delete from organizations where tenant_id = $1 and id = $2", [tenantId, id]);
}
