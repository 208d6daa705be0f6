import { afterAll, beforeAll, expect, it } from "vitest";
import { Receiver } from "../domain/webhooks/testing/receiver.ts";
import { aServer, type TestServer } from "../testing/a-server.ts";
import { callApi } from "../testing/api-client.ts";

let server: TestServer;
let receiver: Receiver;

beforeAll(async () => {
  receiver = await Receiver.open();
  server = await aServer({ config: { dangerAllowPrivateTargets: ["127.0.0.1"] } });
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await receiver?.[Symbol.asyncDispose]();
});

const call = (method: "GET" | "POST" | "PATCH" | "DELETE", path: string, body?: unknown) =>
  callApi(server, method, path, { body });

it("subscribes, shows what was told and tells it again", async () => {
  const created = await call("POST", "/webhooks", { url: `${receiver.url}/`, events: ["user.created"] });
  expect(created.statusCode).toBe(201);
  const { id, secret } = created.json<{ id: string; secret: string }>();
  expect(secret).toMatch(/^whsec_/);
  expect((await call("GET", `/webhooks/${id}`)).body).not.toContain(secret);
  await call("POST", "/users", { username: "zs" });
  await expect.poll(() => receiver.types(), { timeout: 5_000 }).toEqual(["user.created"]);
  const list = async () =>
    (await call("GET", `/webhooks/${id}/deliveries?state=delivered`)).json<{ items: { id: string }[] }>()
      .items;
  await expect.poll(list, { timeout: 5_000 }).toHaveLength(1);
  const [{ id: deliveryId } = { id: "" }] = await list();
  const one = await call("GET", `/webhooks/${id}/deliveries/${deliveryId}`);
  expect(one.json()).toMatchObject({
    event: "user.created",
    lastStatus: 204,
    log: [{ number: 1, status: 204 }],
  });
  const again = await call("POST", `/webhooks/${id}/deliveries/${deliveryId}/replay`);
  expect(again.json()).toEqual({ replayed: 1 });
  await expect.poll(() => receiver.received.length, { timeout: 5_000 }).toBe(2);
  await expect.poll(list, { timeout: 5_000 }).toHaveLength(1);
  expect((await call("POST", `/webhooks/${id}/replay`, { from: "2020-01-01T00:00:00Z" })).json()).toEqual({
    replayed: 1,
  });
  expect((await call("POST", `/webhooks/${id}/synchronize`)).statusCode).toBe(204);
  await expect.poll(() => receiver.types(), { timeout: 5_000 }).toContain("synchronization.requested");
  expect((await call("DELETE", `/webhooks/${id}`)).statusCode).toBe(204);
  expect((await call("GET", `/webhooks/${id}/deliveries`)).statusCode).toBe(404);
});

it.each([
  ["no address", { url: "nowhere", events: ["*"] }],
  ["another scheme", { url: "ftp://example.com/", events: ["*"] }],
  ["no events", { url: "https://example.com/", events: [] }],
  ["a pattern that is none", { url: "https://example.com/", events: ["user.created.now"] }],
  ["a header of ours", { url: "https://example.com/", events: ["*"], headers: { "Webhook-Signature": "x" } }],
  ["a header that breaks lines", { url: "https://example.com/", events: ["*"], headers: { a: "x\r\nb: c" } }],
  ["the host header", { url: "https://example.com/", events: ["*"], headers: { Host: "internal" } }],
  ["an empty secret", { url: "https://example.com/", events: ["*"], secret: "" }],
])("refuses a webhook with %s", async (_what, body) => {
  expect((await call("POST", "/webhooks", body)).statusCode).toBe(400);
});

it("brings in users, each for himself, and knows bots", async () => {
  const answer = await call("POST", "/provisioning/users", {
    users: [{ username: "n1", password: { plain: "p" } }, { username: "zs" }, { email: "x@example.com" }],
  });
  expect(answer.json()).toMatchObject({
    total: 3,
    created: 1,
    skipped: 1,
    failed: 1,
    errors: [{ index: 2 }],
  });
  const federated = await call("POST", "/provisioning/feishu-users", {
    username: "zs",
    feishu: { openId: "ou_1" },
  });
  expect(federated.json()).toMatchObject({ created: false });
  const again = await call("POST", "/provisioning/feishu-users", { feishu: { openId: "ou_1" } });
  expect(again.json()).toEqual(federated.json());
  const bot = await call("POST", "/feishu-bots", { appId: "cli_1", secret: "bot-secret" });
  expect(bot.statusCode).toBe(201);
  expect(bot.json()).toMatchObject({ baseUrl: "https://open.feishu.cn" });
  expect(bot.body).not.toContain("bot-secret");
  expect((await call("POST", "/feishu-bots", { appId: "cli_1", secret: "s" })).json()).toMatchObject({
    code: "feishu.bot_taken",
  });
  const { id } = bot.json<{ id: string }>();
  expect((await call("PATCH", `/feishu-bots/${id}`, { name: "Bot" })).json()).toMatchObject({
    name: "Bot",
    version: 2,
  });
  expect((await call("DELETE", `/feishu-bots/${id}`)).statusCode).toBe(204);
});
