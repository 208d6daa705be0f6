import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { INSTALL_TIMEOUT, PYTHON_MISSING } from "../../python/environment.ts";
import { HuaceClient, VERSIONS } from "./client.ts";
import { Scene, SHOP } from "./scene.ts";
import { Service } from "./service.ts";

const SECRET = "webhook-schlüssel-密钥";
const LEGACY_USERS = 12;
const SOON = { timeout: 25_000, interval: 50 };

const HOOKS = { fastapi: "/webhook/auth", flask: "/api/webhook/auth" } as const;

let scene: Scene;
beforeAll(async () => {
  if (!PYTHON_MISSING) scene = await Scene.open();
});
afterAll(() => scene?.[Symbol.asyncDispose]());

interface Delivery {
  id: string;
  event: string;
  state: string;
  lastStatus: number | null;
  attempts: number;
}

describe.skipIf(PYTHON_MISSING).each(VERSIONS)("huace-aigc-auth-client %s", (version) => {
  describe.each(["fastapi", "flask"] as const)("in a service with %s", (framework) => {
    const name = (text: string) => `${text}-${framework}-${version}`;
    let service: Service;
    let client: HuaceClient;
    let webhookId: string;

    beforeAll(async () => {
      const connection = { ...SHOP, base_url: scene.base };
      client = await HuaceClient.start(version, connection);
      service = await Service.start(framework, version, connection, {
        secret: SECRET,
        legacyUsers: LEGACY_USERS,
      });
    }, INSTALL_TIMEOUT);
    afterAll(async () => {
      await client?.close();
      await service?.[Symbol.asyncDispose]();
    });

    const deliveries = async () =>
      (await scene.api<{ items: Delivery[] }>("GET", `/webhooks/${webhookId}/deliveries?limit=200`)).items;
    const eventsAbout = async (username: string) =>
      (await service.state()).events
        .filter(({ data }) => data["username"] === username)
        .map(({ event }) => event);

    it("knows people and keys (checks 11 and 12)", async () => {
      const create = async (body: object) =>
        (await scene.api<{ key: string }>("POST", "/api-keys", { name: "k", ...body })).key;
      expect((await service.whoami()).status).toBe(401);
      expect((await service.whoami("junk")).status).toBe(401);
      expect(await service.whoami(await scene.tokenOf("zs"))).toEqual({
        status: 200,
        body: { username: "zs", is_admin: false },
      });
      const own = await create({ type: "application", applicationId: "5f0c00000000000000000001" });
      expect(await service.whoami(own)).toMatchObject({ status: 200, body: { username: "ak_app_1001" } });
      const foreign = await create({ type: "application", applicationId: "5f0c00000000000000000002" });
      expect(await service.whoami(foreign)).toMatchObject({ status: 401, body: { code: 403 } });
      const global = await create({ type: "global" });
      expect(await service.whoami(global)).toMatchObject({ status: 200, body: { is_admin: true } });
    });

    it("is told of a new user, signed (checks 24 to 26)", async () => {
      const registered = await client.ask("register_webhook", [
        service.url + HOOKS[framework],
        ["user.created", "user.updated", "user.deleted"],
        SECRET,
      ]);
      webhookId = String(registered.result?.["webhook_id"] ?? registered.result);
      const again = await client.ask("register_webhook", [
        service.url + HOOKS[framework],
        ["user.created", "user.updated", "user.deleted"],
        SECRET,
      ]);
      expect(String(again.result?.["webhook_id"] ?? again.result)).toBe(webhookId);
      await scene.api("POST", "/users", { username: name("new"), nickname: "新用户" });
      await expect.poll(() => eventsAbout(name("new")), SOON).toEqual(["user.created"]);
      const { created } = await service.state();
      expect(created.at(-1)).toMatchObject({ username: name("new"), nickname: "新用户" });
    });

    it("is told which fields changed, so that its adapter updates (check 27)", async () => {
      const { items } = await scene.api<{ items: { id: string }[] }>("GET", `/users?search=${name("new")}`);
      await scene.api("PATCH", `/users/${items[0]?.id}`, { nickname: "新名字" });
      await expect.poll(async () => (await service.state()).updated.length, SOON).toBe(1);
      expect((await service.state()).updated[0]).toMatchObject({ username: name("new"), nickname: "新名字" });
      await scene.api("DELETE", `/users/${items[0]?.id}`);
      await expect.poll(async () => (await service.state()).deleted, SOON).toEqual([name("new")]);
    });

    it("refuses another secret, and gets the delivery when it has the right one again (check 25)", async () => {
      await service.setSecret("another");
      await scene.api("POST", "/users", { username: name("late") });
      const mine = async () => (await deliveries()).filter(({ state }) => state === "pending");
      await expect.poll(async () => (await mine())[0]?.lastStatus, SOON).toBe(401);
      await service.setSecret(SECRET);
      await expect.poll(() => eventsAbout(name("late")), SOON).toEqual(["user.created"]);
      await expect.poll(async () => (await mine()).length, SOON).toBe(0);
      const [latest] = await deliveries();
      expect(latest).toMatchObject({ state: "delivered", lastStatus: 200 });
      expect(latest?.attempts).toBeGreaterThan(1);
    });

    it("sends its own users while it is being asked for them (check 28)", async () => {
      await scene.api("POST", `/webhooks/${webhookId}/synchronize`);
      const found = async () =>
        (await client.ask<{ total: number }>("list_users", [`legacy-${framework}`])).result?.total;
      await expect.poll(found, SOON).toBe(LEGACY_USERS);
      await expect
        .poll(
          async () => (await deliveries()).find(({ event }) => event === "user.init_sync_auth")?.state,
          SOON,
        )
        .toBe("delivered");
    });

    it("is left alone once it has unregistered (check 24)", async () => {
      expect((await client.ask("unregister_webhook", [webhookId])).error).toBeUndefined();
      expect((await client.ask("unregister_webhook", [webhookId])).error?.code).toBe(404);
      const { events } = await service.state();
      await scene.api("POST", "/users", { username: name("unheard") });
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect((await service.state()).events).toHaveLength(events.length);
    });
  });
});
