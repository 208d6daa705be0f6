import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { INSTALL_TIMEOUT, PYTHON_MISSING } from "../../python/environment.ts";
import { HuaceClient, VERSIONS } from "./client.ts";
import { FakeFeishu } from "./feishu-server.ts";
import { Scene, SHOP, STAFF } from "./scene.ts";

/** bcrypt, 4 rounds, of `legacy-Password-1`. */
const HASHED = "$2b$04$U89k2HhlWZO36.Gmd3LOFOjyF/ntm0gB0NFSLF8oh6VUHghzttMVG";

let scene: Scene;
let feishu: FakeFeishu;

beforeAll(async () => {
  if (PYTHON_MISSING) return;
  feishu = await FakeFeishu.open();
  scene = await Scene.open();
  await scene.api("POST", "/feishu-bots", { appId: "cli_1", baseUrl: feishu.url, secret: "bot-secret" });
  const group = await scene.api<{ id: string }>("POST", "/groups", { code: "staff", name: "Staff" });
  await scene.api("POST", `/groups/${group.id}/members/add`, { userIds: ["5f0b00000000000000000001"] });
});
afterAll(async () => {
  await scene?.[Symbol.asyncDispose]();
  await feishu?.[Symbol.asyncDispose]();
});

type Row = Record<string, unknown>;

describe.skipIf(PYTHON_MISSING).each(VERSIONS)("huace-aigc-auth-client %s", (version) => {
  const isNew = version === "1.1.62";
  let client: HuaceClient;
  beforeAll(async () => {
    client = await HuaceClient.start(version, { ...SHOP, base_url: scene.base });
  }, INSTALL_TIMEOUT);
  afterAll(() => client?.close());

  describe("permissions (checks 7 and 8)", () => {
    it("are compared exactly", async () => {
      const token = await scene.tokenOf("zs");
      const ask = async (...args: unknown[]) =>
        (await client.ask<unknown>("check_permissions", [token, ...args])).result;
      if (isNew) {
        expect(await ask(["user:read", "x"])).toBe(true);
        expect(await ask(["user:read", "x"], true)).toBe(false);
      } else {
        expect(await ask(["user:read", "x"])).toEqual({ "user:read": true, x: false });
      }
    });
  });

  describe("keys (checks 10 and 13)", () => {
    const verify = async (key: string, other = {}) =>
      (await client.ask("verify_access_key", [key], {}, other)).result;

    it("of a user, an application and the tenant are told apart", async () => {
      const create = (body: object) =>
        scene.api<{ id: string; key: string }>("POST", "/api-keys", { name: "k", ...body });
      const users = await create({ type: "user", userId: "5f0b00000000000000000001" });
      expect(await verify(users.key)).toMatchObject({
        valid: true,
        key_type: "user",
        user_id: 7,
        username: "zs",
        nickname: "张三",
        is_admin: false,
      });
      const own = await create({ type: "application", applicationId: "5f0c00000000000000000001" });
      expect(await verify(own.key)).toMatchObject({ valid: true, key_type: "app", app_id: "1001" });
      expect(await verify(own.key, { app_id: "5f0c00000000000000000001" })).toMatchObject({
        app_id: "5f0c00000000000000000001",
      });
      const global = await create({ type: "global" });
      expect(await verify(global.key)).toMatchObject({ valid: true, key_type: "global", is_admin: true });
      await scene.api("PATCH", `/api-keys/${global.id}`, { status: "disabled" });
      await expect.poll(async () => (await verify(global.key))?.["valid"]).toBe(false);
    });

    it.each(["ak_0123456789abcdef0123456789abcdef", "garbage", "", "钥匙"])("%j is none", async (key) => {
      expect(await verify(key)).toMatchObject({ valid: false });
    });

    it.runIf(isNew)("are made for the person of a token", async () => {
      const token = await scene.tokenOf("zs");
      const { result } = await client.ask("create_access_key", [token], { name: " n " });
      expect(result).toMatchObject({ key_type: "user", name: "n", user_id: 7 });
      const key = String(result?.["key"]);
      expect(key).toMatch(/^ak_/);
      expect(await verify(key)).toMatchObject({ valid: true, key_type: "user", username: "zs" });
      const own = await fetch(`${scene.server.url}/api/v1/users`, {
        headers: { authorization: `Bearer ${key}` },
      });
      expect(own.status).toBe(403); // says who he is, and opens nothing here
    });
  });

  describe("the directory (checks 14 to 18)", () => {
    it("finds users by name", async () => {
      const { result } = await client.ask<{ users: Row[]; not_found: string[] } | Row[]>("batch_get_users", [
        ["zs", "nope"],
      ]);
      if (isNew) expect(result).toMatchObject([{ id: 7, username: "zs", nickname: "张三" }]);
      else expect(result).toMatchObject({ users: [{ id: 7, username: "zs" }], not_found: ["nope"] });
    });

    it("finds users by id, in order, with a placeholder for who is unknown", async () => {
      const boss = (await client.ask<{ items: Row[] }>("list_users", ["boss"])).result?.items[0]?.[
        "id"
      ] as number;
      const { result } = await client.ask<unknown>("batch_get_users_by_ids", [[boss, 999_999, 7]]);
      const users = (isNew ? result : (result as { users: Row[] }).users) as Row[];
      expect(users.map(({ id, username }) => [id, username])).toEqual([
        [boss, "boss"],
        [999_999, "未知用户"],
        [7, "zs"],
      ]);
    });

    it("lists pages, searches, and leaves out who is suspended", async () => {
      const list = async (...args: unknown[]) =>
        (await client.ask<{ items: Row[]; total: number }>("list_users", args)).result;
      const all = await list(null, 1, 100);
      expect(all?.items).toHaveLength(all?.total ?? -1);
      expect((await list("张"))?.items).toMatchObject([{ username: "zs" }]);
      expect((await list(null, 2, 1))?.items).toEqual([all?.items[1]]);
      const { id } = await scene.api<{ id: string }>("POST", "/users", { username: `off-${version}` });
      expect((await list(`off-${version}`))?.total).toBe(1);
      await scene.api("PATCH", `/users/${id}`, { status: "suspended" });
      expect((await list(`off-${version}`))?.total).toBe(0);
    });

    it("shows an application with assigned users only those", async () => {
      const { result } = await client.ask<{ items: Row[] }>("list_users", [], {}, STAFF);
      expect(result?.items.some(({ username }) => username === "zs")).toBe(true);
      expect(result?.items.some(({ username }) => username === "boss")).toBe(false);
    });

    it.runIf(isNew)("has groups, of the tenant and of a user", async () => {
      const { result } = await client.ask<Row[]>("list_groups", []);
      expect(result).toMatchObject([{ name: "Staff", code: "staff", id: expect.any(Number) }]);
      const info = await client.call("get_user_info", await scene.tokenOf("zs"));
      expect(info.result).toMatchObject({ groups: [{ name: "Staff", code: "staff" }] });
    });
  });

  describe.runIf(isNew)("identities (checks 19 and 20)", () => {
    it("are compared by token", async () => {
      const [zs, again, boss] = [
        await scene.tokenOf("zs"),
        await scene.tokenOf("zs"),
        await scene.tokenOf("boss"),
      ];
      const same = async (one: string, other: string) =>
        (await client.ask<unknown>("compare_users", [1001, 1001, one, other])).result;
      expect(await same(zs, again)).toBe(true);
      expect(await same(zs, boss)).toBe(false);
      expect((await client.ask("compare_users", [1001, 4_040, zs, boss])).error?.code).toBe(404);
      expect((await client.ask("compare_users", [1001, 1001, "junk", boss])).error?.code).toBe(401);
    });

    it("let a person into another application, once and for all", async () => {
      const token = await scene.tokenOf("li");
      expect((await client.ask("get_user_info", [token], {}, STAFF)).error?.code).toBe(403);
      const first = await client.ask("authorize_user_by_token", [1001, token], {}, STAFF);
      const second = await client.ask("authorize_user_by_token", [1001, token], {}, STAFF);
      expect(first.result).toMatchObject({ username: "li" });
      expect(second.result?.["id"]).toBe(first.result?.["id"]);
      await expect
        .poll(async () => (await client.ask("get_user_info", [token], {}, STAFF)).result)
        .toMatchObject({ username: "li" });
    });
  });

  describe("users of other systems (checks 21 to 23)", () => {
    const sync = async (user: object) => client.ask("sync_user_to_auth", [user]);

    it("are brought in once, and never changed", async () => {
      const username = `n1-${version}`;
      const made = await sync({ username, password: "p", nickname: "First" });
      expect(made.result).toMatchObject({ success: true, created: true, user_id: expect.any(Number) });
      const again = await sync({ username, password: "other", nickname: "Second" });
      expect(again.result).toMatchObject({
        success: true,
        created: false,
        user_id: made.result?.["user_id"],
      });
      const { result } = await client.ask<{ items: Row[] }>("list_users", [username]);
      expect(result?.items).toMatchObject([{ nickname: "First" }]);
    });

    it("sign in with the password that they had", async () => {
      const username = `hashed-${version}`;
      expect((await sync({ username, password_hashed: HASHED })).result).toMatchObject({ created: true });
      expect(await scene.tokenOf(username, "legacy-Password-1")).toBeTruthy();
      const unified = `unified-${version}`;
      expect((await sync({ username: unified, password: "Abc@123456" })).result).toMatchObject({
        created: true,
      });
      expect(await scene.tokenOf(unified, "Abc@123456")).toBeTruthy();
    });

    it("come in batches, each for himself", async () => {
      const users = [
        { username: `b-${version}`, email: `b-${version}@example.com` },
        { username: "zs" },
        { email: "x@y.z" },
      ];
      const { result } = await client.ask("batch_sync_users_to_auth", [users]);
      expect(result).toMatchObject({ total: 3, success: 1, skipped: 1, failed: 1 });
      expect(result?.["errors"]).toHaveLength(1);
    });

    it("get no roles that the application has not", async () => {
      const { error } = await sync({ username: `sly-${version}`, roles: ["administrator"] });
      expect(error).toMatchObject({ type: "AigcAuthError", code: 403 });
      expect((await client.ask<{ total: number }>("list_users", [`sly-${version}`])).result?.total).toBe(0);
    });

    it("are refused with a number when they make no sense", async () => {
      for (const user of [
        { username: "" },
        { username: 7 },
        { username: "a b" },
        { username: "x".repeat(500) },
        { username: `bad-${version}`, email: "no address" },
        { username: `bad-${version}`, password: "p".repeat(5_000) },
        { username: `bad-${version}`, password_hashed: "plain text" },
        { username: `bad-${version}`, status: "'; drop table users; --" },
        { username: `bad-${version}`, roles: "administrator" },
      ]) {
        const { error } = await sync(user);
        expect(error?.code, JSON.stringify(user)).toBe(400);
      }
    });
  });

  describe.runIf(isNew)("Feishu (checks 38 and 39)", () => {
    it("people get tokens once they are known", async () => {
      const unknown = await client.ask("issue_feishu_user_token", [], { feishu_user_id: "unknown" });
      expect(unknown.error?.code).toBe(40401);
      const identity = { feishu_user_id: "u1", feishu_open_id: "ou_1", feishu_tenant_key: "tk" };
      const made = await client.ask("sync_feishu_user", [], {
        username: "fs1",
        nickname: "飞书",
        ...identity,
      });
      expect(made.result).toMatchObject({ created: true });
      const again = await client.ask("sync_feishu_user", [], { feishu_open_id: "ou_1" });
      expect(again.result).toMatchObject({ created: false, userId: made.result?.["userId"] });
      const issued = await client.ask("issue_feishu_user_token", [], { feishu_user_id: "u1" });
      const token = String(issued.result?.["accessToken"]);
      expect((await client.call("verify_token", token)).result).toMatchObject({
        valid: true,
        username: "fs1",
      });
      expect((await client.call("get_user_info", token)).result).toMatchObject({
        nickname: "飞书",
        feishu_user_id: "u1",
        feishu_open_id: "ou_1",
        feishu_tenant_key: "tk",
      });
      for (const expires_in of [604_801, 10 ** 12]) {
        const { error } = await client.ask("issue_feishu_user_token", [], {
          feishu_user_id: "u1",
          expires_in,
        });
        expect(error?.code).toBe(400);
      }
      const week = await client.ask("issue_feishu_user_token", [], {
        feishu_user_id: "u1",
        expires_in: 604_800,
      });
      expect(Date.parse(String(week.result?.["expiresAt"]))).toBeGreaterThan(Date.now() + 600_000_000);
    });

    it("gives no application a token for who may do everything", async () => {
      const { error } = await client.ask("issue_feishu_user_token", [], { username: "boss" });
      expect(error).toMatchObject({ code: 403, data: { code: "permission.escalation" } });
    });

    it("messages reach their receivers, and Feishu's refusals ours", async () => {
      await client.ask("sync_feishu_user", [], { username: "fs2", feishu_open_id: "ou_2" });
      const send = (recipientType: string, recipient: string, bot = "cli_1") =>
        client.ask("send_feishu_message", [bot, recipientType, recipient, "text", { text: "你好" }]);
      const nobody = await send("username", "nobody");
      expect(nobody.error?.code).toBe(40401);
      expect((await send("username", "zs")).error?.code).toBe(40401); // not known at Feishu
      expect((await send("username", "fs2", "cli_unknown")).error?.code).toBe(503);
      const sent = await send("username", "fs2");
      expect(sent.result).toMatchObject({ message_id: "om_1", status: "sent", create_time: "1767225600000" });
      expect(feishu.calls.at(-1)).toMatchObject({
        path: "/open-apis/im/v1/messages?receive_id_type=open_id",
        authorization: "Bearer t-1",
        body: { receive_id: "ou_2", msg_type: "text", content: '{"text":"你好"}' },
      });
      feishu.refusal = { code: 230013, msg: "Bot has NO availability to this user." };
      const refused = await send("feishu_open_id", "ou_2");
      expect(refused.error?.code).toBe(502);
      expect(refused.error?.message).toContain("230013");
      const tokens = feishu.calls.filter(({ path }) => path.includes("tenant_access_token"));
      expect(tokens).toHaveLength(1);
    });
  });

  it("a wrong secret is refused everywhere (check 6)", async () => {
    const wrong = { app_secret: STAFF.app_secret };
    for (const [call, args] of [
      ["list_users", []],
      ["batch_get_users", [["zs"]]],
      ["verify_access_key", ["ak_1"]],
      ["sync_user_to_auth", [{ username: "intruder" }]],
      ["register_webhook", ["http://127.0.0.1:1/", ["user.created"]]],
    ] as const) {
      expect((await client.ask(call, args, {}, wrong)).error?.code, call).toBe(401);
    }
  });
});

describe.skipIf(PYTHON_MISSING)("every endpoint (check 40)", () => {
  const paths = [
    "permission/check",
    "access-key/verify",
    "access-key/create",
    "users/batch",
    "users/batch-by-ids",
    "users/list",
    "users/compare-identity",
    "users/authorize-by-token",
    "sync/user",
    "sync/batch",
    "webhook/register",
    "webhook/unregister",
    "feishu/identity/users/sync",
    "feishu/identity/users/token",
    "feishu/message",
  ];
  const values = [
    null,
    0,
    -1,
    1.5,
    1e300,
    true,
    "",
    "x",
    "\u202e'; select 1 --",
    "%_\\",
    "字".repeat(3_000),
    [],
    {},
    [null],
  ];
  const names = [
    "token,permissionCodes,accessKey,name,description,usernames,userIds,user_ids,keyword,page,pageSize,sourceAppId",
    "sourceToken,targetAppId,targetToken,username,email,phone,password,password_hashed,status,roles,users,url,events",
    "secret,webhookId,feishuUserId,feishuTenantKey,userId,expiresIn,botAppId,recipientType,recipient,messageType,content",
  ].flatMap((line) => line.split(","));

  async function post(path: string, body: unknown) {
    const answer = await fetch(`${scene.base}/sdk/${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-app-id": SHOP.app_id,
        "x-app-secret": SHOP.app_secret,
      },
      body: JSON.stringify(body),
    });
    return {
      status: answer.status,
      body: (await answer.json()) as { code: number; message: string; data: unknown },
    };
  }

  it.each(paths)(
    "%s answers nonsense with HTTP 200, a number, words and data that is not null",
    async (path) => {
      for (const value of values) {
        const bodies = [value, Object.fromEntries(names.map((name) => [name, value]))];
        for (const body of bodies) {
          const answer = await post(path, body);
          expect(answer.status).toBe(200);
          expect(Number.isInteger(answer.body.code)).toBe(true);
          expect(answer.body.code, JSON.stringify(body)?.slice(0, 200)).not.toBe(500);
          expect(answer.body.message).toBeTruthy();
          expect(typeof answer.body.data).toBe("object");
          expect(answer.body.data).not.toBeNull();
        }
      }
    },
  );
});
