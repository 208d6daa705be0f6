import type { ServiceHeartbeat } from "@ostiary/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { holding, refusal, type TwoTenants, twoTenants } from "../../testing/two-tenants.ts";
import { createApplication } from "../applications/index.ts";
import {
  awaitConfiguration,
  configureService,
  createService,
  deleteExpiredInstances,
  deleteService,
  finishHeartbeats,
  getService,
  heartbeat,
  listConfigurations,
  listInstances,
  listServices,
  registerService,
  unregisterService,
  updateService,
} from "./index.ts";

let world: TwoTenants;
let serial = 0;
beforeAll(async () => {
  world = await twoTenants();
});
afterAll(() => world?.[Symbol.asyncDispose]());

/** A new application and what it calls as. */
async function anApplication() {
  serial += 1;
  const input = { slug: `app-${serial}`, name: "App" };
  const { id } = (await createApplication(world.deps, world.context, input)).application;
  return { ...holding(world.context, []), actor: { type: "application" as const, id } };
}

const INSTANCE = { name: "s", instanceId: "host:8000", ips: ["10.0.0.1"], port: 8_000 };

async function beat(own: typeof world.context, other: Partial<ServiceHeartbeat> = {}) {
  const state = await heartbeat(world.deps, own, { name: "s", instanceId: "host:8000", ...other });
  await finishHeartbeats(world.deps);
  return state;
}
const instances = (id: string) => listInstances(world.deps, world.context, id);

describe("an instance", () => {
  it("is online after its registration, and its heartbeats leave unsaid what is known", async () => {
    const own = await anApplication();
    const { deps } = world;
    const state = await registerService(deps, own, { ...INSTANCE, metadata: { a: 1 }, tags: ["x"] });
    expect(state).toMatchObject({ configuration: {}, configurationVersion: 1, instanceId: "host:8000" });
    expect(await beat(own, { ips: ["10.0.0.2"], port: null, metadata: null })).toEqual(state);
    expect(await instances(state.serviceId)).toMatchObject([
      { state: "online", port: 8_000, ips: ["10.0.0.2"], metadata: { a: 1 } },
    ]);
  });

  it("is offline after three minutes of silence, and back with the next heartbeat", async () => {
    const own = await anApplication();
    const { serviceId } = await registerService(world.deps, own, INSTANCE);
    world.clock.advance(179);
    expect((await instances(serviceId))[0]?.state).toBe("online");
    world.clock.advance(1);
    expect((await instances(serviceId))[0]?.state).toBe("offline");
    expect((await getService(world.deps, world.context, serviceId)).online).toBe(0);
    await beat(own);
    expect((await instances(serviceId))[0]).toMatchObject({ state: "online", port: 8_000 });
  });

  it("that was never registered is there after a heartbeat, with its service", async () => {
    const own = await anApplication();
    const { serviceId } = await beat(own, { name: "lost", ips: ["10.0.0.9"] });
    expect(await instances(serviceId)).toMatchObject([{ state: "online", ips: ["10.0.0.9"], port: null }]);
  });

  it("that was unregistered stays so, whatever heartbeat comes late, until it registers again", async () => {
    const own = await anApplication();
    const { serviceId } = await registerService(world.deps, own, INSTANCE);
    await heartbeat(world.deps, own, INSTANCE); // still waits for its group
    await unregisterService(world.deps, own, INSTANCE);
    await beat(own);
    expect((await instances(serviceId))[0]?.state).toBe("unregistered");
    await unregisterService(world.deps, own, { name: "s", instanceId: "never seen" });
    await unregisterService(world.deps, own, { name: "no such service", instanceId: "x" });
    await beat(own, { instanceId: "never seen" });
    expect((await instances(serviceId)).map(({ state }) => state)).toEqual(["unregistered", "unregistered"]);
    await registerService(world.deps, own, INSTANCE);
    expect((await instances(serviceId))[0]?.state).toBe("online");
    world.clock.advance(86_401);
    expect(await deleteExpiredInstances(world.database, world.clock.now(), 100)).toBeGreaterThan(0);
    expect(await instances(serviceId)).toHaveLength(1);
  });

  it("of ten that register a service at once is one of ten of one service", async () => {
    const own = await anApplication();
    const states = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        registerService(world.deps, own, { name: "race", instanceId: `i${index}` }),
      ),
    );
    expect(new Set(states.map(({ serviceId }) => serviceId)).size).toBe(1);
    expect(await instances(states[0]?.serviceId ?? "")).toHaveLength(10);
  });
});

describe("a service", () => {
  it("keeps what the platform wrote when it registers again", async () => {
    const own = await anApplication();
    const { deps, context } = world;
    const { serviceId } = await registerService(deps, own, {
      ...INSTANCE,
      description: "theirs",
      tags: ["a"],
    });
    const change = {
      description: "ours",
      tags: ["b"],
      type: "mcp" as const,
      nickname: "S",
      status: "disabled" as const,
    };
    const { version } = await updateService(deps, context, serviceId, change, 1);
    expect(await refusal(updateService(deps, context, serviceId, { nickname: "x" }, 1))).toBe(
      "precondition.failed",
    );
    await registerService(deps, own, { ...INSTANCE, description: "theirs", tags: ["a"], type: "website" });
    expect(await getService(deps, context, serviceId)).toMatchObject({ ...change, version, online: 1 });
    expect(await instances(serviceId)).toHaveLength(1);
  });

  it("is unique by application, name and environment", async () => {
    const own = await anApplication();
    const { deps, context } = world;
    const input = { applicationId: own.actor.id, name: "one", environment: "test" as const };
    const made = await createService(deps, context, input);
    expect(await refusal(createService(deps, context, input))).toBe("service.exists");
    await createService(deps, context, { ...input, environment: "pro" });
    const { serviceId } = await registerService(deps, own, { ...input, instanceId: "i" });
    expect(serviceId).toBe(made.id);
    const { items } = await listServices(deps, context, { applicationId: own.actor.id });
    expect(items).toHaveLength(2);
  });

  it("goes only when nothing of it runs", async () => {
    const own = await anApplication();
    const { deps, context } = world;
    const { serviceId } = await registerService(deps, own, INSTANCE);
    expect(await refusal(deleteService(deps, context, serviceId))).toBe("service.running");
    await unregisterService(deps, own, INSTANCE);
    await deleteService(deps, context, serviceId);
    expect(await refusal(getService(deps, context, serviceId))).toBe("service.not_found");
  });

  it("is its application's own and its tenant's", async () => {
    const own = await anApplication();
    const other = await anApplication();
    const { deps, foreign } = world;
    const { serviceId } = await registerService(deps, own, INSTANCE);
    const stolen = { ...INSTANCE, applicationId: own.actor.id };
    expect(await refusal(registerService(deps, other, stolen))).toBe("permission.denied");
    expect(await refusal(getService(deps, own, serviceId))).toBe("permission.denied");
    expect(await refusal(getService(deps, foreign, serviceId))).toBe("service.not_found");
    const wait = { after: undefined, milliseconds: 0, gone: new AbortController().signal };
    expect(await refusal(awaitConfiguration(deps, other, serviceId, wait))).toBe("permission.denied");
    expect(await awaitConfiguration(deps, own, serviceId, wait)).toEqual({ version: 1, configuration: {} });
  });
});

describe("a configuration", () => {
  it("has versions, with who wrote them, and reaches the instances with their heartbeats", async () => {
    const own = await anApplication();
    const { deps, context } = world;
    const { serviceId } = await registerService(deps, own, INSTANCE);
    await configureService(deps, context, serviceId, { configuration: { level: 1 }, note: "first" }, 1);
    await configureService(deps, context, serviceId, { configuration: { level: 2 } }, 2);
    expect(await refusal(configureService(deps, context, serviceId, { configuration: {} }, 2))).toBe(
      "precondition.failed",
    );
    expect(await beat(own)).toMatchObject({ configurationVersion: 3, configuration: { level: 2 } });
    expect(await listConfigurations(deps, context, serviceId, undefined, 1)).toMatchObject({
      items: [{ version: 3, configuration: { level: 2 }, actorType: "operator" }],
      next: "3",
    });
    expect(await listConfigurations(deps, context, serviceId, 3, 1)).toMatchObject({
      items: [{ version: 2, note: "first" }],
      next: null,
    });
    const huge = { configuration: { text: "x".repeat(300_000) } };
    expect(await refusal(configureService(deps, context, serviceId, huge))).toBe(
      "service.configuration_too_large",
    );
  });

  it("that is waited for comes at once when it is written, and not at all when nothing is", async () => {
    const own = await anApplication();
    const { deps, context } = world;
    const { serviceId } = await registerService(deps, own, INSTANCE);
    const { signal: gone } = new AbortController();
    const wait = (milliseconds: number) =>
      awaitConfiguration(deps, own, serviceId, { after: 1, milliseconds, gone });
    expect(await wait(20)).toBeNull();
    const began = performance.now();
    const waiting = [wait(10_000), wait(10_000)];
    await updateService(deps, context, serviceId, { nickname: "wakes nobody for good" });
    await configureService(deps, context, serviceId, { configuration: { on: true } });
    expect(await Promise.all(waiting)).toEqual(Array(2).fill({ version: 2, configuration: { on: true } }));
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(await wait(10_000)).toMatchObject({ version: 2 });
  });

  it("is not waited for by who has left", async () => {
    const own = await anApplication();
    const { serviceId } = await registerService(world.deps, own, INSTANCE);
    const caller = new AbortController();
    const waiting = awaitConfiguration(world.deps, own, serviceId, {
      after: 1,
      milliseconds: 60_000,
      gone: caller.signal,
    });
    caller.abort();
    expect(await waiting).toBeNull();
  });
});
