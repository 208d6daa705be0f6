/** `npm run bench [-- arguments]`: sets up, builds, and runs the measurements in bench/. */
import { join } from "node:path";
import { build } from "./build.mjs";
import { become, main, nodeProgram, ROOT } from "./lib/run.mjs";
import { setUp } from "./set-up.mjs";

await main(import.meta.url, async (args) => {
  await setUp();
  await build();
  return become(nodeProgram(), ["--conditions=ostiary-source", join(ROOT, "bench/run.ts"), ...args]);
});
