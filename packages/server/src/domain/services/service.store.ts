import type {
  CreateService,
  JsonValue,
  Service,
  ServiceConfiguration,
  ServiceEnvironment,
} from "@ostiary/contracts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";
import { violatedConstraint } from "../../platform/database/unique-violation.ts";

type Row = Omit<Service, "createdAt" | "updatedAt"> & { createdAt: Date; updatedAt: Date };

/** Instances that were heard of since $2 are online. */
const COLUMNS = `s.id, s.serial, s.application_id as "applicationId", s.name, s.environment, s.type, s.nickname,
  s.description, s.tags, s.status, s.configuration_version as "configurationVersion", s.version,
  s.created_at as "createdAt", s.updated_at as "updatedAt",
  (select count(*)::int from service_instances i where i.tenant_id = s.tenant_id and i.service_id = s.id
      and i.unregistered_at is null and i.last_seen_at > $2) as online`;

function toService(row: Row): Service {
  return { ...row, createdAt: row.createdAt.toISOString(), updatedAt: row.updatedAt.toISOString() };
}

/** A service as its instances know it. */
export interface KnownService {
  tenantId: string;
  id: string;
  serial: number;
  applicationId: string;
  status: "active" | "disabled";
  configuration: Record<string, JsonValue>;
  configurationVersion: number;
}

const KNOWN = `tenant_id as "tenantId", id, serial, application_id as "applicationId", status, configuration,
  configuration_version as "configurationVersion"`;

/** "exists": the application has one of this name in the environment. */
export async function insertService(
  tx: Transaction,
  tenantId: string,
  id: string,
  input: CreateService,
  now: Date,
): Promise<KnownService | "exists" | "no application"> {
  try {
    const [row] = await tx.query<KnownService>(
      `insert into services (tenant_id, id, application_id, name, environment, type, nickname, description, tags, status,
                             created_at, updated_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
       on conflict (tenant_id, application_id, name, environment) do nothing returning ${KNOWN}`,
      [
        tenantId,
        id,
        input.applicationId,
        input.name,
        input.environment,
        input.type ?? "other",
        input.nickname ?? "",
        input.description ?? "",
        input.tags ?? [],
        input.status ?? "active",
        now,
      ],
    );
    return row ?? "exists";
  } catch (error) {
    if (violatedConstraint(error) === "services_tenant_id_application_id_fkey") return "no application";
    throw error;
  }
}

export async function selectKnown(
  database: Queryable,
  tenantId: string,
  applicationId: string,
  name: string,
  environment: string,
): Promise<KnownService | undefined> {
  const [row] = await database.query<KnownService>(
    `select ${KNOWN} from services
      where tenant_id = $1 and application_id = $2 and name = $3 and environment = $4`,
    [tenantId, applicationId, name, environment],
  );
  return row;
}

export async function selectKnownById(
  database: Queryable,
  tenantId: string,
  id: string,
): Promise<KnownService | undefined> {
  const [row] = await database.query<KnownService>(
    `select ${KNOWN} from services where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return row;
}

export async function countServices(
  database: Queryable,
  tenantId: string,
  applicationId: string,
): Promise<number> {
  const [row] = await database.query<{ count: number }>(
    "select count(*) as count from services where tenant_id = $1 and application_id = $2",
    [tenantId, applicationId],
  );
  return row?.count ?? 0;
}

/** @param since - who was heard of later is online. */
export async function selectService(
  database: Queryable,
  tenantId: string,
  since: Date,
  id: string,
): Promise<Service | undefined> {
  const [row] = await database.query<Row>(
    `select ${COLUMNS} from services s where s.tenant_id = $1 and s.id = $3`,
    [tenantId, since, id],
  );
  return row && toService(row);
}

export async function lockService(
  tx: Transaction,
  tenantId: string,
  since: Date,
  id: string,
): Promise<Service | undefined> {
  const [row] = await tx.query<Row>(
    `select ${COLUMNS} from services s where s.tenant_id = $1 and s.id = $3 for update of s`,
    [tenantId, since, id],
  );
  return row && toService(row);
}

export interface ServiceFilter {
  applicationId?: string | undefined;
  environment?: ServiceEnvironment | undefined;
  /** Part of name or nickname, in any case. */
  search?: string | undefined;
}

/** Newest first, only ids below `after`. */
export async function selectServices(
  database: Queryable,
  tenantId: string,
  since: Date,
  filter: ServiceFilter,
  after: string | undefined,
  limit: number,
): Promise<Service[]> {
  const rows = await database.query<Row>(
    `select ${COLUMNS} from services s
      where s.tenant_id = $1 and ($3::text is null or s.id < $3) and ($4::text is null or s.application_id = $4)
        and ($5::text is null or s.environment = $5)
        and ($6::text is null or position(lower($6) in lower(s.name || ' ' || s.nickname)) > 0)
      order by s.id desc limit $7`,
    [
      tenantId,
      since,
      after ?? null,
      filter.applicationId ?? null,
      filter.environment ?? null,
      filter.search ?? null,
      limit,
    ],
  );
  return rows.map(toService);
}

export async function writeService(
  tx: Transaction,
  tenantId: string,
  service: Pick<Service, "id" | "type" | "nickname" | "description" | "tags" | "status">,
  now: Date,
): Promise<void> {
  await tx.query(
    `update services set type = $3, nickname = $4, description = $5, tags = $6, status = $7, version = version + 1,
            updated_at = $8 where tenant_id = $1 and id = $2`,
    [
      tenantId,
      service.id,
      service.type,
      service.nickname,
      service.description,
      service.tags,
      service.status,
      now,
    ],
  );
}

export async function deleteServiceRow(tx: Transaction, tenantId: string, id: string): Promise<void> {
  await tx.query("delete from services where tenant_id = $1 and id = $2", [tenantId, id]);
}

type ConfigurationRow = Omit<ServiceConfiguration, "createdAt"> & { createdAt: Date };

const CONFIGURATION_COLUMNS = `version, configuration, note, actor_type as "actorType", actor_id as "actorId",
  created_at as "createdAt"`;

function toConfiguration(row: ConfigurationRow): ServiceConfiguration {
  return { ...row, createdAt: row.createdAt.toISOString() };
}

/** The service has version 1, an empty configuration, from the start; it is in no history. */
export async function writeConfiguration(
  tx: Transaction,
  tenantId: string,
  serviceId: string,
  given: Omit<ServiceConfiguration, "createdAt">,
  now: Date,
): Promise<void> {
  const json = JSON.stringify(given.configuration);
  await tx.query(
    `with changed as (
       update services set configuration = $3::jsonb, configuration_version = $4, version = version + 1, updated_at = $8
        where tenant_id = $1 and id = $2 returning 1)
     insert into service_configurations (tenant_id, service_id, version, configuration, note, actor_type, actor_id,
                                         created_at)
     select $1, $2, $4, $3::jsonb, $5, $6, $7, $8 from changed`,
    [tenantId, serviceId, json, given.version, given.note, given.actorType, given.actorId, now],
  );
}

/** Newest first, only versions below `before`. */
export async function selectConfigurations(
  database: Queryable,
  tenantId: string,
  serviceId: string,
  before: number | undefined,
  limit: number,
): Promise<ServiceConfiguration[]> {
  const rows = await database.query<ConfigurationRow>(
    `select ${CONFIGURATION_COLUMNS} from service_configurations
      where tenant_id = $1 and service_id = $2 and ($3::int is null or version < $3) order by version desc limit $4`,
    [tenantId, serviceId, before ?? null, limit],
  );
  return rows.map(toConfiguration);
}
