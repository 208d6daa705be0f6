import {
  IdentityError,
  type Page,
  type ServiceConfiguration,
  type WriteServiceConfiguration,
} from "@ostiary/contracts";
import { checkVersion } from "../../kernel/check-version.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { checkPermission } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, onePerServer } from "../deps.ts";
import {
  type KnownService,
  selectConfigurations,
  selectKnownById,
  writeConfiguration,
} from "./service.store.ts";
import { getService, lockedService } from "./services.ts";

/** Bytes of JSON. */
const MAXIMUM_CONFIGURATION = 256 * 1024;

/** What a service is to do now. */
export interface CurrentConfiguration {
  version: number;
  configuration: KnownService["configuration"];
}

/**
 * Writes the next version of a service's configuration; running instances get it with their next heartbeat, or at once
 * when they wait for it.
 *
 * @throws IdentityError `permission.denied`, `service.not_found`, `precondition.failed`,
 *   `service.configuration_too_large`
 */
export async function configureService(
  deps: Deps,
  context: RequestContext,
  id: string,
  input: WriteServiceConfiguration,
  expectedVersion?: number,
): Promise<CurrentConfiguration> {
  checkPermission(context, "service:write");
  const { configuration, note = "" } = input;
  if (Buffer.byteLength(JSON.stringify(configuration)) > MAXIMUM_CONFIGURATION) {
    throw new IdentityError("service.configuration_too_large");
  }
  return deps.database.transaction(async (tx) => {
    const service = await lockedService(deps, tx, context, id, undefined);
    checkVersion(service.configurationVersion, expectedVersion);
    const version = service.configurationVersion + 1;
    const { type: actorType, id: actorId } = context.actor;
    const entry = { version, configuration, note, actorType, actorId };
    await writeConfiguration(tx, context.tenantId, id, entry, deps.clock.now());
    await recordEvent(
      deps,
      tx,
      context,
      { type: "service.configured", target: { type: "service", id }, data: { version } },
      [`service:${id}`],
    );
    return { version, configuration };
  });
}

/** Newest first; `next` is the last version. @throws IdentityError `permission.denied`, `service.not_found` */
export async function listConfigurations(
  deps: Deps,
  context: RequestContext,
  id: string,
  before: number | undefined,
  limit: number,
): Promise<Page<ServiceConfiguration>> {
  await getService(deps, context, id);
  const rows = await selectConfigurations(deps.database, context.tenantId, id, before, limit + 1);
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last ? String(last.version) : null };
}

/** Who waits for changes: services by id. */
const waitersOf = onePerServer(({ feed }) => {
  const waiters = new Map<string, Set<() => void>>();
  const wake = (id: string) => {
    for (const waiter of waiters.get(id) ?? []) waiter();
  };
  feed.subscribe({
    onChange: (noun, id) => {
      if (noun === "service") wake(id);
    },
    onGap: () => {
      for (const id of waiters.keys()) wake(id);
    },
  });
  return waiters;
});

/**
 * The configuration, at once when it is later than the version that the caller has, else as soon as there is a later
 * one. Needs `service:read`, or is the service's application.
 *
 * @param after - the caller's version; undefined: does not wait.
 * @param milliseconds - to wait at most.
 * @param gone - aborted when the caller has left.
 * @returns null when nothing came in that time.
 * @throws IdentityError `permission.denied`, `service.not_found`
 */
export async function awaitConfiguration(
  deps: Deps,
  context: RequestContext,
  id: string,
  { after, milliseconds, gone }: { after: number | undefined; milliseconds: number; gone: AbortSignal },
): Promise<CurrentConfiguration | null> {
  const end = performance.now() + milliseconds;
  for (;;) {
    // Listens first, and then reads: a change in between is not missed.
    const changed = nextChange(deps, id, end - performance.now(), gone);
    const now = await currentConfiguration(deps, context, id).catch((error: unknown) => {
      changed.cancel();
      throw error;
    });
    if (after === undefined || now.version !== after || gone.aborted || performance.now() >= end) {
      changed.cancel();
      return after !== undefined && now.version === after ? null : now;
    }
    await changed.promise;
  }
}

async function currentConfiguration(
  deps: Deps,
  context: RequestContext,
  id: string,
): Promise<CurrentConfiguration> {
  const service = await selectKnownById(deps.database, context.tenantId, id);
  const { actor } = context;
  const isOwn = actor.type === "application" && service?.applicationId === actor.id;
  if (!isOwn) checkPermission(context, "service:read");
  if (!service) throw new IdentityError("service.not_found");
  return { version: service.configurationVersion, configuration: service.configuration };
}

function nextChange(
  deps: Deps,
  id: string,
  milliseconds: number,
  gone: AbortSignal,
): { promise: Promise<void>; cancel: () => void } {
  const waiters = waitersOf(deps);
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => cancel(), Math.max(0, milliseconds));
  timer.unref();
  const cancel = () => {
    clearTimeout(timer);
    gone.removeEventListener("abort", cancel);
    const own = waiters.get(id);
    own?.delete(cancel);
    if (own?.size === 0) waiters.delete(id);
    resolve();
  };
  gone.addEventListener("abort", cancel);
  waiters.set(id, (waiters.get(id) ?? new Set()).add(cancel));
  return { promise, cancel };
}
