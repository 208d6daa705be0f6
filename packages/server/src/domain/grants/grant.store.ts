import type { Grant } from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";

export async function findAllowed(
  database: Queryable,
  tenantId: string,
  userId: string,
  applicationId: string,
): Promise<{ scopes: string[]; updatedAt: Date } | null> {
  const [row] = await database.query<{ scopes: string[]; updatedAt: Date }>(
    `select scopes, updated_at as "updatedAt" from grants
      where tenant_id = $1 and user_id = $2 and application_id = $3`,
    [tenantId, userId, applicationId],
  );
  return row ?? null;
}

/** Adds scopes to what was allowed before; one statement, so that two consents at once keep both. */
export async function addScopes(
  tx: Transaction,
  tenantId: string,
  userId: string,
  applicationId: string,
  scopes: readonly string[],
  now: Date,
): Promise<string[]> {
  const [row] = await tx.query<{ scopes: string[] }>(
    `insert into grants (tenant_id, user_id, application_id, scopes, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $5)
     on conflict (tenant_id, user_id, application_id) do update
        set scopes = (select array_agg(distinct scope order by scope)
                        from unnest(grants.scopes || excluded.scopes) as scope),
            updated_at = excluded.updated_at
     returning scopes`,
    [tenantId, userId, applicationId, scopes, now],
  );
  return row?.scopes ?? [];
}

export async function deleteGrant(
  tx: Transaction,
  tenantId: string,
  userId: string,
  applicationId: string,
): Promise<boolean> {
  const rows = await tx.query(
    `delete from grants where tenant_id = $1 and user_id = $2 and application_id = $3
     returning application_id`,
    [tenantId, userId, applicationId],
  );
  return rows.length === 1;
}

/** Revokes the token families of one user and one application. Returns their ids. */
export async function revokeFamiliesOfGrant(
  tx: Transaction,
  tenantId: string,
  userId: string,
  applicationId: string,
  now: Date,
): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `update token_families set revoked_at = $4
      where tenant_id = $1 and user_id = $2 and application_id = $3 and revoked_at is null and expires_at > $4
     returning id`,
    [tenantId, userId, applicationId, now],
  );
  return rows.map((row) => row.id);
}

/** By application, newest first: as many as a tenant has applications at most. */
export async function findGrants(database: Queryable, tenantId: string, userId: string): Promise<Grant[]> {
  const rows = await database.query<
    Omit<Grant, "createdAt" | "updatedAt"> & { createdAt: Date; updatedAt: Date }
  >(
    `select g.user_id as "userId", g.application_id as "applicationId", a.name as "applicationName",
            a.logo as "applicationLogo", g.scopes, g.created_at as "createdAt", g.updated_at as "updatedAt"
       from grants g join applications a on a.tenant_id = g.tenant_id and a.id = g.application_id
      where g.tenant_id = $1 and g.user_id = $2 order by g.application_id desc`,
    [tenantId, userId],
  );
  return rows.map((row) => ({
    ...row,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }));
}
