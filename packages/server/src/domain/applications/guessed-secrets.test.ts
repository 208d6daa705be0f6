import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { createRateLimits } from "../../platform/limits/index.ts";
import { aDatabase, type TestDatabase } from "../../testing/a-database.ts";
import { frozenClock } from "../../testing/frozen-clock.ts";
import { contextOf, QUIET, testDeps } from "../../testing/test-deps.ts";
import type { Deps } from "../deps.ts";
import { ensureDefaultTenant } from "../tenants/index.ts";
import { type Application, createApplication, findApplication, provesToBe } from "./index.ts";

const clock = frozenClock();
let test: TestDatabase;
/** Two processes that count together. */
let one: Deps;
let two: Deps;
let tenantId: string;
let shop: { application: Application; secret: string };
let number = 0;

beforeAll(async () => {
  test = await aDatabase();
  const { database } = test;
  const limits = createRateLimits({ kind: "postgres", database, clock, log: QUIET });
  one = testDeps(database, { clock, limits });
  two = testDeps(database, { clock, limits });
  tenantId = (await ensureDefaultTenant(one)).id;
});
afterAll(() => test[Symbol.asyncDispose]());
beforeEach(async () => {
  const slug = `shop-${++number}`;
  const made = await createApplication(one, contextOf(tenantId), { slug, name: slug });
  const application = await findApplication(one, tenantId, made.application.id);
  if (!application || made.secret === null) throw new Error("no application");
  shop = { application, secret: made.secret };
});

const ask = (deps: Deps, secret: string, ip: string, known = true) => {
  const { application } = shop;
  return provesToBe(deps, { tenantId, ip }, application.id, known ? application : null, secret);
};
const tried = (deps: Deps, secret: string, ip: string, known = true) => {
  try {
    return ask(deps, secret, ip, known);
  } catch (error) {
    return (error as { code: string }).code;
  }
};
/** Counting goes on after the answer. */
const guess = async (times: number, ip: string, known = true) => {
  for (let i = 0; i < times; i++) tried(one, "wrong", ip, known);
  await expect
    .poll(async () => {
      const rows = await test.database.query<{ points: number }>(
        "select max(points) as points from rate_limits where key like 'client-secret:%' and expire > $1",
        [clock.now().getTime()],
      );
      return rows[0]?.points ?? 0;
    })
    .toBeGreaterThanOrEqual(Math.min(times, 100));
  await new Promise((resolve) => setTimeout(resolve, 50));
};

it("a hundred wrong secrets from one address end its attempts for a quarter of an hour, right ones too", async () => {
  await guess(100, "192.0.2.1");
  expect(tried(one, shop.secret, "192.0.2.1")).toBe("request.rate_limited");
  clock.advance(901);
  expect(tried(one, shop.secret, "192.0.2.1")).toBe(true);
});

it("the service itself, at its own address, notices nothing of a guesser", async () => {
  await guess(150, "192.0.2.2");
  expect(tried(one, shop.secret, "198.51.100.2")).toBe(true);
  expect(tried(one, "wrong", "198.51.100.2")).toBe(false);
});

it("another process has heard of it after one wrong secret", async () => {
  await guess(100, "192.0.2.3");
  expect(tried(two, "wrong", "192.0.2.3")).toBe(false);
  await expect.poll(() => tried(two, shop.secret, "192.0.2.3")).toBe("request.rate_limited");
});

it("an application that does not exist is counted alike", async () => {
  await guess(100, "192.0.2.4", false);
  expect(tried(one, "wrong", "192.0.2.4", false)).toBe("request.rate_limited");
});

it("right secrets are never counted, and cost no statement", () => {
  const offline = { ...one, limits: {} as never };
  for (let i = 0; i < 1_000; i++) expect(ask(offline, shop.secret, "192.0.2.5")).toBe(true);
});

it("a call without a secret is no guess", () => {
  const offline = { ...one, limits: {} as never };
  expect(ask(offline, "", "192.0.2.6")).toBe(false);
});
