import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const MODULE = fileURLToPath(new URL("./young-space.ts", import.meta.url));

/** In a process of its own, as the space of this one has long grown. Sizes in MiB. */
const PROGRAM = `
  import { getHeapSpaceStatistics } from "node:v8";
  import { inSmallYoungSpace } from ${JSON.stringify(MODULE)};
  const kept = [];
  const size = () => getHeapSpaceStatistics().find((space) => space.space_name === "new_space").space_size / 2 ** 20;
  const start = async () => {
    for (let i = 0; i < 500_000; i++) kept.push({ i });
    return size();
  };
  const small = await inSmallYoungSpace(start);
  await inSmallYoungSpace(() => Promise.reject(new Error("no"))).catch(() => {});
  console.log(JSON.stringify({ small, grown: await start() }));
`;

it("the space for young objects stays small while something starts, and grows with what comes later", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", PROGRAM]);
  const { small, grown } = JSON.parse(stdout) as { small: number; grown: number };
  expect(small).toBeLessThanOrEqual(4);
  expect(grown).toBeGreaterThanOrEqual(16);
});
