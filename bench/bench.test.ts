import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { MEASUREMENTS } from "./measurements.ts";
import { readOptions } from "./options.ts";
import type { Report } from "./report.ts";

const NODE = join(import.meta.dirname, "../node_modules/node/bin/node");
const SCRIPT = join(import.meta.dirname, "../scripts/bench.mjs");
const run = promisify(execFile);

describe("the bench", () => {
  it.skipIf(process.platform !== "linux")(
    "measures every operation on the built server and finds no wrong answer",
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "ostiary-bench-test-"));
      try {
        const { stdout } = await run(NODE, [SCRIPT, "--quick", "--seconds", "0.2", "--out", folder]);
        expect(stdout).toContain("No request failed.");
        const file = readdirSync(folder).find((name) => name.endsWith(".json"));
        const report = JSON.parse(readFileSync(join(folder, String(file)), "utf8")) as Report;
        const titles = report.lines.map(({ title }) => title);
        expect(titles).toEqual(expect.arrayContaining(MEASUREMENTS.map(({ title }) => title)));
        for (const line of report.lines) expect(line.perSecond, line.title).toBeGreaterThan(0);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
    240_000,
  );

  it("refuses options that make no sense", () => {
    expect(() => readOptions(["--users", "10"])).toThrow("--users must be a whole number of at least 1000.");
    expect(() => readOptions(["--seconds", "0"])).toThrow("--seconds");
    expect(readOptions(["--help"])).toBeNull();
    expect(readOptions(["--only", "verify, userinfo"])?.only).toEqual(new Set(["verify", "userinfo"]));
  });
});
