import {
  IdentityError,
  type RegisterService,
  type ServiceHeartbeat,
  type ServiceState,
  type UnregisterService,
} from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { checkPermission } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import { findService } from "./find-service.ts";
import { forgetHeartbeat, noteHeartbeat } from "./heartbeats.ts";
import { buryInstance, type InstanceFacts, upsertInstance } from "./instance.store.ts";
import { countServices, insertService, type KnownService, selectKnown } from "./service.store.ts";

const MAXIMUM_SERVICES = 1_000;

/** The application that registers: itself, or named by who may write services. */
function registeringApplication(context: RequestContext, named: string | undefined): string {
  const { actor } = context;
  if (actor.type === "application" && actor.id !== null && (named ?? actor.id) === actor.id) return actor.id;
  checkPermission(context, "service:write");
  if (named === undefined) {
    throw new IdentityError("request.invalid", {
      fields: [
        { path: "/applicationId", message: "is needed unless an application calls with its own token" },
      ],
    });
  }
  return named;
}

/**
 * Registers an instance, and its service with the first one. A service that is there keeps what it has: only the
 * instance is refreshed.
 *
 * @throws IdentityError `permission.denied`, `application.not_found`, `service.too_many`
 */
export async function registerService(
  deps: Deps,
  context: RequestContext,
  input: RegisterService,
): Promise<ServiceState> {
  const applicationId = registeringApplication(context, input.applicationId);
  const { tenantId } = context;
  const service = await deps.database.transaction(async (tx) => {
    const known = await ensureService(deps, tx, context, { ...input, applicationId });
    await upsertInstance(tx, tenantId, known.id, input.instanceId, factsOf(input), deps.clock.now());
    await recordEvent(deps, tx, context, {
      type: "service.registered",
      target: { type: "service", id: known.id },
      data: { instanceId: input.instanceId },
    });
    const instance = { tenantId, serviceId: known.id, instanceId: input.instanceId };
    tx.afterCommit(() => forgetHeartbeat(deps, instance));
    return known;
  });
  return stateOf(service, input.instanceId);
}

/**
 * Notes that an instance is alive. One that is not known, or was not heard of for long, is back; one that was
 * unregistered is not, as this heartbeat may be older than that.
 *
 * @throws IdentityError as `registerService`
 */
export async function heartbeat(
  deps: Deps,
  context: RequestContext,
  input: ServiceHeartbeat,
): Promise<ServiceState> {
  const applicationId = registeringApplication(context, input.applicationId);
  const { name, environment = "pro", instanceId } = input;
  const { tenantId } = context;
  const found = findService(deps, tenantId, applicationId, name, environment);
  const service =
    (found instanceof Promise ? await found : found) ??
    (await deps.database.transaction((tx) => ensureService(deps, tx, context, { ...input, applicationId })));
  noteHeartbeat(deps, {
    tenantId,
    serviceId: service.id,
    instanceId,
    at: deps.clock.now(),
    ...factsOf(input),
  });
  return stateOf(service, instanceId);
}

/**
 * Ends an instance. Nothing happens when the service is not known.
 *
 * @throws IdentityError `permission.denied`
 */
export async function unregisterService(
  deps: Deps,
  context: RequestContext,
  input: UnregisterService,
): Promise<void> {
  const applicationId = registeringApplication(context, input.applicationId);
  const { tenantId } = context;
  await deps.database.transaction(async (tx) => {
    const service = await selectKnown(tx, tenantId, applicationId, input.name, input.environment ?? "pro");
    if (!service) return;
    await buryInstance(tx, tenantId, service.id, input.instanceId, deps.clock.now());
    await recordEvent(deps, tx, context, {
      type: "service.unregistered",
      target: { type: "service", id: service.id },
      data: { instanceId: input.instanceId },
    });
    const instance = { tenantId, serviceId: service.id, instanceId: input.instanceId };
    tx.afterCommit(() => forgetHeartbeat(deps, instance));
  });
}

function factsOf({ ips, port, metadata }: ServiceHeartbeat): InstanceFacts {
  return { ips: ips ?? null, port: port ?? null, metadata: metadata ?? null };
}

function stateOf(service: KnownService, instanceId: string): ServiceState {
  const { id: serviceId, serial, configuration, configurationVersion } = service;
  return { serviceId, serial, instanceId, configuration, configurationVersion };
}

async function ensureService(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  input: Omit<RegisterService, "instanceId"> & { applicationId: string },
): Promise<KnownService> {
  const { tenantId } = context;
  const { applicationId, name, environment = "pro" } = input;
  const known = await selectKnown(tx, tenantId, applicationId, name, environment);
  if (known) return known;
  if ((await countServices(tx, tenantId, applicationId)) >= MAXIMUM_SERVICES) {
    throw new IdentityError("service.too_many");
  }
  const { type = "other", description = "", tags = [] } = input;
  const wanted = { applicationId, name, environment, type, description, tags };
  const now = deps.clock.now();
  const created = await insertService(tx, tenantId, newId(now), wanted, now);
  if (created === "no application") throw new IdentityError("application.not_found");
  if (created === "exists") {
    // Another one was first; it has committed, as we have waited for it.
    const other = await selectKnown(tx, tenantId, applicationId, name, environment);
    if (!other) throw new IdentityError("service.not_found");
    return other;
  }
  await recordEvent(deps, tx, context, {
    type: "service.created",
    target: { type: "service", id: created.id },
    data: { name, environment },
  });
  return created;
}
