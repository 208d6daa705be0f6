import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createProgram } from "../../packages/cli/src/program.ts";
import { runCli, startCli } from "./run-cli.ts";

// Each command is a process of its own that starts and stops the database.
vi.setConfig({ testTimeout: 120_000 });

let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostiary-cli-"));
  await chmod(folder, 0o711);
  env = { OSTIARY_DATA_DIRECTORY: join(folder, "data"), PORT: "0" };
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const local = (...args: string[]) => runCli(args, { env });
async function json<T = Record<string, unknown>>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await local(...args, "--json");
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

describe("on the machine's own installation, without a server", () => {
  it("brings a fresh database to the present schema", async () => {
    const first = await json<{ applied: string[] }>("migrate");
    expect(first.applied.length).toBeGreaterThan(0);
    expect((await local("migrate")).stdout).toContain("nothing to do");
  });

  it("makes the first administrator, with a password that is shown once", async () => {
    const { code, stdout } = await local("user", "create", "--administrator", "--username", "root");
    expect(code).toBe(0);
    expect(stdout).toMatch(/password, shown this once: [\w-]{20}/);
    const users = await json<object[]>("user", "list", "--role", "administrator");
    expect(users).toMatchObject([{ username: "root", hasPassword: true, registerSource: "command-line" }]);
  });

  it("takes a password from standard input", async () => {
    const args = ["user", "create", "--username", "zs", "--email", "zs@example.com", "--password-stdin"];
    const { code, stdout } = await runCli(args, { env, input: "correct horse battery\n" });
    expect(code).toBe(0);
    expect(stdout).not.toContain("correct horse");
    const short = await runCli(["user", "set-password", "zs", "--password-stdin"], { env, input: "short\n" });
    expect(short.code).toBe(1);
    expect(short.stderr).toContain("password.too_short");
  });

  it("gives somebody a picture and takes it away, and ranks a group", async () => {
    const file = join(folder, "picture");
    const gif = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
    await writeFile(file, Buffer.from(gif, "base64"));
    const made = await json<{ mediaType: string }>("user", "avatar", "zs", "--file", file);
    expect(made.mediaType).toBe("image/gif");
    expect((await local("user", "avatar", "zs", "--remove")).stdout).toContain("removed");
    await writeFile(file, "<svg/>");
    const refused = await local("user", "avatar", "zs", "--file", file);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("avatar.invalid")]);
    await local("group", "create", "clerks", "--level", "5");
    expect(await json("group", "update", "clerks", "--level", "4")).toMatchObject({ level: 4 });
    expect(await json("group", "update", "clerks", "--no-level")).toMatchObject({ level: null });
  });

  it("tells other programs of events", async () => {
    const url = "http://127.0.0.1:1/hook";
    const made = await json<{ id: string; secret: string }>("webhook", "create", url, "--event", "user.*");
    expect(made.secret).toMatch(/^whsec_/);
    expect(await json<object[]>("webhook", "list")).toMatchObject([{ id: made.id, url, events: ["user.*"] }]);
    const asked = await local("webhook", "synchronize", made.id);
    expect(asked.stdout).toContain(made.id);
    await expect
      .poll(() => json<{ event: string }[]>("webhook", "deliveries", made.id), { timeout: 60_000 })
      .toMatchObject([{ event: "synchronization.requested" }]);
    expect((await local("webhook", "replay", made.id)).stdout).toContain("0 are sent again");
    expect((await local("webhook", "delete", made.id)).code).toBe(0);
    expect(await json<object[]>("webhook", "list")).toEqual([]);
  });

  it("changes, suspends and activates users", async () => {
    expect(
      await json("user", "update", "zs@example.com", "--nickname", "San", "--administrator"),
    ).toMatchObject({
      nickname: "San",
      roles: ["administrator"],
    });
    expect(await json("user", "update", "zs", "--no-administrator")).toMatchObject({ roles: [] });
    expect(await json("user", "suspend", "zs")).toMatchObject({ status: "suspended" });
    expect(await json("user", "activate", "zs")).toMatchObject({ status: "active" });
  });

  it("deletes a user only when told twice, and never the last administrator", async () => {
    expect((await local("user", "delete", "zs")).code).toBe(2);
    expect((await local("user", "delete", "zs", "--yes")).code).toBe(0);
    expect(await local("user", "show", "zs")).toMatchObject({ code: 1, stderr: "There is no user zs.\n" });
    const last = await local("user", "suspend", "root");
    expect(last).toMatchObject({ code: 1 });
    expect(last.stderr).toContain("user.last_administrator");
  });

  it("manages applications and their secrets", async () => {
    const made = await json<{ id: string; secret: string }>(
      "app",
      "create",
      "shop",
      "--redirect-uri",
      "https://shop.example/cb",
    );
    expect(made.secret.length).toBeGreaterThan(20);
    const rotated = await json<{ secret: string }>("app", "rotate-secret", "shop", "--overlap", "0");
    expect(rotated.secret).not.toBe(made.secret);
    await json("app", "update", "shop", "--access", "assigned", "--name", "Shop");
    expect((await local("app", "assign", "shop", "root")).code).toBe(0);
    expect((await local("app", "unassign", "shop", "root")).code).toBe(0);
    expect(await json("app", "show", "shop")).toMatchObject({
      id: made.id,
      name: "Shop",
      access: "assigned",
    });
    const refused = await local("app", "create", "bad", "--redirect-uri", "http://example.com/");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("/redirectUris/0");
  });

  it("manages API keys, signing keys and sessions", async () => {
    const key = await json<{ id: string; key: string }>(
      "key",
      "create",
      "ci",
      "--user",
      "root",
      "--days",
      "30",
    );
    expect(key.key).toMatch(/^ak_[0-9a-f]{32}$/);
    expect(await json("key", "list", "--user", "root")).toMatchObject([{ id: key.id, name: "ci" }]);
    expect((await local("key", "delete", key.id)).code).toBe(0);
    await json("key", "signing", "rotate", "--algorithm", "EdDSA");
    const keys = await json<{ algorithm: string; status: string }[]>("key", "signing", "list");
    expect(keys.some(({ algorithm }) => algorithm === "EdDSA")).toBe(true);
    expect(await json("session", "list")).toEqual([]);
    expect(await json("session", "revoke", "--user", "root")).toEqual({ revoked: 0 });
  });

  it("exports to a file that only the owner can read, and applies it without a change", async () => {
    const file = join(folder, "export.yaml");
    expect((await local("export", "--output", file)).code).toBe(0);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, "utf8")).toContain("username: root");
    expect(await json("apply", file)).toMatchObject({ changes: [] });
  });

  it("prints secrets that the file left to it, once", async () => {
    const file = join(folder, "more.yaml");
    await writeFile(file, "version: ostiary/v1\ntenants: [{ slug: default, applications: [{ key: more }] }]");
    const { code, stdout, stderr } = await local("apply", file);
    expect(code).toBe(0);
    expect(stderr).toContain("+ default: application more");
    expect(stdout).toMatch(/Generated, and shown this once:\ndefault: application more: \S{40,}/);
    expect((await local("apply", file)).stdout).toBe("0 created, 0 changed, 2 unchanged\n");
  });

  it("reads and verifies the audit log", async () => {
    const entries = await json<{ type: string; actorType: string }[]>(
      "audit",
      "list",
      "--type",
      "user.created",
    );
    expect(entries.length).toBe(2);
    expect(entries[0]).toMatchObject({ actorType: "operator" });
    expect((await local("audit", "verify")).stdout).toMatch(/^unchanged: \d+ entries/);
    const lines = (await local("audit", "export")).stdout.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).seq)).toEqual(lines.map((_, index) => index + 1));
  });

  it("seals its secrets under a new master key, and still opens them", async () => {
    const { resealed } = await json<{ resealed: number }>("migrate", "--rekey");
    expect(resealed).toBeGreaterThan(0);
    expect((await json<object[]>("key", "signing", "list")).length).toBeGreaterThan(0);
    expect((await local("key", "signing", "rotate")).code).toBe(0);
  });
});

describe("serve", () => {
  it("greets on standard error, stops gracefully on a signal, and commands work beside it", async () => {
    const child = startCli(["serve", "--port", "0"], { env });
    const output = { stdout: "", stderr: "" };
    child.stdout?.on("data", (part: Buffer) => {
      output.stdout += part.toString();
    });
    await new Promise<void>((resolve, reject) => {
      child.stderr?.on("data", (part: Buffer) => {
        output.stderr += part.toString();
        if (output.stderr.includes("Ctrl-C stops it")) resolve();
      });
      child.once("exit", (code) => reject(new Error(`ended with ${code}: ${output.stderr}`)));
    });
    const url = /ready at (\S+)/.exec(output.stderr)?.[1] ?? "";
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(await json<object[]>("user", "list")).toMatchObject([{ username: "root" }]);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    child.kill("SIGTERM");
    const [code] = await once(child, "exit");
    expect({ code, stdout: output.stdout }).toEqual({ code: 0, stdout: "" });
  });
});

describe("doctor", () => {
  type Findings = { about: string; level: string; message: string }[];

  it("finds nothing broken in a good installation", async () => {
    const { code, stdout } = await local("doctor", "--json");
    const findings = JSON.parse(stdout) as Findings;
    expect(findings.filter(({ level }) => level === "broken")).toEqual([]);
    expect(code).toBe(0);
    expect(findings.map(({ about }) => about)).toEqual(
      expect.arrayContaining(["node", "master key", "schema", "durability", "connections", "clock", "mail"]),
    );
  });

  it.each([
    ["master key", "a key file that others can read", {}, 0o644],
    ["encryption", "a public address without TLS", { OSTIARY_PUBLIC_URL: "http://id.invalid" }, 0o600],
    ["public URL", "an open port without a public address", { OSTIARY_HOST: "0.0.0.0" }, 0o600],
    ["proxies", "proxies that are everybody", { OSTIARY_TRUSTED_PROXIES: "0.0.0.0/0" }, 0o600],
    ["connections", "more connections than there are", { OSTIARY_WORKERS: "30" }, 0o600],
    ["database", "a database that is not there", { DATABASE_URL: "postgres://127.0.0.1:1/nothing" }, 0o600],
    ["mail", "a mail server that is not there", { OSTIARY_MAIL: "smtp://127.0.0.1:1" }, 0o600],
    ["settings", "a setting that cannot be read", { OSTIARY_WORKERS: "many" }, 0o600],
  ])("says that %s is broken: %s", async (about, _what, settings, mode) => {
    await chmod(join(folder, "data/master.key"), mode);
    const { code, stdout } = await runCli(["doctor", "--json"], { env: { ...env, ...settings } });
    await chmod(join(folder, "data/master.key"), 0o600);
    expect(code).toBe(1);
    const findings = JSON.parse(stdout) as Findings;
    expect(findings.find((finding) => finding.about === about)).toMatchObject({ level: "broken" });
  });
});

describe("called wrongly", () => {
  it.each([
    [[], 2],
    [["nonsense"], 2],
    [["user", "create"], 2],
    [["user", "list", "--nonsense"], 2],
    [["user", "list", "--limit", "0"], 2],
    [["user", "list", "--key", "ak_x"], 2],
    [["user", "list", "--url", "ftp://x", "--key", "ak_x"], 2],
    [["serve", "--clock-control"], 2],
    [["serve", "--port", "99999"], 2],
    [["session", "revoke"], 2],
    [["user", "avatar", "zs"], 2],
    [["user", "avatar", "zs", "--file", "/nowhere.png"], 2],
    [["group", "update", "clerks"], 2],
    [["apply", "/nowhere.yaml"], 1],
    [["user", "list", "--url", "http://127.0.0.1:1", "--key", "ak_x"], 1],
  ])("ostiary %j ends with %i, and answers nothing", async (args, code) => {
    const result = await runCli(args, { env });
    expect({ code: result.code, stdout: result.stdout }).toEqual({ code, stdout: "" });
    expect(result.stderr).not.toBe("");
    expect(result.stderr).not.toContain("    at ");
  });
});

it("every command says what it does, and leaves with examples or an explanation for each option", () => {
  const visit = (command: ReturnType<typeof createProgram>): void => {
    expect(command.description(), command.name()).not.toBe("");
    for (const option of command.options)
      expect(option.description, `${command.name()} ${option.flags}`).not.toBe("");
    for (const inner of command.commands) visit(inner);
  };
  const program = createProgram();
  visit(program);
  expect(program.commands.map((command) => command.name())).toEqual(
    "serve migrate apply export import user app group organization access key session webhook service usage audit doctor bench".split(
      " ",
    ),
  );
});
