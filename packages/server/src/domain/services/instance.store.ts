import type { JsonValue, ServiceInstance } from "@ostiary/contracts";
import type { Queryable } from "../../platform/database/types.ts";

/** What an instance says of itself; null: nothing new. */
export interface InstanceFacts {
  ips: readonly string[] | null;
  port: number | null;
  metadata: Record<string, JsonValue> | null;
}

export interface Heartbeat extends InstanceFacts {
  tenantId: string;
  serviceId: string;
  instanceId: string;
  at: Date;
}

/** Registers: what was known of an instance of this name is replaced, a tombstone too. */
export async function upsertInstance(
  database: Queryable,
  tenantId: string,
  serviceId: string,
  instanceId: string,
  facts: InstanceFacts,
  now: Date,
): Promise<void> {
  await database.query(
    `insert into service_instances (tenant_id, service_id, instance_id, ips, port, metadata, registered_at, last_seen_at)
     values ($1, $2, $3, $4, $5, $6::jsonb, $7, $7)
     on conflict (tenant_id, service_id, instance_id) do update
       set ips = excluded.ips, port = excluded.port, metadata = excluded.metadata,
           registered_at = excluded.registered_at, last_seen_at = excluded.last_seen_at, unregistered_at = null`,
    [
      tenantId,
      serviceId,
      instanceId,
      facts.ips,
      facts.port,
      facts.metadata && JSON.stringify(facts.metadata),
      now,
    ],
  );
}

/**
 * Notes heartbeats, each instance once. What is null stays; an unknown instance is there again; one that was
 * unregistered is not.
 */
export async function noteHeartbeats(database: Queryable, heartbeats: readonly Heartbeat[]): Promise<void> {
  const rows = heartbeats.map((one) => ({
    tenant_id: one.tenantId,
    service_id: one.serviceId,
    instance_id: one.instanceId,
    ips: one.ips,
    port: one.port,
    metadata: one.metadata,
    at: one.at,
  }));
  await database.query(
    `insert into service_instances as i (tenant_id, service_id, instance_id, ips, port, metadata, registered_at,
                                         last_seen_at)
     select b.tenant_id, b.service_id, b.instance_id,
            case when b.ips is null then null else array(select jsonb_array_elements_text(b.ips)) end,
            b.port, b.metadata, b.at, b.at
       from jsonb_to_recordset($1::jsonb) as b(tenant_id text, service_id text, instance_id text, ips jsonb, port int,
                                               metadata jsonb, at timestamptz)
       join services s on s.tenant_id = b.tenant_id and s.id = b.service_id
      order by b.tenant_id, b.service_id, b.instance_id
     on conflict (tenant_id, service_id, instance_id) do update
       set last_seen_at = greatest(i.last_seen_at, excluded.last_seen_at), ips = coalesce(excluded.ips, i.ips),
           port = coalesce(excluded.port, i.port), metadata = coalesce(excluded.metadata, i.metadata)
       where i.unregistered_at is null`,
    [JSON.stringify(rows)],
  );
}

/** Leaves a tombstone, for an instance that was never seen too: its heartbeat may still be on the way. */
export async function buryInstance(
  database: Queryable,
  tenantId: string,
  serviceId: string,
  instanceId: string,
  now: Date,
): Promise<void> {
  await database.query(
    `insert into service_instances (tenant_id, service_id, instance_id, registered_at, last_seen_at, unregistered_at)
     values ($1, $2, $3, $4, $4, $4)
     on conflict (tenant_id, service_id, instance_id) do update set unregistered_at = excluded.unregistered_at`,
    [tenantId, serviceId, instanceId, now],
  );
}

type Row = Omit<ServiceInstance, "registeredAt" | "lastSeenAt"> & { registeredAt: Date; lastSeenAt: Date };

/** @param since - who was heard of later is online. */
export async function selectInstances(
  database: Queryable,
  tenantId: string,
  serviceId: string,
  since: Date,
  limit: number,
): Promise<ServiceInstance[]> {
  const rows = await database.query<Row>(
    `select instance_id as "instanceId", coalesce(ips, '{}') as ips, port, coalesce(metadata, '{}') as metadata,
            case when unregistered_at is not null then 'unregistered' when last_seen_at > $3 then 'online'
                 else 'offline' end as state,
            registered_at as "registeredAt", last_seen_at as "lastSeenAt"
       from service_instances where tenant_id = $1 and service_id = $2
      order by unregistered_at is not null, last_seen_at desc, instance_id limit $4`,
    [tenantId, serviceId, since, limit],
  );
  return rows.map((row) => ({
    ...row,
    registeredAt: row.registeredAt.toISOString(),
    lastSeenAt: row.lastSeenAt.toISOString(),
  }));
}

/** Deletes tombstones and instances that were last heard of before these times. */
export async function deleteOldInstances(
  database: Queryable,
  before: { unregistered: Date; offline: Date },
  limit: number,
): Promise<number> {
  const rows = await database.query(
    `delete from service_instances where ctid = any(array(
       select ctid from service_instances where unregistered_at < $1 or last_seen_at < $2 limit $3)) returning 1`,
    [before.unregistered, before.offline, limit],
  );
  return rows.length;
}
