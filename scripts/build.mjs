/** Compiles the packages to their dist folders; does nothing when no source has changed since the last time. */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { filesBelow, fingerprint, readIfThere } from "./lib/files.mjs";
import { alone } from "./lib/lock.mjs";
import { capture, Failure, main, nodeProgram, ROOT, step } from "./lib/run.mjs";
import { setUp } from "./set-up.mjs";

const PACKAGES = ["packages/contracts", "packages/server", "packages/cli", "packages/sdk"].map((name) =>
  join(ROOT, name),
);
const COMPILER = join(ROOT, "node_modules/typescript-native/bin/tsc");

export async function build() {
  const packages = PACKAGES.filter((folder) => sources(folder).length > 0);
  for (const folder of PACKAGES)
    if (!packages.includes(folder)) rmSync(join(folder, "dist"), { recursive: true, force: true });
  await alone("build", async () => {
    const stamp = fingerprint([
      ...packages.flatMap(inputs),
      ...["package-lock.json", "tsconfig.base.json"].map((name) => join(ROOT, name)),
    ]);
    if (packages.every((folder) => readIfThere(stampOf(folder)) === stamp && isComplete(folder))) return;
    await step("compiled the packages", () => compile(packages));
    for (const folder of packages) {
      removeStale(folder);
      writeFileSync(stampOf(folder), stamp);
    }
  });
}

const stampOf = (folder) => join(folder, "dist/.stamp");
const isTest = (file) => /\.test\.ts$|\/testing\//.test(file);
const sources = (folder) =>
  filesBelow(join(folder, "src")).filter((file) => file.endsWith(".ts") && !isTest(file));
const inputs = (folder) => [...sources(folder), join(folder, "package.json"), join(folder, "tsconfig.json")];

async function compile(packages) {
  // Without its outputs an incremental build would believe its notes and write nothing.
  for (const folder of packages)
    if (!isComplete(folder)) rmSync(join(folder, "dist"), { recursive: true, force: true });
  const { code, output } = await capture(nodeProgram(), [COMPILER, "-b", ...packages]);
  if (code !== 0) throw new Failure(`${output.trim()}\nThe packages do not compile.`);
}

const outputOf = (folder, source) =>
  join(folder, "dist", relative(join(folder, "src"), source)).replace(/\.ts$/, ".js");
const isComplete = (folder) => sources(folder).every((file) => existsSync(outputOf(folder, file)));

/** The compiler leaves the output of a deleted source where it is, and an import of it would still work. */
function removeStale(folder) {
  const kept = new Set(sources(folder).map((file) => outputOf(folder, file).replace(/\.js$/, "")));
  for (const file of filesBelow(join(folder, "dist")))
    if (/\.(js|d\.ts)(\.map)?$/.test(file) && !kept.has(file.replace(/\.(js|d\.ts)(\.map)?$/, "")))
      rmSync(file);
}

await main(import.meta.url, async () => {
  await setUp();
  await build();
});
