import {
  type CreateService,
  IdentityError,
  type Page,
  type PageRequest,
  type Service,
  type ServiceInstance,
  type UpdateService,
} from "@ostiary/contracts";
import { checkVersion } from "../../kernel/check-version.ts";
import { addSeconds } from "../../kernel/clock.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { checkPermission } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import { deleteOldInstances, selectInstances } from "./instance.store.ts";
import {
  deleteServiceRow,
  insertService,
  lockService,
  type ServiceFilter,
  selectService,
  selectServices,
  writeService,
} from "./service.store.ts";

/** An instance that was not heard of for so long is offline: three heartbeats, in seconds. */
const OFFLINE_SECONDS = 180;
const DAY = 86_400;
/** Tombstones outlast every heartbeat that may be on the way; instances that went silent are shown for a month. */
const TOMBSTONE_SECONDS = DAY;
const SILENT_SECONDS = 30 * DAY;
const MAXIMUM_INSTANCES = 1_000;

/** Who was heard of since then is online. */
function onlineSince(deps: Deps): Date {
  return addSeconds(deps.clock.now(), -OFFLINE_SECONDS);
}

/** @throws IdentityError `permission.denied`, `application.not_found`, `service.exists` */
export async function createService(
  deps: Deps,
  context: RequestContext,
  input: CreateService,
): Promise<Service> {
  checkPermission(context, "service:write");
  return deps.database.transaction(async (tx) => {
    const now = deps.clock.now();
    const created = await insertService(tx, context.tenantId, newId(now), input, now);
    if (created === "exists") throw new IdentityError("service.exists");
    if (created === "no application") throw new IdentityError("application.not_found");
    const { name, environment } = input;
    await recordEvent(deps, tx, context, {
      type: "service.created",
      target: { type: "service", id: created.id },
      data: { name, environment },
    });
    return existing(await selectService(tx, context.tenantId, onlineSince(deps), created.id));
  });
}

/** @throws IdentityError `permission.denied`, `service.not_found` */
export async function getService(deps: Deps, context: RequestContext, id: string): Promise<Service> {
  checkPermission(context, "service:read");
  return existing(await selectService(deps.database, context.tenantId, onlineSince(deps), id));
}

/** Newest first. @throws IdentityError `permission.denied` */
export async function listServices(
  deps: Deps,
  context: RequestContext,
  query: PageRequest & ServiceFilter,
): Promise<Page<Service>> {
  checkPermission(context, "service:read");
  const limit = query.limit ?? 50;
  const { tenantId } = context;
  const rows = await selectServices(
    deps.database,
    tenantId,
    onlineSince(deps),
    query,
    query.after,
    limit + 1,
  );
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/** The running ones first, 1,000 at most. @throws IdentityError `permission.denied`, `service.not_found` */
export async function listInstances(
  deps: Deps,
  context: RequestContext,
  id: string,
): Promise<ServiceInstance[]> {
  await getService(deps, context, id);
  return selectInstances(deps.database, context.tenantId, id, onlineSince(deps), MAXIMUM_INSTANCES);
}

/** @throws IdentityError `permission.denied`, `service.not_found`, `precondition.failed` */
export async function updateService(
  deps: Deps,
  context: RequestContext,
  id: string,
  change: UpdateService,
  expectedVersion?: number,
): Promise<Service> {
  checkPermission(context, "service:write");
  return deps.database.transaction(async (tx) => {
    const service = await lockedService(deps, tx, context, id, expectedVersion);
    const next = { ...service, ...change };
    const fields = (["type", "nickname", "description", "tags", "status"] as const).filter(
      (name) => JSON.stringify(next[name]) !== JSON.stringify(service[name]),
    );
    if (fields.length === 0) return service;
    const now = deps.clock.now();
    await writeService(tx, context.tenantId, next, now);
    await recordEvent(
      deps,
      tx,
      context,
      { type: "service.updated", target: { type: "service", id }, data: { fields } },
      [`service:${id}`],
    );
    return { ...next, version: service.version + 1, updatedAt: now.toISOString() };
  });
}

/**
 * Deletes a service that does not run, with its instances and the history of its configuration.
 *
 * @throws IdentityError as `updateService`, and `service.running`
 */
export async function deleteService(
  deps: Deps,
  context: RequestContext,
  id: string,
  expectedVersion?: number,
): Promise<void> {
  checkPermission(context, "service:write");
  await deps.database.transaction(async (tx) => {
    const { online, name, environment } = await lockedService(deps, tx, context, id, expectedVersion);
    if (online > 0) throw new IdentityError("service.running");
    await deleteServiceRow(tx, context.tenantId, id);
    await recordEvent(
      deps,
      tx,
      context,
      { type: "service.deleted", target: { type: "service", id }, data: { name, environment } },
      [`service:${id}`],
    );
  });
}

export async function lockedService(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  id: string,
  expectedVersion: number | undefined,
): Promise<Service> {
  const service = existing(await lockService(tx, context.tenantId, onlineSince(deps), id));
  checkVersion(service.version, expectedVersion);
  return service;
}

function existing(service: Service | undefined): Service {
  if (!service) throw new IdentityError("service.not_found");
  return service;
}

/** Deletes instances that nobody will hear of again. Returns how many. */
export function deleteExpiredInstances(
  database: Deps["database"],
  now: Date,
  limit: number,
): Promise<number> {
  const before = {
    unregistered: addSeconds(now, -TOMBSTONE_SECONDS),
    offline: addSeconds(now, -SILENT_SECONDS),
  };
  return deleteOldInstances(database, before, limit);
}
