import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRole, findPrincipal } from "../domain/access/index.ts";
import { applyConfiguration } from "../domain/configuration/index.ts";
import {
  addRankedMembers,
  createRankedGroup,
  deleteRankedGroup,
  removeRankedMembers,
  updateRankedGroup,
} from "../domain/levels/index.ts";
import { createUser } from "../domain/users/index.ts";
import { anApi, type TestApi } from "../testing/an-api.ts";
import { contextOf } from "../testing/test-deps.ts";

let api: TestApi;
beforeAll(async () => {
  api = await anApi();
});
afterAll(() => api[Symbol.asyncDispose]());

let count = 0;
const coded = (code: string) => expect.objectContaining({ code });
const aGroup = async (level: number | null) =>
  (await api.call("POST", "/groups", { code: `group${++count}`, level })).json<{
    id: string;
    level: number;
  }>();

/** Somebody who may change groups and people, in a group of this level. */
async function aManager(level: number) {
  const admin = contextOf(api.tenantId);
  const role = await createRole(api.deps, admin, {
    code: `managers${++count}`,
    permissions: ["user:read", "group:read", "group:write"],
  });
  const user = await createUser(api.deps, admin, { username: `manager${count}`, roles: [role.code] });
  const group = await aGroup(level);
  await api.call("POST", `/groups/${group.id}/members/add`, { userIds: [user.id] });
  const principal = await findPrincipal(api.deps, api.tenantId, user.id);
  const permissions = principal?.permissions ?? new Set<string>();
  return {
    user,
    group,
    context: contextOf(api.tenantId, { actor: { type: "user", id: user.id }, permissions }),
  };
}

describe("the level of a group", () => {
  it("is written, read, changed and cleared", async () => {
    const made = await aGroup(3);
    expect(made.level).toBe(3);
    const changed = await api.call("PATCH", `/groups/${made.id}`, { level: 4 });
    expect(changed.json()).toMatchObject({ level: 4, version: 2 });
    expect((await api.call("GET", `/groups/${made.id}`)).json()).toMatchObject({ level: 4 });
    expect((await api.call("PATCH", `/groups/${made.id}`, { level: null })).json().level).toBeNull();
    for (const level of [-1, 1.5, "3", 1_000_001, true, [3]]) {
      const refused = await api.call("PATCH", `/groups/${made.id}`, { level });
      expect([level, refused.statusCode, refused.json().code]).toEqual([level, 400, "request.invalid"]);
    }
  });

  it("has names for seven of them", async () => {
    const { items } = (await api.call("GET", "/group-levels")).json<{ items: object[] }>();
    expect(items).toHaveLength(7);
    expect(items[0]).toEqual({ level: 0, name: "Superuser" });
    expect(items.at(-1)).toEqual({ level: 9, name: "Guest" });
  });

  it("is given, changed or taken by nobody who stands lower", async () => {
    const { context, user, group } = await aManager(4);
    const { deps } = api;
    const higher = await aGroup(3);
    await expect(createRankedGroup(deps, context, { code: `new${++count}`, level: 2 })).rejects.toThrow(
      coded("level.too_high"),
    );
    expect((await api.call("GET", `/groups?search=new${count}`)).json().items).toEqual([]);
    const file = {
      version: "ostiary/v1" as const,
      tenants: [{ slug: "default", groups: [{ code: `file${count}`, level: 1 }] }],
    };
    const writer = { ...context, permissions: new Set([...context.permissions, "configuration:write"]) };
    await expect(applyConfiguration(deps, writer, file)).rejects.toThrow(coded("level.too_high"));
    const foreigner = { ...context, actor: { type: "user", id: "5f0b00000000000000000001" } as const };
    await expect(
      createRankedGroup(deps, foreigner, { code: `foreign${count}`, level: 1 }),
    ).resolves.toMatchObject({ level: 1 });
    for (const attempt of [
      () => updateRankedGroup(deps, context, group.id, { level: 0 }),
      () => updateRankedGroup(deps, context, higher.id, { level: 9 }),
      () => addRankedMembers(deps, context, higher.id, [user.id]),
      () => removeRankedMembers(deps, context, higher.id, [user.id]),
      () => deleteRankedGroup(deps, context, higher.id),
    ]) {
      await expect(attempt()).rejects.toThrow(coded("level.too_high"));
    }
    await expect(
      createRankedGroup(deps, context, { code: `new${++count}`, level: 4 }),
    ).resolves.toMatchObject({
      level: 4,
    });
    await expect(updateRankedGroup(deps, context, group.id, { level: 5 })).resolves.toMatchObject({
      level: 5,
    });
  });
});

describe("the level of a user", () => {
  it("is read with the permission to read users, and not of somebody higher", async () => {
    const { user } = await aManager(3);
    expect((await api.call("GET", `/users/${user.id}/level`)).json()).toEqual({
      level: 3,
      isSuperuser: false,
      isStaff: false,
    });
    const unknown = await api.call("GET", "/users/5f0b00000000000000000001/level");
    expect([unknown.statusCode, unknown.json().code]).toEqual([404, "user.not_found"]);
    const bad = await api.call("GET", "/users/x/level");
    expect([bad.statusCode, bad.json().code]).toEqual([400, "request.invalid"]);
  });
});
