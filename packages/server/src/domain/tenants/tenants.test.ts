import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../../kernel/identifiers.ts";
import { aDatabase, type TestDatabase } from "../../testing/a-database.ts";
import { frozenClock } from "../../testing/frozen-clock.ts";
import { contextOf, testDeps } from "../../testing/test-deps.ts";
import { listRoles } from "../access/index.ts";
import { type Deps, within } from "../deps.ts";
import { createUser } from "../users/index.ts";
import {
  createTenant,
  DEFAULT_SETTINGS,
  deleteTenant,
  ensureDefaultTenant,
  findTenantById,
  findTenantBySlug,
  getSettings,
  getTenant,
  listTenants,
  replaceSettings,
  updateSettings,
  updateTenant,
} from "./index.ts";

let test: TestDatabase;
let deps: Deps;
let admin: ReturnType<typeof contextOf>;

beforeAll(async () => {
  test = await aDatabase();
  deps = testDeps(test.database, { clock: frozenClock() });
  admin = contextOf((await ensureDefaultTenant(deps)).id);
});
afterAll(() => test[Symbol.asyncDispose]());

let count = 0;
const aTenant = () => createTenant(deps, admin, { slug: `tenant-${++count}`, name: "T" });
const code = (expected: string) => expect.objectContaining({ code: expected });

describe("the default tenant", () => {
  it("is one, however many processes make it", async () => {
    await using fresh = await aDatabase();
    const made = await Promise.all(
      Array.from({ length: 6 }, () =>
        ensureDefaultTenant(testDeps(fresh.database, { clock: frozenClock() })),
      ),
    );
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    const context = contextOf(made[0]?.id ?? "");
    const freshDeps = testDeps(fresh.database, { clock: frozenClock() });
    expect((await listRoles(freshDeps, context, {})).items.map((role) => role.code)).toEqual([
      "administrator",
    ]);
  });

  it("takes the id that a configuration file names until it is in use", async () => {
    await using fresh = await aDatabase();
    const own = testDeps(fresh.database, { clock: frozenClock() });
    await ensureDefaultTenant(own);
    const id = newId(new Date());
    expect((await ensureDefaultTenant(own, { id })).id).toBe(id);
    expect((await ensureDefaultTenant(own)).id).toBe(id);
    await createUser(own, contextOf(id), { username: "first" });
    await expect(ensureDefaultTenant(own, { id: newId(new Date()) })).rejects.toThrow(
      code("object.id_fixed"),
    );
  });

  it("can neither be deleted nor get another slug", async () => {
    await expect(deleteTenant(deps, admin, admin.tenantId)).rejects.toThrow(code("tenant.default_protected"));
    await expect(updateTenant(deps, admin, admin.tenantId, { slug: "x" })).rejects.toThrow(
      code("tenant.default_protected"),
    );
    expect(await updateTenant(deps, admin, admin.tenantId, { name: "Example" })).toMatchObject({
      name: "Example",
    });
  });
});

describe("tenants", () => {
  it("are found by slug and id from the cache, and anew after a change", async () => {
    const tenant = await aTenant();
    expect(await findTenantBySlug(deps, tenant.slug)).toEqual(tenant);
    expect(findTenantBySlug(deps, tenant.slug)).toEqual(tenant);
    await findTenantById(deps, tenant.id);
    await updateTenant(deps, admin, tenant.id, { slug: "moved", name: "Moved" });
    expect(await findTenantBySlug(deps, tenant.slug)).toBeNull();
    expect(await findTenantBySlug(deps, "moved")).toMatchObject({ id: tenant.id, version: 2 });
    expect(await findTenantById(deps, tenant.id)).toMatchObject({ slug: "moved" });
  });

  it("that are read in a transaction are not kept: it may be rolled back", async () => {
    await deps.database
      .transaction(async (tx) => {
        const joined = within(deps, tx);
        await createTenant(joined, admin, { slug: "ghost", name: "Ghost" });
        expect(await findTenantBySlug(joined, "ghost")).not.toBeNull();
        throw new Error("no");
      })
      .catch(() => {});
    expect(await findTenantBySlug(deps, "ghost")).toBeNull();
  });

  it("have one slug each, also when two race for it", async () => {
    const racers = await Promise.allSettled(
      [1, 2, 3].map(() => createTenant(deps, admin, { slug: "raced", name: "R" })),
    );
    expect(racers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const tenant = await aTenant();
    await expect(updateTenant(deps, admin, tenant.id, { slug: "raced" })).rejects.toThrow(
      code("tenant.slug_taken"),
    );
    await expect(createTenant(deps, admin, { slug: "new", name: "N", id: tenant.id })).rejects.toThrow(
      code("object.id_taken"),
    );
  });

  it("are made and deleted by administrators of the default tenant only", async () => {
    const tenant = await aTenant();
    const theirs = contextOf(tenant.id);
    await expect(createTenant(deps, theirs, { slug: "sub", name: "S" })).rejects.toThrow(
      code("permission.denied"),
    );
    await expect(listTenants(deps, theirs, {})).rejects.toThrow(code("permission.denied"));
    await expect(getTenant(deps, theirs, admin.tenantId)).rejects.toThrow(code("tenant.not_found"));
    await expect(updateTenant(deps, theirs, admin.tenantId, { name: "x" })).rejects.toThrow(
      code("tenant.not_found"),
    );
    await expect(deleteTenant(deps, theirs, tenant.id)).rejects.toThrow(code("permission.denied"));
    expect(await getTenant(deps, theirs, tenant.id)).toEqual(tenant);
    await deleteTenant(deps, admin, tenant.id);
    await expect(getTenant(deps, admin, tenant.id)).rejects.toThrow(code("tenant.not_found"));
  });

  it("page and search", async () => {
    const { items, next } = await listTenants(deps, admin, { limit: 1 });
    expect(items).toHaveLength(1);
    expect((await listTenants(deps, admin, { after: next ?? "" })).items.length).toBeGreaterThan(0);
    expect((await listTenants(deps, admin, { search: "EXAMPLE" })).items).toHaveLength(1);
  });
});

describe("settings", () => {
  it("are complete, merge group by group and return to their defaults", async () => {
    const { id } = await aTenant();
    const context = contextOf(id);
    expect(await getSettings(deps, context)).toEqual({ settings: DEFAULT_SETTINGS, version: 1 });
    await updateSettings(deps, context, { signUp: "open", lockout: { attempts: 3 } }, 1);
    const { settings } = await updateSettings(deps, context, { lockout: { seconds: 60 } });
    expect(settings).toEqual({
      ...DEFAULT_SETTINGS,
      signUp: "open",
      lockout: { attempts: 3, seconds: 60, maximumSeconds: 3_600 },
    });
    await expect(updateSettings(deps, context, { signUp: "closed" }, 1)).rejects.toThrow(
      code("precondition.failed"),
    );
    expect((await updateSettings(deps, context, { signUp: "open" })).version).toBe(3);
    expect((await replaceSettings(deps, context, { locale: "zh-CN" })).settings).toEqual({
      ...DEFAULT_SETTINGS,
      locale: "zh-CN",
    });
  });

  it("that contradict each other are refused", async () => {
    const context = contextOf((await aTenant()).id);
    await expect(
      updateSettings(deps, context, { passwordPolicy: { minLength: 100, maxLength: 64 } }),
    ).rejects.toThrow(code("request.invalid"));
  });

  it("need their permission, which is not the tenant's", async () => {
    const { id } = await aTenant();
    const context = contextOf(id, { permissions: new Set(["tenant:write"]) });
    await expect(getSettings(deps, context)).rejects.toThrow(code("permission.denied"));
    await expect(updateTenant(deps, context, id, { settings: { signUp: "open" } })).rejects.toThrow(
      code("permission.denied"),
    );
    expect(await updateTenant(deps, context, id, { name: "Mine" })).toMatchObject({ name: "Mine" });
  });
});
