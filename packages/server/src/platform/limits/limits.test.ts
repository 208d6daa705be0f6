import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LimitRule, RateLimits } from "../../kernel/ports.ts";
import { aDatabase, type TestDatabase } from "../../testing/a-database.ts";
import { frozenClock } from "../../testing/frozen-clock.ts";
import { QUIET } from "../../testing/test-deps.ts";
import { createRateLimits } from "./index.ts";

const rule = { name: "sign-in", points: 3, seconds: 60 };
const blockedFor = async (limits: RateLimits, limit: LimitRule, key: string) =>
  (await limits.look([{ limit, key }]))[0]?.seconds;
let context: TestDatabase;
beforeAll(async () => {
  context = await aDatabase();
});
afterAll(() => context[Symbol.asyncDispose]());

describe.each(["postgres", "memory"] as const)("rate limits in %s", (kind) => {
  const build = () => {
    const clock = frozenClock();
    const limits = createRateLimits({ kind, database: context.database, clock, log: QUIET });
    return { clock, limits };
  };

  it("block when the points are used up, for the whole time from the last one", async () => {
    const { clock, limits } = build();
    for (let i = 0; i < 3; i++) {
      expect(await blockedFor(limits, rule, "ann")).toBe(0);
      expect(await limits.consume(rule, "ann")).toBe(0);
      clock.advance(10);
    }
    expect(await blockedFor(limits, rule, "ann")).toBe(50);
    expect(await limits.consume(rule, "ann")).toBe(50);
    expect(await blockedFor(limits, rule, "bob")).toBe(0);
    expect(await blockedFor(limits, { ...rule, name: "other" }, "ann")).toBe(0);
    clock.advance(50);
    expect(await blockedFor(limits, rule, "ann")).toBe(0);
    expect(await limits.consume(rule, "ann")).toBe(0);
  });

  it("forget the points of a window that has passed, and those that are reset", async () => {
    const { clock, limits } = build();
    await limits.consume(rule, "eve");
    await limits.consume(rule, "eve");
    clock.advance(60);
    await limits.consume(rule, "eve");
    expect(await blockedFor(limits, rule, "eve")).toBe(0);
    await limits.consume(rule, "eve");
    await limits.consume(rule, "eve");
    expect(await blockedFor(limits, rule, "eve")).toBe(60);
    await limits.reset(rule, "eve");
    expect(await blockedFor(limits, rule, "eve")).toBe(0);
  });

  it("are looked at together, each for itself", async () => {
    const { limits } = build();
    await limits.consume(rule, "two");
    for (let i = 0; i < 3; i++) await limits.consume(rule, "three");
    const wanted = ["none", "three", "two"].map((key) => ({ limit: rule, key }));
    expect(await limits.look(wanted)).toEqual([
      { points: 0, seconds: 0 },
      { points: 3, seconds: 60 },
      { points: 1, seconds: 0 },
    ]);
  });

  it("count every one of many at once", async () => {
    const { limits } = build();
    const waits = await Promise.all(Array.from({ length: 20 }, () => limits.consume(rule, "race")));
    expect(waits.filter((wait) => wait === 0)).toHaveLength(3);
  });
});

it("counts in each process for itself where a rule says so, and writes nothing", async () => {
  const { database } = context;
  const make = () => createRateLimits({ kind: "postgres", database, clock: frozenClock(), log: QUIET });
  const [one, other] = [make(), make()];
  const local: LimitRule = { ...rule, name: "local-rule", local: true };
  for (let i = 0; i < 3; i++) expect(await one.consume(local, "ann")).toBe(0);
  expect([await one.consume(local, "ann"), await other.consume(local, "ann")]).toEqual([60, 0]);
  await one.reset(local, "ann");
  expect(await one.consume(local, "ann")).toBe(0);
  expect(await database.query("select key from rate_limits where key like 'local-rule%'")).toEqual([]);
});

it("counts in memory while the table does not answer", async () => {
  const database = { query: () => Promise.reject(new Error("down")) };
  const limits = createRateLimits({ kind: "postgres", database, clock: frozenClock(), log: QUIET });
  for (let i = 0; i < 3; i++) expect(await limits.consume(rule, "ann")).toBe(0);
  expect(await limits.consume(rule, "ann")).toBe(60);
});

it("keeps what people typed out of the table", async () => {
  const { database } = context;
  const limits = createRateLimits({ kind: "postgres", database, clock: frozenClock(), log: QUIET });
  await limits.consume(rule, `ann@example.com ${"x".repeat(5_000)}`);
  const rows = await database.query<{ key: string }>("select key from rate_limits");
  expect(rows.some(({ key }) => key.includes("ann"))).toBe(false);
});
