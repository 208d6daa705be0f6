import {
  type ApplicationSettings,
  IdentityError,
  type Application as PublicApplication,
} from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";
import { violatedConstraint } from "../../platform/database/unique-violation.ts";

/** An application with what only the server may know. */
export interface Application extends PublicApplication {
  tenantId: string;
  /** Keyed hashes, oldest first; expired ones may be among them. */
  secrets: readonly { id: string; hash: Buffer; expiresAt: Date | null }[];
}

/** What is stored of an application and can be changed. */
export type ApplicationValues = Omit<
  PublicApplication,
  "id" | "serial" | "version" | "createdAt" | "updatedAt"
>;

type Row = Omit<PublicApplication, "createdAt" | "updatedAt" | "settings"> & {
  tenantId: string;
  settings: Partial<ApplicationSettings>;
  createdAt: Date;
  updatedAt: Date;
};

/** What an application has that has set nothing: as the tenant says. */
export const DEFAULT_APPLICATION_SETTINGS: ApplicationSettings = {
  accessTokenSeconds: null,
  refreshTokenSeconds: null,
  sessionIdleSeconds: null,
  sessionAbsoluteSeconds: null,
  maximumSessions: null,
  whenSessionsFull: null,
  idTokenSignedResponseAlg: null,
  secondFactor: null,
  headlessSignIn: null,
};

const COLUMNS = `a.tenant_id as "tenantId", a.id, a.serial, a.slug, a.name, a.description, a.logo, a.homepage, a.status,
  a.redirect_uris as "redirectUris", a.post_logout_redirect_uris as "postLogoutRedirectUris",
  a.allowed_return_origins as "allowedReturnOrigins", a.backchannel_logout_uri as "backchannelLogoutUri",
  a.grant_types as "grantTypes",
  a.token_endpoint_auth_method as "tokenEndpointAuthMethod", a.jwks, a.scopes, a.access, a.administers,
  a.sign_in_methods as "signInMethods", a.consent, a.settings, a.version, a.created_at as "createdAt",
  a.updated_at as "updatedAt"`;

function toApplication({ tenantId: _tenantId, ...row }: Row): PublicApplication {
  return {
    ...row,
    settings: { ...DEFAULT_APPLICATION_SETTINGS, ...row.settings },
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

/** With the secrets, in one statement: what the cache holds. */
export async function loadApplication(
  database: Queryable,
  tenantId: string,
  id: string,
): Promise<Application | null> {
  const [row] = await database.query<
    Row & { secrets: { id: string; hash: string; expiresAt: string | null }[] }
  >(
    `select ${COLUMNS},
            coalesce((select jsonb_agg(jsonb_build_object('id', s.id, 'hash', encode(s.hash, 'hex'),
                                                          'expiresAt', s.expires_at) order by s.id)
                        from application_secrets s
                       where s.tenant_id = a.tenant_id and s.application_id = a.id), '[]') as secrets
       from applications a where a.tenant_id = $1 and a.id = $2`,
    [tenantId, id],
  );
  if (!row) return null;
  const { secrets, ...application } = row;
  return {
    ...toApplication(application),
    tenantId,
    secrets: secrets.map(({ id: secretId, hash, expiresAt }) => ({
      id: secretId,
      hash: Buffer.from(hash, "hex"),
      expiresAt: expiresAt === null ? null : new Date(expiresAt),
    })),
  };
}

export async function findApplicationById(
  database: Queryable,
  tenantId: string,
  id: string,
): Promise<PublicApplication | undefined> {
  const [row] = await database.query<Row>(
    `select ${COLUMNS} from applications a where a.tenant_id = $1 and a.id = $2`,
    [tenantId, id],
  );
  return row && toApplication(row);
}

/** Nobody else changes the application, its secrets or its assignments until the end of the transaction. */
export async function lockApplication(
  tx: Transaction,
  tenantId: string,
  id: string,
): Promise<PublicApplication | undefined> {
  const [row] = await tx.query<Row>(
    `select ${COLUMNS} from applications a where a.tenant_id = $1 and a.id = $2 for update`,
    [tenantId, id],
  );
  return row && toApplication(row);
}

export async function findIdBySerial(
  database: Queryable,
  tenantId: string,
  serial: number,
): Promise<string | null> {
  const [row] = await database.query<{ id: string }>(
    "select id from applications where tenant_id = $1 and serial = $2",
    [tenantId, serial],
  );
  return row?.id ?? null;
}

export async function findIdBySlug(
  database: Queryable,
  tenantId: string,
  slug: string,
): Promise<string | null> {
  const [row] = await database.query<{ id: string }>(
    "select id from applications where tenant_id = $1 and slug = $2",
    [tenantId, slug],
  );
  return row?.id ?? null;
}

/** Whether an active application of the tenant lets log-ins by ticket return there. */
export async function isReturnOrigin(
  database: Queryable,
  tenantId: string,
  origin: string,
): Promise<boolean> {
  const rows = await database.query(
    `select 1 as one from applications
      where tenant_id = $1 and status = 'active' and $2 = any(allowed_return_origins) limit 1`,
    [tenantId, origin],
  );
  return rows.length > 0;
}

export interface ApplicationFilter {
  /** A part of name or slug; letter case does not matter. */
  search?: string | undefined;
  status?: string | undefined;
  /** Only ids below this one. */
  after?: string | undefined;
}

/** Newest first. A tenant has few applications, so the search needs no index. */
export async function findApplications(
  database: Queryable,
  tenantId: string,
  filter: ApplicationFilter,
  limit: number,
): Promise<PublicApplication[]> {
  const rows = await database.query<Row>(
    `select ${COLUMNS} from applications a
      where a.tenant_id = $1 and ($2::text is null or a.id < $2) and ($3::text is null or a.status = $3)
        and ($4::text is null or position(lower($4) in lower(a.name || ' ' || a.slug)) > 0)
      order by a.id desc limit $5`,
    [tenantId, filter.after ?? null, filter.status ?? null, filter.search ?? null, limit],
  );
  return rows.map(toApplication);
}

function columnsOf(values: ApplicationValues) {
  return [
    values.slug,
    values.name,
    values.description,
    values.logo,
    values.homepage,
    values.status,
    values.redirectUris,
    values.postLogoutRedirectUris,
    values.allowedReturnOrigins,
    values.grantTypes,
    values.tokenEndpointAuthMethod,
    values.jwks === null ? null : JSON.stringify(values.jwks),
    values.scopes,
    values.access,
    values.administers,
    values.signInMethods,
    values.consent,
    JSON.stringify(values.settings),
    values.backchannelLogoutUri,
  ];
}

/** @throws IdentityError `object.id_taken`, `application.slug_taken`, `tenant.not_found` */
export async function insertApplication(
  tx: Transaction,
  tenantId: string,
  id: string,
  serial: number | undefined,
  values: ApplicationValues,
  now: Date,
): Promise<PublicApplication> {
  const rows = await tx
    .query<Row>(
      `insert into applications as a
         (tenant_id, id, slug, name, description, logo, homepage, status, redirect_uris, post_logout_redirect_uris,
          allowed_return_origins, grant_types, token_endpoint_auth_method, jwks, scopes, access, administers,
          sign_in_methods, consent, settings, backchannel_logout_uri, created_at, updated_at, serial)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::jsonb, $15, $16, $17, $18, $19, $20::jsonb,
               $21, $22, $22, coalesce($23::bigint, nextval(pg_get_serial_sequence('applications', 'serial'))))
       returning ${COLUMNS}`,
      [tenantId, id, ...columnsOf(values), now, serial ?? null],
    )
    .catch(translate);
  if (serial !== undefined) await passSerial(tx, serial);
  const [row] = rows;
  if (!row) throw new Error("insert returned no row");
  return toApplication(row);
}

/** Serials that are given from now on are higher than `serial`. */
async function passSerial(tx: Transaction, serial: number): Promise<void> {
  await tx.query(
    `select setval(pg_get_serial_sequence('applications', 'serial'), $1)
      where (select last_value from applications_serial_seq) < $1`,
    [serial],
  );
}

/** @throws IdentityError `application.slug_taken` */
export async function updateApplicationRow(
  tx: Transaction,
  tenantId: string,
  id: string,
  values: ApplicationValues,
  now: Date,
): Promise<PublicApplication> {
  const [row] = await tx
    .query<Row>(
      `update applications a
          set slug = $3, name = $4, description = $5, logo = $6, homepage = $7, status = $8, redirect_uris = $9,
              post_logout_redirect_uris = $10, allowed_return_origins = $11, grant_types = $12,
              token_endpoint_auth_method = $13, jwks = $14::jsonb, scopes = $15, access = $16, administers = $17,
              sign_in_methods = $18, consent = $19, settings = $20::jsonb, backchannel_logout_uri = $21, updated_at = $22,
              version = version + 1
        where a.tenant_id = $1 and a.id = $2 returning ${COLUMNS}`,
      [tenantId, id, ...columnsOf(values), now],
    )
    .catch(translate);
  if (!row) throw new IdentityError("application.not_found");
  return toApplication(row);
}

/** Secrets, assignments, API keys, grants and token families go with it. */
export async function deleteApplicationRow(tx: Transaction, tenantId: string, id: string): Promise<void> {
  await tx.query("delete from applications where tenant_id = $1 and id = $2", [tenantId, id]);
}

function translate(error: unknown): never {
  switch (violatedConstraint(error)) {
    case "applications_tenant_id_slug_key":
      throw new IdentityError("application.slug_taken", { cause: error });
    case "applications_pkey":
    case "applications_serial":
      throw new IdentityError("object.id_taken", { cause: error });
    case "applications_tenant_id_fkey":
      throw new IdentityError("tenant.not_found", { cause: error });
    default:
      throw error;
  }
}
