import type { Tenant } from "@ostiary/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "../../testing/a-database.ts";
import { contextOf, testDeps } from "../../testing/test-deps.ts";
import { createRole, findPrincipal, listRoles } from "../access/index.ts";
import type { Deps } from "../deps.ts";
import { createGroup } from "../groups/index.ts";
import { ensureDefaultTenant } from "../tenants/index.ts";
import { createUser } from "../users/index.ts";
import {
  addPerson,
  deletePerson,
  findDirectPermissions,
  findPerson,
  getPerson,
  listNumberedPermissions,
  listPeople,
  updatePerson,
} from "./index.ts";

let test: TestDatabase;
let deps: Deps;
let tenant: Tenant;
let admin: ReturnType<typeof contextOf>;
let count = 0;
const email = () => `person${++count}@example.com`;
const coded = (code: string) => expect.objectContaining({ code });
const aGroup = (level: number | null) => createGroup(deps, admin, { code: `g${++count}`, level });
const add = (input: Parameters<typeof addPerson>[3] = {}) =>
  addPerson(deps, admin, tenant, { email: email(), ...input });

/** Somebody who may read and write users, with the level of a group. */
async function aManager(level: number) {
  const group = await aGroup(level);
  const role = await createRole(deps, admin, {
    code: `managers${++count}`,
    permissions: ["user:read", "user:write"],
  });
  const manager = await add({ groups: [group.serial], roles: [role.code] });
  const principal = await findPrincipal(deps, tenant.id, manager.id);
  const context = contextOf(tenant.id, {
    actor: { type: "user", id: manager.id },
    permissions: principal?.permissions ?? new Set(),
  });
  return { manager, group, context };
}

beforeAll(async () => {
  test = await aDatabase();
  deps = testDeps(test.database);
  tenant = await ensureDefaultTenant(deps);
  admin = contextOf(tenant.id);
});
afterAll(() => test[Symbol.asyncDispose]());

describe("the level of a person", () => {
  it("is 0 for superusers, 1 for staff, else the highest of the groups and never below 5", async () => {
    const [high, low, none] = [await aGroup(3), await aGroup(9), await aGroup(null)];
    const levels = [];
    for (const input of [
      { isSuperuser: true, isStaff: true },
      { isStaff: true, groups: [high.serial] },
      { groups: [high.serial, low.serial] },
      { groups: [low.serial] },
      { groups: [none.serial] },
      {},
    ]) {
      levels.push((await add(input)).level);
    }
    expect(levels).toEqual([0, 1, 3, 5, 5, 5]);
  });

  it("is 9 for guests alone, where the tenant lets it count", async () => {
    const guests = await aGroup(9);
    const zibanu = { ...tenant.settings.zibanu, guestLevel: true };
    const strict = { ...tenant, settings: { ...tenant.settings, zibanu } };
    const guest = await addPerson(deps, admin, strict, { email: email(), groups: [guests.serial] });
    expect(guest.level).toBe(9);
    expect((await addPerson(deps, admin, strict, { email: email() })).level).toBe(5);
  });

  it("counts a role that descends from the administrator's", async () => {
    const { items } = await listRoles(deps, admin, {});
    const parent = items.find(({ code }) => code === "administrator");
    const role = await createRole(deps, admin, { code: "deputy", parentId: parent?.id ?? null });
    const person = await add({ roles: [role.code] });
    expect(person).toMatchObject({ isSuperuser: true, level: 0 });
  });
});

describe("a manager", () => {
  it("sees everybody active of his level and below, by given name", async () => {
    const { context, manager } = await aManager(4);
    const above = await add({ groups: [(await aGroup(3)).serial], profile: { givenName: "Above" } });
    const b = await add({ profile: { givenName: "Bb" } });
    const a = await add({ profile: { givenName: "Aa" } });
    const gone = await add({ status: "suspended" });
    const ids = (await listPeople(deps, context, tenant)).map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining([a.id, b.id, manager.id]));
    expect(ids.indexOf(a.id)).toBeLessThan(ids.indexOf(b.id));
    expect(ids).not.toContain(above.id);
    expect(ids).not.toContain(gone.id);
    await expect(getPerson(deps, context, tenant, { id: above.id })).rejects.toThrow(coded("level.too_high"));
  });

  it("makes nobody above himself, and leaves no trace of the attempt", async () => {
    const { context, group } = await aManager(3);
    const higher = await aGroup(2);
    const made = await addPerson(deps, context, tenant, { email: email(), groups: [group.serial] });
    expect(made.level).toBe(3);
    for (const standing of [{ isStaff: true }, { isSuperuser: true }, { groups: [higher.serial] }]) {
      const address = email();
      await expect(addPerson(deps, context, tenant, { email: address, ...standing })).rejects.toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^(level.too_high|permission.escalation)$/) }),
      );
      expect(await findPerson(deps, tenant, { email: address })).toBeNull();
    }
  });

  it("neither changes nor deletes somebody above himself, nor makes himself more", async () => {
    const { context, manager } = await aManager(3);
    const staff = await add({ isStaff: true });
    await expect(
      updatePerson(deps, context, tenant, { id: staff.id }, { profile: { givenName: "Owned" } }),
    ).rejects.toThrow(coded("level.too_high"));
    await expect(deletePerson(deps, context, tenant, { id: staff.id })).rejects.toThrow(
      coded("level.too_high"),
    );
    await expect(
      updatePerson(deps, context, tenant, { id: manager.id }, { isSuperuser: true }),
    ).rejects.toThrow(coded("permission.escalation"));
    await expect(updatePerson(deps, context, tenant, { id: manager.id }, { isStaff: true })).rejects.toThrow(
      coded("level.too_high"),
    );
    await expect(deletePerson(deps, context, tenant, { id: manager.id })).rejects.toThrow(
      coded("user.own_account"),
    );
  });
});

describe("direct permissions", () => {
  it("are given by number and taken again, each as a role of its own", async () => {
    const all = await listNumberedPermissions(deps, admin, tenant);
    const read = all.find(({ code }) => code === "user:read");
    const write = all.find(({ code }) => code === "user:write");
    const person = await add({ permissions: [read?.serial ?? 0] });
    expect((await findDirectPermissions(deps, tenant.id, person.id)).map(({ code }) => code)).toEqual([
      "user:read",
    ]);
    await updatePerson(deps, admin, tenant, { id: person.id }, { permissions: [write?.serial ?? 0] });
    const principal = await findPrincipal(deps, tenant.id, person.id);
    expect([...(principal?.permissions ?? [])]).toEqual(["user:write"]);
  });

  it("are not given by somebody who lacks them, and unknown numbers are refused", async () => {
    const { context } = await aManager(3);
    const all = await listNumberedPermissions(deps, admin, tenant);
    const foreign = all.find(({ code }) => code === "audit:read");
    await expect(
      addPerson(deps, context, tenant, { email: email(), permissions: [foreign?.serial ?? 0] }),
    ).rejects.toThrow(coded("permission.escalation"));
    await expect(add({ permissions: [999_999] })).rejects.toThrow(coded("permission.not_found"));
  });

  it("keep their numbers when others are made at the same time", async () => {
    await createUser(deps, admin, { email: email() });
    const lists = await Promise.all(
      Array.from({ length: 4 }, () => listNumberedPermissions(deps, admin, tenant)),
    );
    expect(new Set(lists.map((list) => JSON.stringify(list))).size).toBe(1);
  });
});
