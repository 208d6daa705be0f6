import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Group, User } from "@ostiary/contracts";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { aServer, type TestServer } from "../../packages/server/src/testing/a-server.ts";
import { callApi } from "../../packages/server/src/testing/api-client.ts";
import { DJANGO_MISSING, type Django, startDjango } from "../dialects/zibanu/django.ts";
import { INSTALL_TIMEOUT } from "../python/environment.ts";
import { runCli } from "./run-cli.ts";

vi.setConfig({ testTimeout: 60_000 });

let server: TestServer;
let folder: string;
let env: Record<string, string>;
let django: Django | undefined;

beforeAll(async () => {
  [server, folder] = await Promise.all([
    aServer({ listen: true }),
    mkdtemp(join(tmpdir(), "ostiary-import-")),
  ]);
  const body = { name: "import", type: "global", permissions: ["*"] };
  const { key } = (await callApi(server, "POST", "/api-keys", { body })).json() as { key: string };
  env = { OSTIARY_URL: server.url, OSTIARY_KEY: key };
  if (!DJANGO_MISSING) django = await startDjango();
}, INSTALL_TIMEOUT);
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await django?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const importFrom = (source: string, ...options: string[]) =>
  runCli(["import", "django", source, ...options], { env });

async function dumped(objects: unknown): Promise<string> {
  const file = join(folder, "dump.json");
  await writeFile(file, typeof objects === "string" ? objects : JSON.stringify(objects));
  return file;
}

async function list<T>(path: string): Promise<T[]> {
  return ((await callApi(server, "GET", path)).json() as { items: T[] }).items;
}

/** What a front end of Zibanu does. */
async function zibanu(path: string, body: object, token?: string) {
  const answer = await fetch(`${server.url}/zibanu${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token ? { authorization: `JWT ${token}` } : {}) },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

describe.skipIf(DJANGO_MISSING !== undefined)("a Django project with zibanu-django-auth", () => {
  it("is only looked at in a dry run", async () => {
    const { code, stdout } = await importFrom(await dumped((await django?.dump()) ?? ""), "--dry-run");
    expect(stdout).toContain("users: 12 would be created");
    expect(code).toBe(0);
    expect(await list("/users")).toEqual([]);
  });

  it("moves from its dump: people sign in with their passwords, and have their rights", async () => {
    const { code, stdout, stderr } = await importFrom(
      await dumped((await django?.dump()) ?? ""),
      "--verified",
    );
    expect(`${stdout}${stderr}`).toContain("users: 12 created");
    expect(code).toBe(0);
    const tokens: Record<string, string> = {};
    for (const name of ["root", "manager", "viewer", "plain"]) {
      const body = { email: `${name}@example.com`, password: "Passw0rd.x1" };
      tokens[name] = String((await zibanu("/login/", body)).body["token"]);
    }
    expect((await zibanu("/login/", { email: "inactive@example.com", password: "Passw0rd.x1" })).status).toBe(
      401,
    );
    expect((await zibanu("/user/list/", {}, tokens["viewer"])).status).toBe(200);
    expect((await zibanu("/user/list/", {}, tokens["plain"])).status).toBe(401);
    expect((await zibanu("/user/add/", { email: "new@example.com" }, tokens["manager"])).status).toBe(201);
    const groups = (await zibanu("/group/list/", {}, tokens["manager"])).body as unknown as {
      name: string;
    }[];
    expect(groups.map(({ name }) => name)).toEqual([
      "Admins",
      "Supervisors",
      "Operators",
      "Guests",
      "NoLevel",
    ]);
    const profile = (await zibanu("/user/profile/", {}, tokens["plain"])).body["profile"];
    expect(profile).toMatchObject({ timezone: "America/Bogota", theme: "corporate" });
  });

  it("changes nothing when it is imported again, from its data base too", async () => {
    const before = await list<User>("/users?limit=200");
    const { code, stdout } = await importFrom(django?.file ?? "", "--verified");
    expect(stdout).toContain("users: 0 created, 0 changed, 12 as they were");
    expect(stdout).toContain("0 memberships added");
    expect(code).toBe(0);
    expect(await list<User>("/users?limit=200")).toEqual(before);
  });
});

describe("a dump", () => {
  it("may have natural keys, permissions of the project's own, and people who are refused", async () => {
    const source = await dumped([
      { model: "contenttypes.contenttype", pk: 7, fields: { app_label: "shop", model: "order" } },
      {
        model: "auth.permission",
        pk: 1,
        fields: { name: "Can add", content_type: ["shop", "order"], codename: "add_order" },
      },
      {
        model: "auth.permission",
        pk: 2,
        fields: { name: "Can add", content_type: 7, codename: "view_order" },
      },
      {
        model: "auth.permission",
        pk: 3,
        fields: { name: "x", content_type: ["auth", "user"], codename: "change_user" },
      },
      {
        model: "auth.group",
        pk: 90,
        fields: { name: "Clerks", permissions: [["add_order", "shop", "order"], 2, 3] },
      },
      { model: "zb_auth.grouplevel", pk: 1, fields: { group: ["Clerks"], level: 4 } },
      {
        model: "auth.user",
        pk: 901,
        fields: { username: "clerk", email: "", password: "!", is_active: true, groups: [["Clerks"]] },
      },
      { model: "auth.user", pk: 902, fields: { username: "no name", email: "x@example.com", password: "" } },
      { model: "auth.user", pk: 903, fields: { username: "bad", email: "no address", password: "" } },
    ]);
    const { code, stdout } = await importFrom(source);
    expect(code).toBe(1);
    expect(stdout).toContain("users: 1 created");
    expect(stdout).toContain("permissions without a counterpart here: auth.change_user");
    expect(stdout).toContain("refused: 2");
    const clerk = (await list<User>("/users?search=clerk"))[0];
    const { permissions } = (await callApi(server, "GET", `/users/${clerk?.id}/permissions`)).json() as {
      permissions: string[];
    };
    expect(permissions).toEqual(["shop:add_order", "shop:view_order"]);
    expect((await list<Group>("/groups?search=clerks"))[0]).toMatchObject({ code: "django-90", level: 4 });
  });

  it("that is none is refused in one sentence", async () => {
    for (const text of ["", "{}", "[1]", '{"model":1}']) {
      const { code, stderr } = await importFrom(await dumped(text));
      expect(code).toBe(1);
      expect(stderr).toContain("cannot be read");
    }
    expect((await importFrom("missing.sqlite3")).stderr).toContain("there is no such file");
  });
});
