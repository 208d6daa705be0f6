import { type ApiKey, IdentityError } from "@ostiary/contracts";
import type { LatestTime } from "../../kernel/late-writes.ts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";
import { violatedConstraint } from "../../platform/database/unique-violation.ts";

type Times = "expiresAt" | "lastUsedAt" | "createdAt" | "updatedAt";
type Row = Omit<ApiKey, Times> & {
  expiresAt: Date | null;
  lastUsedAt: Date | null;
  createdAt: Date;
  updatedAt: Date;
};

const COLUMNS = `id, serial, name, description, type, user_id as "userId", application_id as "applicationId",
  permissions, hint, status, expires_at as "expiresAt", last_used_at as "lastUsedAt", version,
  created_at as "createdAt", updated_at as "updatedAt"`;

function toApiKey(row: Row): ApiKey {
  return {
    ...row,
    expiresAt: row.expiresAt?.toISOString() ?? null,
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

/** What verifying a key needs. */
export interface StoredApiKey {
  tenantId: string;
  id: string;
  serial: number;
  name: string;
  type: ApiKey["type"];
  userId: string | null;
  applicationId: string | null;
  /** null = all of its owner's. */
  permissions: readonly string[] | null;
  status: ApiKey["status"];
  expiresAt: Date | null;
}

/** The one look-up that names no tenant: the key itself, unique in the installation, tells which it is. */
export async function loadApiKeyByHash(database: Queryable, hash: Buffer): Promise<StoredApiKey | null> {
  const [row] = await database.query<StoredApiKey>(
    `select tenant_id as "tenantId", id, serial, name, type, user_id as "userId",
            application_id as "applicationId", permissions, status, expires_at as "expiresAt"
       from api_keys where hash = $1`,
    [hash],
  );
  return row ?? null;
}

export async function findApiKeyById(
  database: Queryable,
  tenantId: string,
  id: string,
): Promise<ApiKey | undefined> {
  const [row] = await database.query<Row>(
    `select ${COLUMNS} from api_keys where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return row && toApiKey(row);
}

export async function lockApiKey(tx: Transaction, tenantId: string, id: string): Promise<ApiKey | undefined> {
  const [row] = await tx.query<Row>(
    `select ${COLUMNS} from api_keys where tenant_id = $1 and id = $2 for update`,
    [tenantId, id],
  );
  return row && toApiKey(row);
}

export interface ApiKeyFilter {
  type?: string | undefined;
  userId?: string | undefined;
  applicationId?: string | undefined;
  status?: string | undefined;
  /** A part of the name; letter case does not matter. */
  search?: string | undefined;
  /** Only ids below this one. */
  after?: string | undefined;
}

/** Newest first. */
export async function findApiKeys(
  database: Queryable,
  tenantId: string,
  filter: ApiKeyFilter,
  limit: number,
): Promise<ApiKey[]> {
  const rows = await database.query<Row>(
    `select ${COLUMNS} from api_keys
      where tenant_id = $1 and ($2::text is null or id < $2) and ($3::text is null or type = $3)
        and ($4::text is null or user_id = $4) and ($5::text is null or application_id = $5)
        and ($6::text is null or status = $6) and ($7::text is null or position(lower($7) in lower(name)) > 0)
      order by id desc limit $8`,
    [
      tenantId,
      filter.after ?? null,
      filter.type ?? null,
      filter.userId ?? null,
      filter.applicationId ?? null,
      filter.status ?? null,
      filter.search ?? null,
      limit,
    ],
  );
  return rows.map(toApiKey);
}

export interface NewApiKey {
  tenantId: string;
  id: string;
  name: string;
  description: string;
  type: ApiKey["type"];
  userId: string | null;
  applicationId: string | null;
  permissions: readonly string[] | null;
  hint: string;
  hash: Buffer;
  status: ApiKey["status"];
  expiresAt: Date | null;
  now: Date;
}

/**
 * @throws IdentityError `api_key.key_taken`, `user.not_found`, `application.not_found`, `object.id_taken`,
 *   `tenant.not_found`
 */
export async function insertApiKey(tx: Transaction, key: NewApiKey): Promise<ApiKey> {
  const rows = await tx
    .query<Row>(
      `insert into api_keys (tenant_id, id, name, description, type, user_id, application_id, permissions, hint, hash,
                             status, expires_at, created_at, updated_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13) returning ${COLUMNS}`,
      [
        key.tenantId,
        key.id,
        key.name,
        key.description,
        key.type,
        key.userId,
        key.applicationId,
        key.permissions,
        key.hint,
        key.hash,
        key.status,
        key.expiresAt,
        key.now,
      ],
    )
    .catch(translate);
  const [row] = rows;
  if (!row) throw new Error("insert returned no row");
  return toApiKey(row);
}

function translate(error: unknown): never {
  const constraint = violatedConstraint(error);
  if (constraint === undefined) throw error;
  if (constraint === "api_keys_hash") throw new IdentityError("api_key.key_taken", { cause: error });
  if (constraint.includes("user_id")) throw new IdentityError("user.not_found", { cause: error });
  if (constraint.includes("application_id"))
    throw new IdentityError("application.not_found", { cause: error });
  if (constraint === "api_keys_pkey") throw new IdentityError("object.id_taken", { cause: error });
  throw new IdentityError("tenant.not_found", { cause: error });
}

export async function updateApiKeyRow(
  tx: Transaction,
  tenantId: string,
  id: string,
  values: Pick<NewApiKey, "name" | "description" | "permissions" | "status" | "expiresAt">,
  now: Date,
): Promise<ApiKey> {
  const [row] = await tx.query<Row>(
    `update api_keys set name = $3, description = $4, permissions = $5, status = $6, expires_at = $7,
            updated_at = $8, version = version + 1
      where tenant_id = $1 and id = $2 returning ${COLUMNS}`,
    [tenantId, id, values.name, values.description, values.permissions, values.status, values.expiresAt, now],
  );
  if (!row) throw new IdentityError("api_key.not_found");
  return toApiKey(row);
}

export async function deleteApiKeyRow(tx: Transaction, tenantId: string, id: string): Promise<void> {
  await tx.query("delete from api_keys where tenant_id = $1 and id = $2", [tenantId, id]);
}

/** Moves last-used times forward, never back; rows that somebody else holds are left for next time. */
export async function updateLastUsed(database: Queryable, times: readonly LatestTime[]): Promise<void> {
  await database.query(
    `update api_keys k set last_used_at = t.at
       from (select k.tenant_id, k.id, u.at
               from unnest($1::text[], $2::text[], $3::timestamptz[]) as u(tenant_id, id, at)
               join api_keys k on k.tenant_id = u.tenant_id and k.id = u.id
              where k.last_used_at is null or k.last_used_at < u.at
              order by k.tenant_id, k.id for update of k skip locked) t
      where k.tenant_id = t.tenant_id and k.id = t.id`,
    [times.map((time) => time.tenantId), times.map((time) => time.id), times.map((time) => time.at)],
  );
}
