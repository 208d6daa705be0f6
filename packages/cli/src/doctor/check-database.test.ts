import type { DatabaseFacts } from "@ostiary/server";
import { readConfig } from "@ostiary/server";
import { describe, expect, it } from "vitest";
import { checkClock, checkConnections, checkDurability } from "./check-database.ts";
import { checkNode, checkProcesses } from "./check-machine.ts";

const GOOD: DatabaseFacts = {
  exists: true,
  versionNumber: 180_004,
  migrations: [1],
  newestMigration: 1,
  settings: { fsync: "on", synchronousCommit: "on", fullPageWrites: "on", maxConnections: 100 },
  clockAhead: 3,
};
const withSettings = (settings: Partial<DatabaseFacts["settings"]>): DatabaseFacts => ({
  ...GOOD,
  settings: { ...GOOD.settings, ...settings },
});

describe("doctor", () => {
  it.each([
    [{}, "ok"],
    [{ synchronousCommit: "remote_apply" }, "ok"],
    [{ synchronousCommit: "local" }, "ok"],
    [{ fsync: "off" }, "broken"],
    [{ synchronousCommit: "off" }, "broken"],
    [{ fullPageWrites: "off" }, "broken"],
  ])("finds a database with %j %s", (settings, level) => {
    expect(checkDurability(withSettings(settings)).level).toBe(level);
  });

  it("reckons with a pool and a listener for each process, and some to spare", () => {
    const config = readConfig({ OSTIARY_WORKERS: "4", OSTIARY_POOL_SIZE: "10" });
    expect(checkConnections(withSettings({ maxConnections: 49 }), config).level).toBe("ok");
    const finding = checkConnections(withSettings({ maxConnections: 48 }), config);
    expect(finding).toMatchObject({ level: "broken" });
    expect(finding.message).toContain("4 × (10 + 1) + 5 = 49");
  });

  it.each([
    [3, "ok"],
    [-1_999, "ok"],
    [-2_500, "warning"],
    [31_000, "broken"],
  ])("finds a clock that is %i ms ahead %s", (clockAhead, level) => {
    expect(checkClock({ ...GOOD, clockAhead }).level).toBe(level);
  });

  it("wants no more processes than cores, and Node 22", () => {
    const config = readConfig({ OSTIARY_WORKERS: "3" });
    expect(checkProcesses(config, 2).level).toBe("warning");
    expect(checkProcesses(config, 3).level).toBe("ok");
    expect(checkNode("20.19.0").level).toBe("broken");
    expect(checkNode("22.0.0").level).toBe("ok");
  });
});
