import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { CreateWebhook, WebhookDelivery } from "@ostiary/contracts";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { createOutgoingCalls } from "../../platform/outgoing/outgoing-calls.ts";
import { holding, refusal, type TwoTenants, twoTenants } from "../../testing/two-tenants.ts";
import { createApplication } from "../applications/index.ts";
import type { Deps } from "../deps.ts";
import { createUser, updateUser } from "../users/index.ts";
import {
  createWebhook,
  type Dispatcher,
  deleteOldDeliveries,
  deleteWebhook,
  getDelivery,
  getWebhook,
  listDeliveries,
  registerOwnWebhook,
  replayDeliveries,
  startDeliveries,
  unregisterOwnWebhook,
  updateWebhook,
} from "./index.ts";
import { Receiver } from "./testing/receiver.ts";

const SOON = { timeout: 10_000, interval: 10 };
let world: TwoTenants;
let receiver: Receiver;
let dispatcher: Dispatcher | undefined;
let webhooks: string[] = [];
let count = 0;

beforeAll(async () => {
  world = await twoTenants();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  receiver = await Receiver.open();
});
afterEach(async () => {
  await dispatcher?.close();
  dispatcher = undefined;
  for (const id of webhooks) await deleteWebhook(world.deps, world.context, id).catch(() => {});
  webhooks = [];
  await receiver[Symbol.asyncDispose]();
});

async function subscribe(input: Partial<CreateWebhook> = {}, deps: Deps = world.deps) {
  const made = await createWebhook(deps, world.context, {
    url: `${receiver.url}/`,
    events: ["user.*"],
    ...input,
  });
  webhooks.push(made.webhook.id);
  return { id: made.webhook.id, secret: made.secret ?? "" };
}

const aUser = () => createUser(world.deps, world.context, { username: `u${++count}`, nickname: "张三" });
const change = (id: string) => {
  world.clock.advance(0.01); // ids of events are in the order of time
  return updateUser(world.deps, world.context, id, { nickname: `n${++count}` });
};

async function deliveriesOf(id: string): Promise<WebhookDelivery[]> {
  return (await listDeliveries(world.deps, world.context, id, { limit: 200 })).items;
}

it("tells of an event with a body and a signature that Standard Webhooks' libraries verify", async () => {
  dispatcher = startDeliveries(world.deps);
  const { id, secret } = await subscribe({ headers: { authorization: "Bearer of-the-receiver" } });
  const user = await aUser();
  await expect.poll(() => receiver.received.length, SOON).toBe(1);
  const [first] = receiver.received;
  if (!first) throw new Error("nothing was received");
  const { headers, body } = first;
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  expect(headers["webhook-signature"]).toBe(
    `v1,${createHmac("sha256", key).update(signed).digest("base64")}`,
  );
  expect(headers["authorization"]).toBe("Bearer of-the-receiver");
  expect(JSON.parse(body)).toMatchObject({
    type: "user.created",
    timestamp: expect.stringMatching(/Z$/),
    data: {
      tenantId: world.context.tenantId,
      user: { id: user.id, username: user.username, nickname: "张三" },
    },
  });
  await expect.poll(async () => (await deliveriesOf(id))[0]?.state, SOON).toBe("delivered");
  const shown = JSON.stringify(await getWebhook(world.deps, world.context, id));
  expect(shown).toContain("authorization");
  expect(shown).not.toContain("of-the-receiver");
  expect(shown).not.toContain(secret);
});

it("tells only of what was asked for, from then on, and never of another tenant's", async () => {
  dispatcher = startDeliveries(world.deps);
  await aUser();
  world.clock.advance(1);
  await subscribe({ events: ["user.updated"] });
  const user = await aUser();
  await change(user.id);
  await createUser(world.deps, world.foreign, { username: `foreign${++count}` });
  await expect.poll(() => receiver.types(), SOON).toEqual(["user.updated"]);
});

it("keeps the order of what is about one user, and does not wait for others'", async () => {
  dispatcher = startDeliveries(world.deps);
  const { id } = await subscribe();
  const [slow, quick] = [await aUser(), await aUser()];
  await expect.poll(() => receiver.received.length, SOON).toBe(2);
  let letGo = () => {};
  receiver.answer = ({ body }, response) => {
    if (body.includes(slow.id)) letGo = () => response.writeHead(200).end();
    else response.writeHead(200).end();
  };
  for (let n = 0; n < 3; n++) await change(slow.id);
  for (let n = 0; n < 5; n++) await change(quick.id);
  const about = (userId: string) =>
    receiver.received.filter(({ body }) => body.includes(userId)).map(({ body }) => body);
  await expect.poll(() => about(quick.id).length, SOON).toBe(6);
  expect(about(slow.id)).toHaveLength(2); // the second waits for its answer, the others for it
  receiver.answer = (_received, response) => response.writeHead(200).end();
  letGo();
  await expect.poll(() => about(slow.id).length, SOON).toBe(4);
  const deliveries = await deliveriesOf(id);
  expect(deliveries).toHaveLength(10);
  for (const user of [slow, quick]) {
    const ids = about(user.id).map((body) => (JSON.parse(body) as { data: { id: string } }).data.id);
    expect(ids).toEqual([...ids].sort());
  }
});

it("lets no slow or dead receiver delay another", async () => {
  dispatcher = startDeliveries(world.deps);
  receiver.answer = ({ path }, response) => {
    if (path === "/quick") response.writeHead(200).end(); // the others never get an answer
  };
  for (let n = 0; n < 10; n++) await subscribe({ url: `${receiver.url}/slow-${n}`, timeoutSeconds: 60 });
  await subscribe({ url: "http://127.0.0.1:1/" });
  await subscribe({ url: `${receiver.url}/quick` });
  const began = performance.now();
  for (let n = 0; n < 20; n++) await aUser();
  await expect.poll(() => receiver.types("/quick").length, SOON).toBe(20);
  expect(performance.now() - began).toBeLessThan(5_000);
  await receiver[Symbol.asyncDispose]();
});

it("repeats with growing delays, gives up after a day, and sends again when asked to", async () => {
  dispatcher = startDeliveries(world.deps);
  receiver.answer = (_received, response) => response.writeHead(500).end("out of\0 order");
  const { id } = await subscribe();
  await aUser();
  await expect.poll(async () => (await deliveriesOf(id))[0]?.lastStatus, SOON).toBe(500);
  const [first] = await deliveriesOf(id);
  const delay = Date.parse(first?.nextAttemptAt ?? "") - world.clock.now().getTime();
  expect(delay).toBeGreaterThanOrEqual(1_600);
  expect(delay).toBeLessThanOrEqual(2_400);
  await vi.waitFor(async () => {
    world.clock.advance(4 * 3_600);
    dispatcher?.wake();
    expect((await deliveriesOf(id))[0]).toMatchObject({ state: "dead", attempts: 12, nextAttemptAt: null });
  }, SOON);
  expect(await getWebhook(world.deps, world.context, id)).toMatchObject({ failures: 12 });
  const { log, body } = await getDelivery(world.deps, world.context, id, first?.id ?? "");
  expect(log).toHaveLength(12);
  expect(log[0]).toMatchObject({ number: 1, status: 500, response: "out of\uFFFD order" });
  receiver.answer = (_received, response) => response.writeHead(204).end();
  const count = receiver.received.length;
  expect(await replayDeliveries(world.deps, world.context, id, { id: first?.id ?? "" })).toBe(1);
  await expect.poll(async () => (await deliveriesOf(id))[0]?.state, SOON).toBe("delivered");
  expect(receiver.received[count]).toMatchObject({ body, headers: { "webhook-id": first?.id } });
  expect(await getWebhook(world.deps, world.context, id)).toMatchObject({ failures: 0 });
  expect(await replayDeliveries(world.deps, world.context, id, { from: new Date(0), state: "dead" })).toBe(0);
  expect(await replayDeliveries(world.deps, world.context, id, { from: new Date(0) })).toBe(1);
  await expect.poll(() => receiver.received.length, SOON).toBe(count + 2);
});

it("keeps four kilobytes of an answer, follows no redirect, and takes no body for no answer", async () => {
  dispatcher = startDeliveries(world.deps);
  receiver.answer = ({ path }, response) => {
    if (path === "/moved") response.writeHead(302, { location: `${receiver.url}/` }).end();
    else response.writeHead(503).end("x".repeat(1_000_000));
  };
  const moved = await subscribe({ url: `${receiver.url}/moved` });
  const long = await subscribe({ url: `${receiver.url}/long` });
  await aUser();
  await expect.poll(async () => (await deliveriesOf(moved.id))[0]?.lastStatus, SOON).toBe(302);
  await expect.poll(async () => (await deliveriesOf(long.id))[0]?.lastStatus, SOON).toBe(503);
  const [delivery] = await deliveriesOf(long.id);
  const { log } = await getDelivery(world.deps, world.context, long.id, delivery?.id ?? "");
  expect(log[0]?.response).toHaveLength(4_096);
  expect(receiver.types("/")).toEqual([]);
});

it("calls no private address, however it is written, unless the installation allows it", async () => {
  const calls = createOutgoingCalls([]);
  const request = {
    method: "POST" as const,
    headers: {},
    body: "",
    timeoutMilliseconds: 1_000,
    answerBytes: 10,
  };
  const port = new URL(receiver.url).port;
  for (const host of [
    "127.0.0.1",
    "localhost",
    "2130706433",
    "0x7f.1",
    "0.0.0.0",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "10.1.2.3",
    "169.254.169.254",
    "192.168.0.1",
    "[fd00::1]",
    "[fe80::1]",
  ]) {
    expect(await refusal(calls.send({ ...request, url: `http://${host}:${port}/` })), host).toBe(
      "target.not_allowed",
    );
  }
  expect(await refusal(calls.send({ ...request, url: "file:///etc/passwd" }))).toBe("target.not_allowed");
  expect(receiver.received).toHaveLength(0);
  const named = createOutgoingCalls(["localhost"]);
  expect((await named.send({ ...request, url: `http://localhost:${port}/` })).status).toBe(204);
  const ranged = createOutgoingCalls(["127.0.0.0/8"]);
  expect((await ranged.send({ ...request, url: `http://127.0.0.1:${port}/` })).status).toBe(204);
});

it("needs the right to hear what is heard", async () => {
  const { deps, context } = world;
  const input = { url: `${receiver.url}/`, events: ["user.created"] };
  const make = (permissions: string[], events = input.events) =>
    refusal(createWebhook(deps, holding(context, permissions), { ...input, events }));
  expect(await make(["webhook:write"])).toBe("permission.denied");
  expect(await make(["webhook:write", "user:read"], ["*"])).toBe("permission.denied");
  expect(await make(["webhook:write", "user:read"], ["password.changed"])).toBe("permission.denied");
  const { id } = await subscribe({ events: ["user.created"] });
  const clerk = holding(context, ["webhook:write", "user:read"]);
  expect(await refusal(updateWebhook(deps, clerk, id, { events: ["*"] }))).toBe("permission.denied");
  expect(await refusal(getWebhook(deps, world.foreign, id))).toBe("webhook.not_found");
  expect(await refusal(deleteWebhook(deps, world.foreign, id))).toBe("webhook.not_found");
  expect(await refusal(replayDeliveries(deps, world.foreign, id, {}))).toBe("webhook.not_found");
  expect(await refusal(subscribe({ events: ["user.created"] }))).toBe("webhook.target_taken");
});

it("lets an application register its own, fifty at most, for its users' events only", async () => {
  const { deps, context } = world;
  const { application } = await createApplication(deps, context, { slug: "own", name: "Own" });
  const itself = { ...holding(context, []), actor: { type: "application" as const, id: application.id } };
  const register = (path: string, events = ["user.*"]) =>
    registerOwnWebhook(deps, itself, {
      url: `${receiver.url}/${path}`,
      events,
      format: "huace",
      secret: null,
    });
  const [first, again] = [await register("0"), await register("0", ["user.login"])];
  expect(again).toMatchObject({ id: first.id, events: ["user.login"], applicationId: application.id });
  expect(await refusal(register("1", ["password.changed"]))).toBe("permission.denied");
  for (let n = 1; n < 50; n++) await register(String(n));
  expect(await refusal(register("50"))).toBe("webhook.too_many");
  const other = await subscribe();
  expect(await refusal(unregisterOwnWebhook(deps, itself, other.id))).toBe("webhook.not_found");
  await unregisterOwnWebhook(deps, itself, first.id);
  expect(await register("50")).toMatchObject({ format: "huace" });
  expect(
    await refusal(registerOwnWebhook(deps, context, { url: "", events: [], format: "huace", secret: null })),
  ).toBe("authentication.required");
});

it("forgets old deliveries", async () => {
  dispatcher = startDeliveries(world.deps);
  const { id } = await subscribe();
  await aUser();
  await expect.poll(async () => (await deliveriesOf(id))[0]?.state, SOON).toBe("delivered");
  await deleteOldDeliveries(world.database, world.clock.now(), 100);
  expect(await deliveriesOf(id)).toHaveLength(1);
  world.clock.advance(8 * 86_400);
  await deleteOldDeliveries(world.database, world.clock.now(), 100);
  expect(await deliveriesOf(id)).toHaveLength(0);
});

it("loses nothing to kill -9, and repeats at most what was in flight", async () => {
  const { id } = await subscribe({ timeoutSeconds: 1 });
  world.clock.advance(1);
  receiver.answer = (_received, response) => void setTimeout(() => response.writeHead(204).end(), 20);
  const committed: string[] = [];
  let inFlight = 0;
  const { host, port, user, database } = world.connection;
  for (let round = 0; round < 3; round++) {
    const orders = JSON.stringify({
      connection: { host, port, user, database },
      users: 1_000,
      prefix: `k${round}`,
    });
    const script = join(import.meta.dirname, "testing/serve.ts");
    const child = spawn(process.execPath, ["--conditions=ostiary-source", script, orders], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface(child.stdout);
    let made = 0;
    for await (const line of lines) {
      committed.push(`k${round}-${line}`);
      if (++made === 60) break;
    }
    child.kill("SIGKILL");
    await once(child, "exit");
    inFlight += 4; // as many as one webhook has lanes
  }
  receiver.answer = (_received, response) => response.writeHead(204).end();
  world.clock.advance(365 * 86_400); // the killed processes lived in the real time: their leases are over
  dispatcher = startDeliveries(world.deps);
  const names = () =>
    receiver.received.map(
      ({ body }) => (JSON.parse(body) as { data: { user: { username: string } } }).data.user.username,
    );
  const lost = () => committed.filter((name) => !names().includes(name));
  await expect.poll(lost, { timeout: 20_000, interval: 50 }).toEqual([]);
  const open = async () => (await deliveriesOf(id)).filter(({ state }) => state !== "delivered");
  await expect.poll(open, { timeout: 20_000, interval: 50 }).toEqual([]);
  const repeated = names().length - new Set(names()).size;
  expect(repeated).toBeLessThanOrEqual(inFlight);
}, 60_000);
