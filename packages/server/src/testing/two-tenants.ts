import { expect, vi } from "vitest";
import { listAuditEntries, sealAllAuditEntries } from "../domain/audit/index.ts";
import type { Deps } from "../domain/deps.ts";
import { createTenant, ensureDefaultTenant } from "../domain/tenants/index.ts";
import { createUser } from "../domain/users/index.ts";
import type { RequestContext } from "../kernel/context.ts";
import { ChangeListenerConnection } from "../platform/database/listener.ts";
import { aDatabase, type TestDatabase } from "./a-database.ts";
import { type FrozenClock, frozenClock } from "./frozen-clock.ts";
import { contextOf, QUIET, testDeps } from "./test-deps.ts";

export interface TwoTenants extends AsyncDisposable {
  deps: Deps;
  clock: FrozenClock;
  database: TestDatabase["database"];
  connection: TestDatabase["connection"];
  /** Administrators of the two tenants. */
  context: RequestContext;
  foreign: RequestContext;
  /** A new user of the first tenant. */
  aUser(username: string, roles?: string[]): Promise<string>;
}

/** Two tenants on a database of their own, with a change feed that hears the database as a server's does. */
export async function twoTenants(): Promise<TwoTenants> {
  const test = await aDatabase();
  const clock = frozenClock();
  const deps = testDeps(test.database, { clock });
  const listener = new ChangeListenerConnection(test.connection, deps.feed, QUIET);
  await listener.open();
  const tenant = await ensureDefaultTenant(deps);
  const context = contextOf(tenant.id);
  const other = await createTenant(deps, context, { slug: "other", name: "Other" });
  return {
    deps,
    clock,
    database: test.database,
    connection: test.connection,
    context,
    foreign: contextOf(other.id),
    aUser: async (username, roles = []) => (await createUser(deps, context, { username, roles })).id,
    [Symbol.asyncDispose]: async () => {
      await listener.close();
      await test[Symbol.asyncDispose]();
    },
  };
}

/** What a person may do who holds just these permissions. */
export function holding(context: RequestContext, permissions: string[], userId?: string): RequestContext {
  const actor = userId === undefined ? context.actor : { type: "user" as const, id: userId };
  return { ...context, actor, permissions: new Set(permissions) };
}

/** The registered code that a promise is refused with; `fulfilled` when it is not refused. */
export function refusal(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "fulfilled",
    (error: { code?: string }) => {
      if (error.code === undefined) throw error;
      return error.code;
    },
  );
}

/** The same for several; without repetitions. */
export async function refusals(promises: readonly Promise<unknown>[]): Promise<string[]> {
  return [...new Set(await Promise.all(promises.map(refusal)))];
}

/**
 * The audit entries about one thing of the first tenant, newest first, once there are `count`. They are sealed a
 * little after the commit: transactions of other tests on the same server hold the outbox back.
 */
export async function audited({ deps, context }: TwoTenants, targetId: string, count: number) {
  return vi.waitFor(
    async () => {
      await sealAllAuditEntries(deps);
      const { items } = await listAuditEntries(deps, context.tenantId, { targetId }, 200);
      expect(items).toHaveLength(count);
      return items;
    },
    { timeout: 10_000 },
  );
}
