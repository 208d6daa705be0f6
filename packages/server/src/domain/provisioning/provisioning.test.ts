import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { contextOf } from "../../testing/test-deps.ts";
import { holding, refusal, type TwoTenants, twoTenants } from "../../testing/two-tenants.ts";
import { type Application, createApplication, findApplication, mayUse } from "../applications/index.ts";
import { deleteUser, findUser, findUserByUsername, listUsers, updateUser } from "../users/index.ts";
import {
  createFeishuBot,
  findFeishuIdentity,
  sendFeishuMessage,
  syncFeishuUser,
  syncUser,
  syncUsers,
} from "./index.ts";

let world: TwoTenants;
let application: Application;
let asApplication: ReturnType<typeof contextOf>;

beforeAll(async () => {
  world = await twoTenants();
  const { deps, context } = world;
  const input = { slug: "legacy", name: "Legacy", access: "assigned" as const };
  const made = await createApplication(deps, context, input);
  const found = await findApplication(deps, context.tenantId, made.application.id);
  if (!found) throw new Error("no application");
  application = found;
  asApplication = holding({ ...context, actor: { type: "application", id: found.id } }, []);
});
afterAll(() => world[Symbol.asyncDispose]());

describe("bringing users in", () => {
  it("makes one when eight bring him at the same time", async () => {
    const { deps } = world;
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        syncUser(deps, asApplication, { username: n % 2 ? "Race" : "race" }),
      ),
    );
    expect(outcomes.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(outcomes.map(({ userId }) => userId)).size).toBe(1);
  });

  it("lets him use the application that brought him, and not one that found him", async () => {
    const { deps, context } = world;
    const { userId } = await syncUser(deps, asApplication, { username: "brought" });
    expect(await mayUse(deps, application, userId)).toBe(true);
    const other = await world.aUser("found");
    expect(await syncUser(deps, asApplication, { username: "FOUND" })).toMatchObject({
      userId: other,
      created: false,
    });
    expect(await mayUse(deps, application, other)).toBe(false);
    expect((await findUser(deps, context.tenantId, userId))?.registerSource).toBe("sync");
  });

  it("takes a password that the policy refuses, to be changed; and leaves nobody behind when it cannot", async () => {
    const { deps, context, database } = world;
    const { userId } = await syncUser(deps, asApplication, { username: "weak", password: { plain: "p" } });
    const [row] = await database.query<{ must_change: boolean }>(
      "select must_change from passwords where user_id = $1",
      [userId],
    );
    expect(row?.must_change).toBe(true);
    const bad = { username: "nobody-left", password: { hash: "no hash at all" } };
    expect(await refusal(syncUser(deps, asApplication, bad))).toBe("credential.unsupported_hash");
    expect(await findUserByUsername(deps, context.tenantId, "nobody-left")).toBeNull();
  });

  it("gives no roles and needs a right", async () => {
    const { deps, context } = world;
    expect(await refusal(syncUser(deps, asApplication, { username: "sly", roles: ["administrator"] }))).toBe(
      "permission.escalation",
    );
    const reader = holding(context, ["user:read"]);
    expect(await refusal(syncUser(deps, reader, { username: "x" }))).toBe("permission.denied");
    expect(await refusal(syncUsers(deps, reader, [{ username: "x" }]))).toBe("permission.denied");
  });

  it("counts a batch of a thousand, each for himself", async () => {
    const { deps, foreign } = world;
    const users = Array.from({ length: 1_000 }, (_, n) =>
      n % 100 === 7 ? { email: "no username" } : { username: `batch-${n}` },
    );
    expect(await syncUsers(deps, foreign, users)).toMatchObject({ total: 1_000, created: 990, failed: 10 });
    const again = await syncUsers(deps, foreign, users);
    expect(again).toMatchObject({ created: 0, skipped: 990, failed: 10 });
    expect(again.errors.map(({ index }) => index)).toEqual([7, 107, 207, 307, 407, 507, 607, 707, 807, 907]);
    expect((await listUsers(deps, foreign, { search: "batch-999" })).items).toHaveLength(1);
  });
});

describe("people at Feishu", () => {
  it("are no administrator because some application says so", async () => {
    const { deps, context } = world;
    const boss = await world.aUser("boss", ["administrator"]);
    const thief = { openId: "ou_thief", tenantKey: "t1" };
    const outcome = await refusal(syncFeishuUser(deps, asApplication, { username: "BOSS" }, thief));
    expect(outcome).toBe("permission.escalation");
    expect(await findFeishuIdentity(deps, context.tenantId, boss)).toEqual({});
    expect(await mayUse(deps, application, boss)).toBe(false);
    await syncFeishuUser(deps, context, { username: "boss" }, { openId: "ou_boss", tenantKey: "t1" });
    const again = { openId: "ou_boss", userId: "u_thief", tenantKey: "t1" };
    expect(await refusal(syncFeishuUser(deps, asApplication, {}, again))).toBe("permission.escalation");
  });

  it("are found by any of their ids, and keep those that they have", async () => {
    const { deps, context } = world;
    const first = await syncFeishuUser(deps, context, { nickname: "F" }, { openId: "ou_a", tenantKey: "t1" });
    expect(first.created).toBe(true);
    const more = { openId: "ou_a", userId: "u_a", tenantKey: "t1" };
    expect(await syncFeishuUser(deps, context, {}, more)).toEqual({ ...first, created: false });
    expect(await findFeishuIdentity(deps, context.tenantId, first.userId)).toEqual({
      openId: "ou_a",
      userId: "u_a",
      tenantKey: "t1",
    });
    await syncFeishuUser(deps, context, {}, { userId: "u_a", openId: "ou_other", tenantKey: "t1" });
    expect(await findFeishuIdentity(deps, context.tenantId, first.userId)).toMatchObject({ openId: "ou_a" });
    const elsewhere = await syncFeishuUser(deps, context, {}, { openId: "ou_b", tenantKey: "t2" });
    expect(elsewhere.userId).not.toBe(first.userId);
    const both = { openId: "ou_a", unionId: "on_b" };
    await syncFeishuUser(deps, context, { username: "third" }, { unionId: "on_b" });
    expect(await refusal(syncFeishuUser(deps, context, {}, both))).toBe("feishu.identity_conflict");
    expect(await refusal(syncFeishuUser(deps, context, {}, {}))).toBe("feishu.identity_required");
  });

  it("are forgotten with the user", async () => {
    const { deps, context } = world;
    const { userId } = await syncFeishuUser(deps, context, { username: "leaver" }, { openId: "ou_leaver" });
    await deleteUser(deps, context, userId);
    const again = await syncFeishuUser(deps, context, { username: "leaver" }, { openId: "ou_leaver" });
    expect(again).toMatchObject({ created: true });
    expect(again.userId).not.toBe(userId);
  });

  it("hear nothing while no bot is set up, and nothing once they are suspended", async () => {
    const { deps, context, foreign } = world;
    const message = (botAppId: string, username: string) => ({
      botAppId,
      recipient: { username, feishu: {} },
      messageType: "text",
      content: { text: "hi" },
    });
    const { userId } = await syncFeishuUser(deps, context, { username: "hears" }, { openId: "ou_hears" });
    expect(await refusal(sendFeishuMessage(deps, context, null, message("cli_x", "hears")))).toBe(
      "feishu.not_configured",
    );
    const silent = createServer((_request, response) => response.writeHead(500).end("<html>"));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const baseUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    await createFeishuBot(deps, context, { appId: "cli_x", baseUrl, secret: "s" });
    expect(await refusal(sendFeishuMessage(deps, context, null, message("cli_x", "hears")))).toBe(
      "feishu.unreachable",
    );
    expect(await refusal(sendFeishuMessage(deps, foreign, null, message("cli_x", "hears")))).toBe(
      "feishu.not_configured",
    );
    expect(
      await refusal(sendFeishuMessage(deps, holding(context, []), null, message("cli_x", "hears"))),
    ).toBe("permission.denied");
    expect(
      await refusal(sendFeishuMessage(deps, asApplication, application, message("cli_x", "hears"))),
    ).toBe("feishu.user_not_found");
    await updateUser(deps, context, userId, { status: "suspended" });
    expect(await refusal(sendFeishuMessage(deps, context, null, message("cli_x", "hears")))).toBe(
      "user.suspended",
    );
    silent.close();
  });
});
