import type { Tenant, TenantSettingsPatch } from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";
import { violatedConstraint } from "../../platform/database/unique-violation.ts";
import { completeSettings } from "./default-settings.ts";

interface TenantRow {
  id: string;
  slug: string;
  name: string;
  settings: TenantSettingsPatch;
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

const COLUMNS = `id, slug, name, settings, version, created_at as "createdAt", updated_at as "updatedAt"`;

function toTenant(row: TenantRow): Tenant {
  return {
    ...row,
    settings: completeSettings(row.settings),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

export async function selectTenantBySlug(database: Queryable, slug: string): Promise<Tenant | null> {
  const [row] = await database.query<TenantRow>(`select ${COLUMNS} from tenants where slug = $1`, [slug]);
  return row ? toTenant(row) : null;
}

export async function selectTenantById(database: Queryable, id: string): Promise<Tenant | null> {
  const [row] = await database.query<TenantRow>(`select ${COLUMNS} from tenants where id = $1`, [id]);
  return row ? toTenant(row) : null;
}

/** The tenant as it is shown, and its settings as they are stored: only what was set. */
export async function lockTenant(
  tx: Transaction,
  id: string,
): Promise<{ tenant: Tenant; stored: TenantSettingsPatch } | undefined> {
  const [row] = await tx.query<TenantRow>(`select ${COLUMNS} from tenants where id = $1 for update`, [id]);
  return row && { tenant: toTenant(row), stored: row.settings };
}

/** What of the new row another tenant has already, or "inserted". */
export async function insertTenant(
  tx: Queryable,
  tenant: { id: string; slug: string; name: string; settings: TenantSettingsPatch },
  now: Date,
): Promise<"inserted" | "slug taken" | "id taken"> {
  try {
    const rows = await tx.query<{ id: string }>(
      `insert into tenants (id, slug, name, settings, created_at, updated_at)
       values ($1, $2, $3, $4::jsonb, $5, $5) on conflict (slug) do nothing returning id`,
      [tenant.id, tenant.slug, tenant.name, JSON.stringify(tenant.settings), now],
    );
    return rows.length === 1 ? "inserted" : "slug taken";
  } catch (error) {
    if (violatedConstraint(error) === "tenants_pkey") return "id taken";
    throw error;
  }
}

export async function writeTenant(
  tx: Transaction,
  tenant: { id: string; slug: string; name: string; settings: TenantSettingsPatch },
  now: Date,
): Promise<"written" | "slug taken"> {
  try {
    await tx.query(
      `update tenants set slug = $2, name = $3, settings = $4::jsonb, version = version + 1, updated_at = $5
        where id = $1`,
      [tenant.id, tenant.slug, tenant.name, JSON.stringify(tenant.settings), now],
    );
    return "written";
  } catch (error) {
    if (violatedConstraint(error) === "tenants_slug_key") return "slug taken";
    throw error;
  }
}

/** Everything of the tenant goes with it, but for the audit log. */
export async function deleteTenantRow(tx: Transaction, id: string): Promise<void> {
  await tx.query("delete from tenants where id = $1", [id]);
}

/** Whether the tenant holds anything that somebody made. */
export async function isTenantUsed(tx: Transaction, id: string): Promise<boolean> {
  const [row] = await tx.query<{ used: boolean }>(
    `select exists (select 1 from users where tenant_id = $1)
         or exists (select 1 from applications where tenant_id = $1)
         or exists (select 1 from roles where tenant_id = $1 and not system)
         or exists (select 1 from custom_fields where tenant_id = $1)
         or exists (select 1 from api_keys where tenant_id = $1) as used`,
    [id],
  );
  return row?.used ?? false;
}

/** Newest first, only ids below `after`. */
export async function selectTenants(
  database: Queryable,
  search: string | undefined,
  after: string | undefined,
  limit: number,
): Promise<Tenant[]> {
  const rows = await database.query<TenantRow>(
    `select ${COLUMNS} from tenants
      where ($1::text is null or id < $1)
        and ($2::text is null or position(lower($2) in lower(slug || ' ' || name)) > 0)
      order by id desc limit $3`,
    [after ?? null, search ?? null, limit],
  );
  return rows.map(toTenant);
}
