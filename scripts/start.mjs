/** `npm start [-- arguments]`: sets up, builds, and runs `ostiary serve` on the pinned Node. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { become, Failure, main, nodeProgram, ROOT } from "./lib/run.mjs";
import { setUp } from "./set-up.mjs";

await main(import.meta.url, async (args) => {
  await setUp();
  await build();
  const program = join(ROOT, "packages/cli/dist/main.js");
  if (!existsSync(program)) throw new Failure(`${program} is missing: packages/cli has no main.ts.`);
  return become(nodeProgram(), [program, "serve", ...args]);
});
