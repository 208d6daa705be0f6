import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
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

  it("brings numbers and pictures along, says what it left out, and keeps what people have here", async () => {
    const media = join(folder, "media");
    await mkdir(join(media, "profile_pics"), { recursive: true });
    const gif = Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64");
    await writeFile(join(media, "profile_pics", "me.gif"), gif);
    await writeFile(join(media, "profile_pics", "evil.png"), "<svg onload=alert(1)>");
    await writeFile(join(media, "profile_pics", "large.png"), Buffer.alloc(1_048_577));
    await writeFile(join(folder, "secret.png"), gif);
    await symlink(join(folder, "secret.png"), join(media, "profile_pics", "link.png"));
    const people: [name: string, phone: unknown, avatar: string][] = [
      ["pat", "+57 (300) 123-4567", "profile_pics/me.gif"],
      ["sam", "0057 300 123 4567", "profile_pics/evil.png"],
      ["kim", "call me", "../secret.png"],
      ["lee", 3001234568, "profile_pics/link.png"],
      ["max", "", "profile_pics/none.png"],
      ["joe", null, "profile_pics/large.png"],
    ];
    const source = await dumped(
      people.flatMap(([username, phone, avatar], index) => [
        {
          model: "auth.user",
          pk: 950 + index,
          fields: { username, email: "", password: "", is_active: true, phone },
        },
        { model: "zb_auth.userprofile", pk: index, fields: { user: 950 + index, theme: "x", avatar } },
      ]),
    );
    const first = await importFrom(source, "--media", media, "--json");
    expect(first.code).toBe(0);
    const report = JSON.parse(first.stdout) as { created: number; pictures: number; skipped: object[] };
    expect(report).toMatchObject({ created: 6, pictures: 1 });
    expect(report.skipped).toEqual([
      { row: 951, username: "sam", reason: "+573001234567 is the number of user 950 too" },
      { row: 951, username: "sam", reason: expect.stringContaining("avatar.invalid") },
      { row: 952, username: "kim", reason: "call me is no phone number" },
      { row: 952, username: "kim", reason: "picture: ../secret.png is outside of the folder" },
      { row: 953, username: "lee", reason: "picture: profile_pics/link.png is outside of the folder" },
      { row: 954, username: "max", reason: "picture: profile_pics/none.png cannot be read" },
      { row: 955, username: "joe", reason: "picture: profile_pics/large.png has more than 1048576 bytes" },
    ]);
    const pat = async () => (await list<User>("/users?search=pat"))[0];
    const before = await pat();
    expect(before).toMatchObject({ phone: "+573001234567" });
    const shown = await fetch(String(before?.profile.picture));
    expect(Buffer.from(await shown.arrayBuffer()).equals(gif)).toBe(true);
    expect((await list<User>("/users?search=lee"))[0]).toMatchObject({ phone: "3001234568" });

    const again = await importFrom(source, "--media", media);
    expect(again.stdout).toContain("users: 0 created, 0 changed, 6 as they were");
    expect(again.stdout).toContain("left out of users who came along: 7");
    expect(again.stdout).not.toContain("pictures: ");
    expect(await pat()).toEqual(before);
    const without = await importFrom(source);
    expect(without.stdout).toContain("say with --media where the project's files are");
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
