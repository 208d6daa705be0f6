/** `npm run check`: everything that can be said about the code without running it, each with its time. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { capture, main, nodeProgram, ROOT, say } from "./lib/run.mjs";
import { setUp } from "./set-up.mjs";

const bin = (path) => join(ROOT, "node_modules", path);
const PUBLISHED = ["packages/contracts", "packages/server", "packages/cli", "packages/sdk"];

/** Title and command line of each check, for the pinned Node. */
const CHECKS = [
  ["types", [bin("typescript-native/bin/tsc"), "-p", "tsconfig.json"]],
  [
    "format and lint (npm run format repairs most)",
    [bin("@biomejs/biome/bin/biome"), "ci", "--colors=off", "."],
  ],
  [
    "import walls",
    [bin("dependency-cruiser/bin/dependency-cruise.mjs"), "--config", ".dependency-cruiser.cjs", "packages"],
  ],
  ["dead files, exports and dependencies", [bin("knip/bin/knip.js"), "--no-progress"]],
  ...PUBLISHED.filter((folder) => existsSync(join(ROOT, folder, "dist"))).map((folder) => [
    `package ${folder}`,
    [bin("publint/src/cli.js"), folder, "--pack", "false", "--strict"],
  ]),
];

/** Runs all checks, also after a failed one, and returns the titles of those that failed. */
export async function check() {
  const node = nodeProgram();
  const failed = [];
  for (const [title, command] of CHECKS) {
    const began = performance.now();
    const { code, output } = await capture(node, command);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    say(`${code === 0 ? "ok    " : "FAILED"} ${title} (${seconds} s)`);
    if (code === 0) continue;
    say(output.trim());
    failed.push(title);
  }
  return failed;
}

await main(import.meta.url, async () => {
  await setUp();
  await build();
  return (await check()).length === 0 ? 0 : 1;
});
