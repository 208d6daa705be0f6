import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Unit, User } from "@ostiary/contracts";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { aServer, type TestServer } from "../../packages/server/src/testing/a-server.ts";
import { callApi } from "../../packages/server/src/testing/api-client.ts";
import { runCli } from "./run-cli.ts";

vi.setConfig({ testTimeout: 60_000 });

let server: TestServer;
let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
  [server, folder] = await Promise.all([
    aServer({ listen: true }),
    mkdtemp(join(tmpdir(), "ostiary-import-")),
  ]);
  const body = { name: "import", type: "global", permissions: ["*"] };
  const { key } = (await callApi(server, "POST", "/api-keys", { body })).json() as { key: string };
  env = { OSTIARY_URL: server.url, OSTIARY_KEY: key };
  await callApi(server, "POST", "/custom-fields", { body: { key: "qq", type: "string", label: "QQ" } });
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function importFile(content: string, ...options: string[]) {
  const file = join(folder, "users.csv");
  await writeFile(file, content);
  return runCli(["import", "blueking", file, ...options], { env });
}

async function list<T>(path: string): Promise<T[]> {
  return ((await callApi(server, "GET", path)).json() as { items: T[] }).items;
}

const HEAD =
  "用户名/username,姓名/full_name,邮箱/email,手机号/phone_number,组织/organizations,直接上级/leaders,QQ/qq\n";
const GOOD =
  'zhangsan,张三,zs@example.com,13800000000,"总公司/研发部,总公司/测试部",,12345\n' +
  "lisi,李四,ls@example.com,,总公司/研发部,zhangsan,\n";
const BAD =
  ",没有名字,,,,,\n" +
  "wangwu,王五,not an address,,,,\n" +
  "zhaoliu,赵六,ZS@example.com,,,,\n" +
  "lisi,李四,,,,,\n";

it("says in a dry run what it would do, and does nothing", async () => {
  const { code, stdout } = await importFile(HEAD + GOOD + BAD, "--dry-run");
  expect(code).toBe(1);
  expect(stdout).toContain("users: 2 would be created, 0 would be changed, 0 as they were");
  expect(await list("/users")).toEqual([]);
});

it("imports users with their departments, and says whom it refused and why", async () => {
  const { code, stdout } = await importFile(HEAD + GOOD + BAD);
  expect(code).toBe(1);
  expect(stdout).toContain("users: 2 created, 0 changed, 0 as they were");
  expect(stdout).toContain("departments: 3 created, 3 memberships changed");
  expect(stdout).toMatch(/4\s+-?\s+there is no username/);
  expect(stdout).toMatch(/5\s+wangwu\s+not an address is no e-mail address/);
  expect(stdout).toMatch(/6\s+zhaoliu\s+the email is somebody else's too/);
  expect(stdout).toMatch(/7\s+lisi\s+the username is there twice/);

  const users = await list<User>("/users");
  expect(users.map(({ username }) => username).sort()).toEqual(["lisi", "zhangsan"]);
  const zhangsan = users.find(({ username }) => username === "zhangsan");
  expect(zhangsan).toMatchObject({
    name: "张三",
    externalId: "bk-user:zhangsan",
    registerSource: "bk-user",
    custom: { qq: "12345" },
    emailVerified: false,
  });
  const units = await list<Unit>("/units");
  expect(units.map(({ name }) => name).sort()).toEqual(["blueking", "总公司", "测试部", "研发部"].sort());
  const mine = (await callApi(server, "GET", `/users/${zhangsan?.id}/units`)).json();
  expect(mine.items).toHaveLength(2);
});

it("changes only what differs when it is repeated", async () => {
  const again = await importFile(HEAD + GOOD);
  expect(again).toMatchObject({ code: 0 });
  expect(again.stdout).toContain("users: 0 created, 0 changed, 2 as they were");
  expect(again.stdout).toContain("departments: 0 created, 0 memberships changed");

  const changed = await importFile(
    HEAD + GOOD.replace("李四", "李小四").replace("总公司/研发部,zhangsan", "总公司/市场部,zhangsan"),
    "--json",
  );
  expect(JSON.parse(changed.stdout)).toMatchObject({
    created: 0,
    updated: 1,
    unchanged: 1,
    units: { created: 1, memberships: 2 },
    refused: [],
  });
});

it("leaves out one that the server refuses, and lets the rest of the batch in", async () => {
  const json = JSON.stringify(
    Array.from({ length: 9 }, (_, n) => ({
      username: `batch${n}`,
      display_name: n === 4 ? "x".repeat(300) : `Batch ${n}`,
      time_zone: "Asia/Shanghai",
    })),
  );
  const { code, stdout } = await importFile(json);
  expect(code).toBe(1);
  expect(stdout).toContain("users: 8 created");
  expect(stdout).toMatch(/5\s+batch4\s+The request is not valid/);
});

it("adopts a user of the same name, but not one from elsewhere", async () => {
  await callApi(server, "POST", "/users", { body: { username: "Root" } });
  await callApi(server, "POST", "/users", { body: { username: "other", externalId: "ldap:other" } });
  const { stdout } = await importFile("username,full_name\nroot,Root\nother,Other\n");
  expect(stdout).toContain("users: 0 created, 1 changed");
  expect(stdout).toMatch(/other\s+the username belongs to a user from elsewhere/);
});

it("says what is wrong with a file", async () => {
  expect(await importFile("a,b\n1,2\n")).toMatchObject({ code: 1 });
  const missing = await runCli(["import", "blueking", join(folder, "none.csv")], { env });
  expect(missing.stderr).toContain("cannot be read");
});
