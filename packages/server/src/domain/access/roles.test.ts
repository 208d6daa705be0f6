import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "../../testing/a-database.ts";
import { frozenClock } from "../../testing/frozen-clock.ts";
import { contextOf, testDeps } from "../../testing/test-deps.ts";
import type { Deps } from "../deps.ts";
import { createTenant, ensureDefaultTenant } from "../tenants/index.ts";
import { createUser, deleteUser, suspendUser } from "../users/index.ts";
import {
  ADMINISTRATOR,
  assignRoles,
  createNamespace,
  createRole,
  deleteRole,
  effectivePermissions,
  findPrincipal,
  getRole,
  hasAdministrator,
  listRoles,
  setRoles,
  unassignRoles,
  updateRole,
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
const unique = (prefix: string) => `${prefix}${++count}`;
const code = (expected: string) => expect.objectContaining({ code: expected });
const aTenant = async () =>
  contextOf((await createTenant(deps, admin, { slug: unique("tenant-"), name: "T" })).id);
const aUser = (context = admin, roles: string[] = []) =>
  createUser(deps, context, { username: unique("user"), roles });

describe("roles", () => {
  it("are made, changed and deleted, and what they give reaches the cached principal", async () => {
    const role = await createRole(deps, admin, { code: "editor", permissions: ["books:read"] });
    const user = await aUser(admin, ["editor"]);
    const principal = async () => findPrincipal(deps, admin.tenantId, user.id);
    expect(await principal()).toMatchObject({ roles: ["editor"], permissionCodes: ["books:read"] });
    await updateRole(deps, admin, role.id, { permissions: ["books:read", "books:edit"] }, 1);
    expect((await principal())?.permissionCodes).toEqual(["books:edit", "books:read"]);
    expect(findPrincipal(deps, admin.tenantId, user.id)).not.toBeInstanceOf(Promise);
    await deleteRole(deps, admin, role.id);
    expect(await principal()).toMatchObject({ roles: [], permissionCodes: [] });
    await expect(getRole(deps, admin, role.id)).rejects.toThrow(code("role.not_found"));
  });

  it("have one code per namespace", async () => {
    await createRole(deps, admin, { code: "twin" });
    await expect(createRole(deps, admin, { code: "twin" })).rejects.toThrow(code("role.code_taken"));
    await expect(createRole(deps, admin, { namespace: "shop", code: "twin" })).rejects.toThrow(
      code("namespace.not_found"),
    );
    await createNamespace(deps, admin, { code: "shop" });
    const other = await createRole(deps, admin, { namespace: "shop", code: "twin" });
    await expect(updateRole(deps, admin, other.id, { name: "x" }, 7)).rejects.toThrow(
      code("precondition.failed"),
    );
    const user = await aUser(admin, ["shop/twin"]);
    expect(user.roles).toEqual(["shop/twin"]);
    const second = await createRole(deps, admin, { code: "renamed" });
    await expect(updateRole(deps, admin, second.id, { code: "twin" })).rejects.toThrow(
      code("role.code_taken"),
    );
    expect((await listRoles(deps, admin, { namespace: "shop" })).items).toHaveLength(1);
  });

  it("that are built in stay as they are", async () => {
    const [role] = (await listRoles(deps, admin, { search: ADMINISTRATOR })).items;
    await expect(updateRole(deps, admin, role?.id ?? "", { permissions: [] })).rejects.toThrow(
      code("role.system_protected"),
    );
    await expect(deleteRole(deps, admin, role?.id ?? "")).rejects.toThrow(code("role.system_protected"));
  });

  it("of another tenant do not exist", async () => {
    const other = await aTenant();
    const theirs = await createRole(deps, other, { code: "theirs" });
    await expect(getRole(deps, admin, theirs.id)).rejects.toThrow(code("role.not_found"));
    await expect(updateRole(deps, admin, theirs.id, { name: "x" })).rejects.toThrow(code("role.not_found"));
    await expect(deleteRole(deps, admin, theirs.id)).rejects.toThrow(code("role.not_found"));
    await expect(aUser(admin, ["theirs"])).rejects.toThrow(code("role.not_found"));
  });
});

describe("nobody gives what he has not", () => {
  it("neither by a role, nor by writing into one, nor by taking it away", async () => {
    const clerk = contextOf(admin.tenantId, { permissions: new Set(["role:write", "user:*"]) });
    await expect(createRole(deps, clerk, { code: "mine", permissions: ["*"] })).rejects.toThrow(
      code("permission.escalation"),
    );
    await createRole(deps, clerk, { code: "fine", permissions: ["user:read"] });
    const strong = await createRole(deps, admin, { code: "strong", permissions: ["settings:write"] });
    await expect(updateRole(deps, clerk, strong.id, { permissions: [] })).rejects.toThrow(
      code("permission.escalation"),
    );
    await expect(deleteRole(deps, clerk, strong.id)).rejects.toThrow(code("permission.escalation"));
    const user = await aUser(admin, ["strong"]);
    await expect(assignRoles(deps, clerk, user.id, [ADMINISTRATOR])).rejects.toThrow(
      code("permission.escalation"),
    );
    await expect(unassignRoles(deps, clerk, user.id, ["strong"])).rejects.toThrow(
      code("permission.escalation"),
    );
    await expect(setRoles(deps, clerk, user.id, [])).rejects.toThrow(code("permission.escalation"));
    expect(await assignRoles(deps, clerk, user.id, ["fine"])).toEqual(["fine", "strong"]);
    expect(await effectivePermissions(deps, clerk, user.id)).toEqual({
      roles: ["fine", "strong"],
      permissions: ["settings:write", "user:read"],
    });
  });

  it("and wildcards cover only what they name", async () => {
    const userAdmin = contextOf(admin.tenantId, { permissions: new Set(["role:write", "user:*"]) });
    await createRole(deps, userAdmin, { code: unique("r"), permissions: ["user:write", "user:*"] });
    for (const permission of ["*", "users:read", "audit:read"]) {
      await expect(
        createRole(deps, userAdmin, { code: unique("r"), permissions: [permission] }),
      ).rejects.toThrow(code("permission.escalation"));
    }
  });
});

describe("the last active administrator", () => {
  it("cannot be suspended, deleted or lose the role", async () => {
    const context = await aTenant();
    expect(await hasAdministrator(deps, context.tenantId)).toBe(false);
    const only = await aUser(context, [ADMINISTRATOR]);
    const refused = code("user.last_administrator");
    await expect(suspendUser(deps, context, only.id)).rejects.toThrow(refused);
    await expect(deleteUser(deps, context, only.id)).rejects.toThrow(refused);
    await expect(unassignRoles(deps, context, only.id, [ADMINISTRATOR])).rejects.toThrow(refused);
    await expect(setRoles(deps, context, only.id, [])).rejects.toThrow(refused);
    expect(await hasAdministrator(deps, context.tenantId)).toBe(true);
  });

  it("does not count a suspended one", async () => {
    const context = await aTenant();
    const [first, second] = [await aUser(context, [ADMINISTRATOR]), await aUser(context, [ADMINISTRATOR])];
    await suspendUser(deps, context, second.id);
    await expect(deleteUser(deps, context, first.id)).rejects.toThrow(code("user.last_administrator"));
  });

  it("stays when all are removed at the same moment, in different ways", async () => {
    for (let round = 0; round < 5; round++) {
      const context = await aTenant();
      const users = await Promise.all(Array.from({ length: 6 }, () => aUser(context, [ADMINISTRATOR])));
      const ways = [
        suspendUser,
        deleteUser,
        (...[d, c, id]: Parameters<typeof suspendUser>) => unassignRoles(d, c, id, [ADMINISTRATOR]),
      ];
      const outcomes = await Promise.allSettled(
        users.map((user, i) => (ways[i % ways.length] ?? suspendUser)(deps, context, user.id)),
      );
      expect(outcomes.filter(({ status }) => status === "rejected")).toHaveLength(1);
      expect(await hasAdministrator(deps, context.tenantId)).toBe(true);
    }
  });
});
