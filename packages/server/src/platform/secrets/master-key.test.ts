import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadMasterKey } from "./master-key.ts";

describe("the master key", () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "ostiary-key-"));
    file = join(folder, "inner", "master.key");
  });
  afterEach(() => rm(folder, { recursive: true }));

  const key = Buffer.from(Array.from({ length: 32 }, (_, i) => (i * 37 + 200) % 256));
  it.each([
    ["base64", key.toString("base64")],
    ["base64url", key.toString("base64url")],
    ["hexadecimal", key.toString("hex")],
    ["capital hexadecimal with a newline", `${key.toString("hex").toUpperCase()}\n`],
  ])("comes from the environment as %s, and no file is made", async (_, fromEnv) => {
    expect(await loadMasterKey({ fromEnv, file })).toEqual(key);
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    ["31 bytes", randomBytes(31).toString("base64")],
    ["33 bytes", randomBytes(33).toString("base64")],
    ["a passphrase", "correct horse battery staple"],
  ])("is refused when it is %s, without being quoted", async (_, fromEnv) => {
    const failure = await loadMasterKey({ fromEnv, file }).catch((error: Error) => error.message);
    expect(failure).toMatch(/^OSTIARY_MASTER_KEY must hold 32 random bytes/);
    expect(failure).not.toContain(fromEnv);
  });

  it("is made once in a file that only its owner can read", async () => {
    const first = await loadMasterKey({ file });
    expect(first).toHaveLength(32);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await loadMasterKey({ fromEnv: "", file })).toEqual(first);
    expect(await readdir(join(folder, "inner"))).toEqual(["master.key"]);
  });

  it("is the same for all who start together", async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => loadMasterKey({ file })));
    expect(new Set(keys.map((each) => each.toString("hex"))).size).toBe(1);
    expect(await readdir(join(folder, "inner"))).toEqual(["master.key"]);
  });

  it("is the same for processes that start together", async () => {
    const script = `
      const { loadMasterKey } = await import(${JSON.stringify(new URL("./master-key.ts", import.meta.url).href)});
      process.stdout.write((await loadMasterKey({ file: ${JSON.stringify(file)} })).toString("hex"));`;
    const printed = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
        let output = "";
        child.stdout.on("data", (chunk) => (output += chunk));
        await once(child, "close");
        return output;
      }),
    );
    expect(printed[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(printed).size).toBe(1);
  });

  it.each([0o640, 0o604, 0o620, 0o666])(
    "is refused from a file with mode %o, and the sentence says what to do",
    async (mode) => {
      await loadMasterKey({ file });
      await chmod(file, mode);
      await expect(loadMasterKey({ file })).rejects.toThrow(`chmod 600 ${file}`);
    },
  );

  it("is never made anew over a file that does not hold one", async () => {
    await writeFile(join(folder, "damaged.key"), "", { mode: 0o600 });
    await expect(loadMasterKey({ file: join(folder, "damaged.key") })).rejects.toThrow(
      "must hold 32 random bytes",
    );
    expect(await readFile(join(folder, "damaged.key"), "utf8")).toBe("");
  });
});
