import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { recordEvent } from "../domain/audit/index.ts";
import { createSession } from "../domain/sessions/index.ts";
import { createSetUpLink, startFlow } from "../domain/sign-in/index.ts";
import { NO_PERMISSIONS } from "../kernel/context.ts";
import { newSecret } from "../kernel/identifiers.ts";
import { type TwoTenants, twoTenants } from "../testing/two-tenants.ts";
import { runJobs } from "./run-jobs.ts";

const DAY = 86_400;
let world: TwoTenants;

beforeAll(async () => {
  world = await twoTenants();
});
afterAll(() => world[Symbol.asyncDispose]());

const count = async (table: string) =>
  (await world.database.query<{ n: number }>(`select count(*) as n from ${table}`))[0]?.n ?? 0;

it("a round is done by one of all processes, and again a minute later", async () => {
  const rounds = await Promise.all([1, 2, 3].map(() => runJobs(world.deps)));
  expect(rounds.filter(Boolean)).toHaveLength(1);
  expect(await runJobs(world.deps)).toBe(false);
  world.clock.advance(60);
  expect(await runJobs(world.deps)).toBe(true);
});

it("a clock that was set back does not stop the rounds", async () => {
  world.clock.advance(-3_600);
  expect(await runJobs(world.deps)).toBe(true);
  world.clock.advance(3_600);
});

it("what has expired goes, what is alive stays", async () => {
  const { deps, context, clock } = world;
  const visitor = {
    ...context,
    actor: { type: "anonymous" as const, id: null },
    permissions: NO_PERMISSIONS,
  };
  const begin = () => startFlow(deps, visitor, { browser: newSecret(), continuation: {} });
  const ann = await world.aUser("ann");
  await begin();
  await createSession(deps, context, { userId: ann, amr: ["pwd"] });
  await createSetUpLink(deps);
  clock.advance(100 * DAY);
  await begin();
  await createSession(deps, context, { userId: ann, amr: ["pwd"] });
  await runJobs(deps);
  expect(await count("sign_in_flows")).toBe(1);
  expect(await count("sessions")).toBe(1);
  expect(await count("single_uses")).toBe(0);
});

it("events stay in the outbox for a week after they were read, and never go unread", async () => {
  const { deps, context, clock } = world;
  await deps.database.transaction((tx) => recordEvent(deps, tx, context, { type: "configuration.applied" }));
  clock.advance(8 * DAY);
  await world.database.query("update event_cursors set xid = '0', position = 0 where reader = 'audit'");
  const others = "(select xid, position from events order by xid desc, position desc limit 1)";
  await world.database.query(`update event_cursors set (xid, position) = ${others} where reader <> 'audit'`);
  const before = await count("events");
  expect(before).toBeGreaterThan(0);
  await world.database.query("alter table audit_entries disable trigger all");
  await world.database.query("truncate audit_entries, audit_heads");
  // Transactions of other tests on the same server may hold the outbox back for a moment.
  await vi.waitFor(async () => {
    clock.advance(60);
    await runJobs(deps);
    expect(await count("events")).toBe(0);
  }, 10_000);
  expect(await count("audit_entries")).toBe(before);
});
