// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the file's own variables
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readConfigurationFile } from "./configuration-file.ts";

async function read(text: string, env: Record<string, string> = {}): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), "ostiary-file-"));
  try {
    await writeFile(join(folder, "file.yaml"), text);
    return await readConfigurationFile(join(folder, "file.yaml"), env);
  } finally {
    await rm(folder, { recursive: true });
  }
}

it("takes whole values from the environment, whatever they hold", async () => {
  const env = { A: 'quotes " and: colons', B: "${A}" };
  expect(await read('a: "${A}"\nb: ["${B}"]\nc: x${A}\n', env)).toEqual({
    a: 'quotes " and: colons',
    b: ["$${A}"], // the server takes one $ away: a value is never looked up again
    c: "x${A}",
  });
});

it("leaves values that are meant literally to the server", async () => {
  expect(await read('a: "$${A}"', { A: "1" })).toEqual({ a: "$${A}" });
});

it("takes an empty variable, and names one that is not set", async () => {
  expect(await read('a: "${A}"', { A: "" })).toEqual({ a: "" });
  await expect(read('a: "${A}"')).rejects.toThrow("the variable A, which is not set");
});

it("says where the syntax is wrong", async () => {
  await expect(read("a: 1\nb: [")).rejects.toThrow(/file\.yaml:2:\d+: /);
});
