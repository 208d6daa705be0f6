import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { anEphemeralServer, runCli } from "./run-cli.ts";

const KEY = "ak_fedcba9876543210fedcba9876543210";
const FILE = `
version: ostiary/v1
tenants:
  - slug: default
    id: 5f0a00000000000000000001
    name: Example Ltd
    settings: { signUp: open }
    applications:
      - key: shop
        id: 5f0c00000000000000000001
        serial: 1001
        secret: shop-secret
        redirectUris: ["http://127.0.0.1:9001/callback"]
        grantTypes: [authorization_code, refresh_token, client_credentials]
        administers: tenant
    roles:
      - { namespace: default, code: editor, name: Editor, permissions: ["user:read", "user:write"] }
    users:
      - username: zs
        nickname: \${NICKNAME}
        password: { plain: "correct horse battery staple" }
        roles: [editor]
    apiKeys:
      - { name: batch, type: application, application: shop, key: ${KEY} }
`;

vi.setConfig({ testTimeout: 120_000 });

let folder: string;
let path: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostiary-cli-"));
  path = join(folder, "ostiary.yaml");
  await writeFile(path, FILE);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

it("a throw-away server applies its file, says one line of JSON, answers, and leaves nothing", async () => {
  const scratch = join(folder, "tmp");
  await mkdir(scratch, { mode: 0o711 });
  const env = { NICKNAME: "Zhang San", TMPDIR: scratch };
  const server = await anEphemeralServer(["--apply", path, "--clock-control"], { env });
  const { url, administrator } = server.ready;
  expect(administrator?.username).toBe("administrator");
  const discovery = await fetch(`${url}/.well-known/openid-configuration`).then((answer) => answer.json());
  expect(discovery).toMatchObject({ issuer: url });
  // Passkeys need a host name; the number leads to the same server.
  expect(new URL(url).hostname).toBe("localhost");
  const begun = await fetch(`${url.replace("localhost", "127.0.0.1")}/sign-in`, { redirect: "manual" });
  const [cookie = ""] = begun.headers.getSetCookie().map((line) => line.replace(/;.*/, ""));
  const signIn = await fetch(new URL(begun.headers.get("location") ?? "", begun.url), {
    headers: { cookie },
  });
  expect(await signIn.text()).toContain("Sign in with a passkey");
  const moved = await fetch(`${url}/_test/clock`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ advanceSeconds: 3_600 }),
  });
  expect(moved.status).toBe(200);

  const remote = { env: { OSTIARY_URL: url, OSTIARY_KEY: KEY, NICKNAME: "Zhang San" } };
  const users = await runCli(["user", "list", "--search", "zs", "--json"], remote);
  expect(JSON.parse(users.stdout)).toMatchObject([
    { username: "zs", nickname: "Zhang San", roles: ["editor"] },
  ]);
  expect((await runCli(["apply", path, "--plan"], remote)).code).toBe(0);
  const exported = await runCli(["export"], remote);
  expect(exported.stdout).not.toContain("shop-secret");
  const again = await runCli(["apply", "-", "--json"], { ...remote, input: exported.stdout });
  expect(JSON.parse(again.stdout)).toMatchObject({ changes: [], generated: [] });

  server.child.kill("SIGTERM");
  const [code] = await once(server.child, "exit");
  expect(code).toBe(0);
  expect(server.lines).toHaveLength(1);
  expect(await readdir(scratch)).toEqual([]);
});

it("names no administrator when the file has one", async () => {
  const own = join(folder, "own.json");
  const users = [{ username: "root", administrator: true, password: { plain: "correct horse battery" } }];
  await writeFile(own, JSON.stringify({ version: "ostiary/v1", tenants: [{ slug: "default", users }] }));
  await using server = await anEphemeralServer(["--apply", own]);
  expect(server.ready).not.toHaveProperty("administrator");
});

it.each([
  ["a variable that is not set", FILE, "NICKNAME"],
  [
    "a part that comes later",
    "version: ostiary/v1\ntenants: [{ slug: default, applications: [{ key: a, name: A, groups: [] }] }]",
    "not supported yet",
  ],
  ["an unknown field", "version: ostiary/v1\ntenants: [{ slug: default, usrs: [] }]", "/tenants/0/usrs"],
  ["wrong YAML", "version: [", ":1:"],
])("does not start with %s, and says why", async (_what, text, words) => {
  const wrong = join(folder, "wrong.yaml");
  await writeFile(wrong, text);
  const { code, stdout, stderr } = await runCli(["serve", "--ephemeral", "--port", "0", "--apply", wrong]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toContain(words);
});
