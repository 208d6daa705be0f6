import { IdentityError } from "@ostiary/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../../kernel/identifiers.ts";
import { aDatabase, type TestDatabase } from "../../testing/a-database.ts";
import { frozenClock } from "../../testing/frozen-clock.ts";
import { contextOf, testDeps } from "../../testing/test-deps.ts";
import { assignRoles, createRole, findPrincipal } from "../access/index.ts";
import type { Deps } from "../deps.ts";
import { createSession, listSessionsOfUser } from "../sessions/index.ts";
import { createTenant, ensureDefaultTenant } from "../tenants/index.ts";
import {
  createCustomField,
  createUser,
  deleteCustomField,
  deleteUser,
  findUser,
  findUserByIdentifier,
  getUser,
  listUsers,
  suspendUser,
  updateCustomField,
  updateMe,
  updateUser,
} from "./index.ts";

const clock = frozenClock();
let test: TestDatabase;
let deps: Deps;
let admin: ReturnType<typeof contextOf>;

beforeAll(async () => {
  test = await aDatabase();
  deps = testDeps(test.database, { clock });
  admin = contextOf((await ensureDefaultTenant(deps)).id);
});
afterAll(() => test[Symbol.asyncDispose]());

let count = 0;
const unique = (prefix: string) => `${prefix}${++count}`;
const aUser = (input: Parameters<typeof createUser>[2] = {}) =>
  createUser(deps, admin, { username: unique("user"), ...input });
const code = (expected: string) => expect.objectContaining({ code: expected });

describe("creating a user", () => {
  it("keeps what is given and fills in the rest", async () => {
    const user = await aUser({
      username: "zs",
      email: "ZS@example.com",
      phone: "+86 138-0000 0000",
      nickname: "张三",
      profile: { locale: "zh-CN", address: { country: "CN", region: null }, city: "" },
      preferences: { multipleLogin: true },
    });
    expect(user).toMatchObject({
      username: "zs",
      email: "ZS@example.com",
      emailVerified: false,
      phone: "+8613800000000",
      status: "active",
      profile: { locale: "zh-CN", address: { country: "CN" } },
      preferences: { multipleLogin: true },
      roles: [],
      hasPassword: false,
      registerSource: "api",
      loginsCount: 0,
      version: 1,
      createdAt: "2026-01-01T00:00:00.000Z",
    });
    expect(user.profile).not.toHaveProperty("city");
    expect(await findUser(deps, admin.tenantId, user.id)).toEqual(user);
  });

  it.each([
    ["username", { username: "Taken" }, { username: "tAKEN" }, "user.username_taken"],
    ["e-mail", { email: "taken@example.com" }, { email: "TAKEN@EXAMPLE.COM" }, "user.email_taken"],
    ["phone", { phone: "+491234567" }, { phone: "+49 123 4567" }, "user.phone_taken"],
    ["external id", { externalId: "x1" }, { externalId: "x1" }, "user.external_id_taken"],
  ])("refuses a second one with the same %s, in whatever case", async (_, first, second, expected) => {
    await aUser(first);
    await expect(aUser(second)).rejects.toThrow(code(expected));
  });

  it("lets one of eight that race for a username win, and tells the others", async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => createUser(deps, admin, { username: i % 2 ? "Racer" : "racer" })),
    );
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected")
        expect(outcome.reason).toMatchObject({ code: "user.username_taken" });
    }
  });

  it("needs an identifier, and takes empty ones for none", async () => {
    await expect(createUser(deps, admin, { nickname: "nobody" })).rejects.toThrow(
      code("user.identifier_required"),
    );
    await expect(createUser(deps, admin, { username: " ", email: "" })).rejects.toThrow(
      code("user.identifier_required"),
    );
  });

  it("is all or nothing: a password or role that is refused leaves no user", async () => {
    await expect(aUser({ username: "half1", password: { plain: "short" } })).rejects.toThrow(
      code("password.too_short"),
    );
    await expect(aUser({ username: "half2", roles: ["no-such-role"] })).rejects.toThrow(
      code("role.not_found"),
    );
    for (const username of ["half1", "half2"]) {
      expect(await findUserByIdentifier(deps, admin.tenantId, username)).toBeNull();
    }
  });

  it("takes a given id and serial, and later serials are above it", async () => {
    const id = newId(new Date());
    expect(await findPrincipal(deps, admin.tenantId, id)).toBeNull();
    expect(await aUser({ id, serial: 5_000 })).toMatchObject({ id, serial: 5_000 });
    expect((await aUser()).serial).toBeGreaterThan(5_000);
    await expect(aUser({ id })).rejects.toThrow(code("object.id_taken"));
    await expect(aUser({ serial: 5_000 })).rejects.toThrow(code("object.id_taken"));
  });

  it("needs the permission", async () => {
    const reader = contextOf(admin.tenantId, { permissions: new Set(["user:read"]) });
    await expect(createUser(deps, reader, { username: "x" })).rejects.toThrow(code("permission.denied"));
    await expect(listUsers(deps, contextOf(admin.tenantId, { permissions: new Set() }), {})).rejects.toThrow(
      code("permission.denied"),
    );
  });
});

describe("finding a user by what was typed", () => {
  it("takes username, e-mail and phone in any case, and prefers what was proven", async () => {
    const owner = await aUser({ email: "proven@example.com", emailVerified: true, phone: "13911112222" });
    const find = async (identifier: string) =>
      (await findUserByIdentifier(deps, admin.tenantId, identifier))?.id;
    for (const typed of [owner.username?.toUpperCase() ?? "", " Proven@Example.com ", "139 1111-2222"]) {
      expect(await find(typed)).toBe(owner.id);
    }
    const squatter = await aUser({ username: "proven@example.com" });
    expect(await find("proven@example.com")).toBe(owner.id);
    const impostor = await aUser({ username: "13911112222" });
    expect(await find("13911112222")).toBe(impostor.id); // the phone is not verified, a username is unique
    await updateUser(deps, admin, owner.id, { phoneVerified: true });
    expect(await find("13911112222")).toBe(owner.id);
    expect(await find("nobody at all")).toBeUndefined();
    expect(await find("null\0character")).toBeUndefined();
    expect(squatter.id).not.toBe(owner.id);
  });
});

describe("changing a user", () => {
  it("changes what is present, clears what is null and counts versions", async () => {
    const user = await aUser({ nickname: "N", name: "Name", profile: { city: "Bonn", gender: "f" } });
    clock.advance(1);
    const changed = await updateUser(deps, admin, user.id, {
      nickname: null,
      profile: { city: null, company: "Example", address: { country: "DE" } },
    });
    expect(changed).toMatchObject({ nickname: null, name: "Name", version: 2 });
    expect(changed.profile).toEqual({ gender: "f", company: "Example", address: { country: "DE" } });
    const cleared = await updateUser(deps, admin, user.id, { profile: { address: null } });
    expect(cleared.profile).toEqual({ gender: "f", company: "Example" });
  });

  it("leaves the version when nothing is different", async () => {
    const user = await aUser({ profile: { city: "Bonn", company: "B" } });
    expect(await updateUser(deps, admin, user.id, { profile: { company: "B" }, status: "active" })).toEqual(
      user,
    );
  });

  it("takes back the verification of an address that changed, unless told otherwise", async () => {
    const user = await aUser({ email: "old@example.com", emailVerified: true });
    expect(await updateUser(deps, admin, user.id, { email: "OLD@example.com" })).toMatchObject({
      emailVerified: true,
    });
    expect(await updateUser(deps, admin, user.id, { email: "new@example.com" })).toMatchObject({
      emailVerified: false,
    });
    expect(
      await updateUser(deps, admin, user.id, { email: "third@example.com", emailVerified: true }),
    ).toMatchObject({ emailVerified: true });
  });

  it("refuses an old version, and lets one of two that race with the same version win", async () => {
    const user = await aUser();
    await updateUser(deps, admin, user.id, { nickname: "a" }, 1);
    await expect(updateUser(deps, admin, user.id, { nickname: "b" }, 1)).rejects.toThrow(
      code("precondition.failed"),
    );
    const racers = await Promise.allSettled(
      ["x", "y"].map((nickname) => updateUser(deps, admin, user.id, { nickname }, 2)),
    );
    expect(racers.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });

  it("knows no user of another tenant", async () => {
    const other = await createTenant(deps, admin, { slug: unique("other"), name: "Other" });
    const stranger = await createUser(deps, contextOf(other.id), { username: "stranger" });
    await expect(getUser(deps, admin, stranger.id)).rejects.toThrow(code("user.not_found"));
    await expect(updateUser(deps, admin, stranger.id, { name: "x" })).rejects.toThrow(code("user.not_found"));
    await expect(deleteUser(deps, admin, stranger.id)).rejects.toThrow(code("user.not_found"));
    await expect(assignRoles(deps, admin, stranger.id, ["administrator"])).rejects.toThrow(
      code("user.not_found"),
    );
    expect(await findUserByIdentifier(deps, admin.tenantId, "stranger")).toBeNull();
    expect(await findPrincipal(deps, admin.tenantId, stranger.id)).toBeNull();
    expect(await findPrincipal(deps, other.id, stranger.id)).toMatchObject({ username: "stranger" });
  });

  it("lets nobody take over an account with more rights, but change its nickname", async () => {
    const role = unique("role");
    await createRole(deps, admin, { code: role, permissions: ["audit:read"] });
    const auditor = await aUser({ roles: [role] });
    const clerk = contextOf(admin.tenantId, { permissions: new Set(["user:read", "user:write"]) });
    for (const change of [
      { email: "mine@example.com" },
      { status: "suspended" as const },
      { phone: "110" },
    ]) {
      await expect(updateUser(deps, clerk, auditor.id, change)).rejects.toThrow(
        code("permission.escalation"),
      );
    }
    await expect(deleteUser(deps, clerk, auditor.id)).rejects.toThrow(code("permission.escalation"));
    expect(await updateUser(deps, clerk, auditor.id, { nickname: "hi" })).toMatchObject({ nickname: "hi" });
    const equal = contextOf(admin.tenantId, { permissions: new Set(["user:*", "audit:*"]) });
    expect(await suspendUser(deps, equal, auditor.id)).toMatchObject({ status: "suspended" });
  });

  it("lets a user change his own profile and nothing else", async () => {
    const user = await aUser();
    const self = contextOf(admin.tenantId, {
      actor: { type: "user", id: user.id },
      permissions: new Set(),
    });
    expect(await updateMe(deps, self, { nickname: "Me" })).toMatchObject({ nickname: "Me" });
    const sly = { nickname: "Me2", status: "suspended", email: "x@y.z", custom: { a: 1 } } as object;
    expect(await updateMe(deps, self, sly)).toMatchObject({ nickname: "Me2", status: "active", email: null });
  });
});

describe("suspending and deleting", () => {
  it("ends the sessions", async () => {
    const user = await aUser();
    await createSession(deps, admin, { userId: user.id, amr: ["pwd"] });
    await suspendUser(deps, admin, user.id);
    const sessions = await listSessionsOfUser(deps, admin, user.id, {});
    expect(JSON.stringify(sessions)).not.toContain('"revokedAt":null');
  });

  it("erases a deleted user's data, frees the identifiers and remembers that there was one", async () => {
    const user = await aUser({ username: "gone", email: "gone@example.com", profile: { city: "Bonn" } });
    await deleteUser(deps, admin, user.id);
    expect(await findUser(deps, admin.tenantId, user.id)).toBeNull();
    expect(await findPrincipal(deps, admin.tenantId, user.id)).toMatchObject({
      status: "deleted",
      username: null,
      profile: {},
    });
    await expect(deleteUser(deps, admin, user.id)).rejects.toThrow(code("user.not_found"));
    expect(await aUser({ username: "gone", email: "gone@example.com" })).toMatchObject({ username: "gone" });
  });
});

describe("lists", () => {
  it("page through everything once, newest first, and search without wildcards", async () => {
    const tenant = await createTenant(deps, admin, { slug: unique("list"), name: "List" });
    const context = contextOf(tenant.id);
    for (let i = 0; i < 7; i++) {
      clock.advance(1);
      await createUser(deps, context, { username: `page-${i}`, nickname: i === 3 ? "100%_sure" : null });
    }
    const seen: (string | null)[] = [];
    let after: string | undefined;
    do {
      const page = await listUsers(deps, context, { limit: 3, after });
      seen.push(...page.items.map(({ username }) => username));
      after = page.next ?? undefined;
    } while (after);
    expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0].map((i) => `page-${i}`));
    const search = async (text: string) => (await listUsers(deps, context, { search: text })).items.length;
    expect(await search("PAGE-")).toBe(7);
    expect(await search("0%_s")).toBe(1);
    expect(await search("%_s")).toBe(1);
    expect(await search("%_")).toBe(0); // fewer than three characters: where words begin
    expect(await search("10")).toBe(1);
    expect(await search("PA")).toBe(7);
    expect(await search("ge")).toBe(0);
    expect(await search("\\")).toBe(0);
    const [first] = (await listUsers(deps, context, {})).items;
    await assignRoles(deps, context, first?.id ?? "", ["administrator"]);
    expect((await listUsers(deps, context, { role: "administrator" })).items).toHaveLength(1);
    expect((await listUsers(deps, context, { status: "suspended" })).items).toHaveLength(0);
  });
});

describe("custom fields", () => {
  it("accept what fits their definition and name each value that does not", async () => {
    const tenant = await createTenant(deps, admin, { slug: unique("custom"), name: "Custom" });
    const context = contextOf(tenant.id);
    const define = (key: string, type: "string" | "number" | "boolean" | "datetime" | "object") =>
      createCustomField(deps, context, { key, type });
    await define("school", "string");
    await define("age", "number");
    await define("born", "datetime");
    await define("tags", "object");
    const size = await createCustomField(deps, context, { key: "size", type: "select", options: ["S", "M"] });
    await expect(define("age", "string")).rejects.toThrow(code("custom_field.key_taken"));
    const born = "2021-07-30T01:02:03.000456";
    const custom = { school: "ucla", age: 18, born, tags: ["a"], size: "S" };
    const user = await createUser(deps, context, { username: "c", custom });
    expect(user.custom).toEqual(custom);

    const wrong = {
      school: 1,
      age: "18",
      born: "yesterday",
      tags: "a",
      size: "XL",
      unknown: 1,
      __proto__x: 1,
    };
    const failure = await updateUser(deps, context, user.id, { custom: wrong }).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(IdentityError);
    expect((failure as IdentityError).fields?.map(({ path }) => path).sort()).toEqual(
      Object.keys(wrong)
        .map((key) => `/custom/${key}`)
        .sort(),
    );

    expect((await updateUser(deps, context, user.id, { custom: { age: null } })).custom).not.toHaveProperty(
      "age",
    );
    await expect(updateCustomField(deps, context, size.id, { type: "string" })).rejects.toThrow(
      code("custom_field.type_fixed"),
    );
    await expect(updateCustomField(deps, context, size.id, { options: [] })).rejects.toThrow(
      code("request.invalid"),
    );
    await deleteCustomField(deps, context, size.id);
    expect((await getUser(deps, context, user.id)).custom).not.toHaveProperty("size");
  });

  it("are asked of administrators when required, and not of people who sign up", async () => {
    const tenant = await createTenant(deps, admin, { slug: unique("required"), name: "Required" });
    const context = contextOf(tenant.id);
    await createCustomField(deps, context, { key: "badge", type: "string", required: true });
    await expect(createUser(deps, context, { username: "a" })).rejects.toThrow(
      code("custom_field.invalid_value"),
    );
    const visitor = { ...context, actor: { type: "anonymous" as const, id: null } };
    const user = await createUser(deps, visitor, { username: "b" });
    expect(await updateUser(deps, context, user.id, { nickname: "B" })).toMatchObject({ nickname: "B" });
    const badged = await createUser(deps, context, { username: "c", custom: { badge: "7" } });
    await expect(updateUser(deps, context, badged.id, { custom: { badge: null } })).rejects.toThrow(
      code("custom_field.invalid_value"),
    );
  });
});
