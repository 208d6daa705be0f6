import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { runCli } from "./run-cli.ts";

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

const run = (...args: string[]) => runCli(args, { env });
async function done(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args);
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}: ${stderr}`);
  return stdout;
}

it("groups and organizations are made and filled, and questions about them answered", async () => {
  await done("user", "create", "--administrator", "--username", "root");
  expect(await done("group", "create", "staff", "--level", "5")).toContain("created staff");
  expect(await done("group", "add", "staff", "root")).toContain("1 added");
  expect(await done("group", "list", "--user", "root")).toContain("staff");
  await done("organization", "create", "example", "--name", "Example Ltd");
  await done("organization", "add-unit", "example", "rd");
  await done("organization", "add-unit", "example/rd", "compilers");
  await done("organization", "move-unit", "example/compilers", "example");
  await done("organization", "add-member", "example/rd", "root", "--main", "--position", "Head");
  expect(await done("organization", "tree", "example")).toBe("example  Example Ltd\n  compilers\n  rd\n");
  expect(await done("organization", "members", "example/rd")).toContain("Head");

  expect(await done("access", "check", "write", "user", "--user", "root")).toBe("yes\n");
  const refused = await run("access", "check", "write", "user", "--group", "staff");
  expect(refused).toMatchObject({ code: 1, stdout: "no\n" });
  const explained = await done("access", "explain", "write", "user", "--group", "staff");
  expect(explained).toContain("no: nothing allows it");
  expect(explained).toContain("the role administrator");
  const simulated = [
    "access",
    "simulate",
    "write",
    "user",
    "--group",
    "staff",
    "--give-role",
    "administrator",
  ];
  expect(await done(...simulated)).toBe("now no, then yes\n");
  expect(await done("access", "who", "write", "user")).toContain("allow");
  expect(await done("access", "list", "--user", "root")).toMatch(/allowed\s+\*\s+DATA\s+\*/);
  expect((await run("access", "check", "x", "y")).code).toBe(2);
});
