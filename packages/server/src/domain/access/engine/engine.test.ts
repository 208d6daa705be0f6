import { describe, expect, it } from "vitest";
import { compileCondition, isCondition } from "./conditions.ts";
import { AccessEngine } from "./engine.ts";
import { EngineCache } from "./engine-cache.ts";
import type { Condition, Grant, Question, ResourceGrant, SubjectRef, TenantModel } from "./model.ts";
import { splitPermission } from "./model.ts";
import { isPattern, matches } from "./patterns.ts";

const USER: SubjectRef = { type: "user", id: "user" };
const base = { inherit: false, namespace: "default" };

const may = (resource: string, actions: string[], more: Partial<ResourceGrant> = {}): ResourceGrant => ({
  ...base,
  id: `${resource} ${more.effect ?? "allow"}`,
  kind: "resource",
  subject: USER,
  resource,
  actions,
  effect: "allow",
  ...more,
});

const role = (id: string, permissions: string[], parentId: string | null = null) => ({
  id,
  namespace: "default",
  code: id,
  parentId,
  permissions,
});

const giveRole = (
  subject: { type: "user" | "group" | "unit"; id: string },
  roleId: string,
  inherit = false,
): Grant => ({
  id: `${subject.id} ${roleId}`,
  kind: "role",
  subject,
  roleId,
  inherit,
});

const ask = (action: string, resource: string, more: Partial<Question> = {}): Question => ({
  subject: USER,
  action,
  resource,
  namespace: "default",
  ...more,
});

const group = { id: "staff", code: "staff", level: 3 };
const unit = (id: string, parentId: string | null) => ({ id, code: id, organizationId: "acme", parentId });

/** Sales is below headquarters; the user is in sales and in the group staff. */
const COMPANY: Partial<TenantModel> = {
  groups: [group],
  units: [unit("headquarters", null), unit("sales", "headquarters")],
  members: [
    { of: { type: "unit", id: "sales" }, userIds: ["user"] },
    { of: { type: "group", id: "staff" }, userIds: ["user"] },
  ],
};

describe("the engine", () => {
  it("denies what nobody has allowed", () => {
    expect(AccessEngine.of({}).check(ask("read", "books"))).toBe(false);
    expect(AccessEngine.of({ grants: [may("books", ["read"])] }).check(ask("edit", "books"))).toBe(false);
  });

  it("lets a denial win over any allowance", () => {
    const engine = AccessEngine.of({
      grants: [may("*", ["*"]), may("books:secret", ["*"], { effect: "deny" })],
    });
    expect(engine.check(ask("read", "books:1"))).toBe(true);
    expect(engine.check(ask("read", "books:secret"))).toBe(false);
  });

  it("keeps the namespaces apart", () => {
    const engine = AccessEngine.of({ grants: [may("books", ["read"], { namespace: "shop" })] });
    expect(engine.check(ask("read", "books", { namespace: "shop" }))).toBe(true);
    expect(engine.check(ask("read", "books"))).toBe(false);
  });

  it("matches patterns of resources and of actions, and a pattern asked as it is written", () => {
    const engine = AccessEngine.of({ grants: [may("books:*", ["books:*", "edit"])] });
    expect(engine.check(ask("edit", "books:123"))).toBe(true);
    expect(engine.check(ask("books:delete", "books:*"))).toBe(true);
    expect(engine.check(ask("edit", "books"))).toBe(false);
    expect(engine.check(ask("editor", "books:123"))).toBe(false);
  });

  it("reads permission codes of roles as a resource and an action", () => {
    const allowed = (permission: string, action: string, resource: string) =>
      AccessEngine.of({
        roles: [role("r", [permission])],
        grants: [giveRole({ type: "user", id: "user" }, "r")],
      }).check(ask(action, resource));
    expect(allowed("user:read", "read", "user")).toBe(true);
    expect(allowed("user:read", "write", "user")).toBe(false);
    expect(allowed("user:*", "write", "user")).toBe(true);
    expect(allowed("user:*", "write", "users")).toBe(false);
    expect(allowed("*", "anything", "at all")).toBe(true);
    expect(splitPermission("api-key:secret:read")).toEqual({ resource: "api-key", action: "secret:read" });
  });

  it("gives a role what its parents have, and ends circles of parents", () => {
    const engine = AccessEngine.of({
      roles: [role("child", [], "parent"), role("parent", [], "top"), role("top", ["books:read"], "child")],
      grants: [giveRole({ type: "user", id: "user" }, "child")],
    });
    expect(engine.check(ask("read", "books"))).toBe(true);
    expect(engine.identity(USER).roles.map(({ id, direct }) => [id, direct])).toEqual([
      ["child", true],
      ["parent", false],
      ["top", false],
    ]);
  });

  it("hands down from a unit to its sub-units only what is inherited", () => {
    const roles = [role("reader", ["books:read"])];
    const headquarters = { type: "unit", id: "headquarters" } as const;
    const engine = (inherit: boolean) =>
      AccessEngine.of({ ...COMPANY, roles, grants: [giveRole(headquarters, "reader", inherit)] });
    expect(engine(true).check(ask("read", "books"))).toBe(true);
    expect(engine(false).check(ask("read", "books"))).toBe(false);
    expect(engine(false).check(ask("read", "books", { subject: headquarters }))).toBe(true);
  });

  it("denies everything to the inactive, and gives it back", () => {
    const engine = AccessEngine.of({ grants: [may("*", ["*"])], inactive: [USER] });
    expect(engine.check(ask("read", "books"))).toBe(false);
    expect(engine.explain(ask("read", "books")).reason).toBe("inactive");
    expect(engine.who({ ...ask("read", "books"), type: "user", limit: 9 }).items).toEqual([]);
    engine.applyChange({ type: "subject.activated", subject: USER });
    expect(engine.check(ask("read", "books"))).toBe(true);
  });

  it("takes away at once what came through a group that is deleted", () => {
    const engine = AccessEngine.of({
      ...COMPANY,
      grants: [may("*", ["*"], { subject: { type: "group", id: "staff" } })],
    });
    expect(engine.check(ask("read", "books"))).toBe(true);
    const undo = engine.applyChange({ type: "group.removed", id: "staff" });
    expect(engine.check(ask("read", "books"))).toBe(false);
    expect(undo).toEqual({ type: "group.set", group });
  });

  it("never allows by a missing attribute, and never forgets a denial by one", () => {
    const conditions: Condition[] = [{ attribute: "user.department", operator: "equals", value: "sales" }];
    const policy = (effect: "allow" | "deny") => ({
      id: effect,
      namespace: "default",
      code: effect,
      statements: [{ resources: ["books"], actions: ["read"], effect, conditions }],
    });
    const give = (policyId: string): Grant => ({
      ...base,
      id: policyId,
      kind: "policy",
      subject: USER,
      policyId,
      enabled: true,
    });
    const policies = [policy("allow"), policy("deny")];
    const allowing = AccessEngine.of({ policies, grants: [give("allow")] });
    const denying = AccessEngine.of({ policies, grants: [give("deny"), may("books", ["read"])] });
    const withDepartment = (department: unknown) =>
      ask("read", "books", { attributes: { "user.department": department } });
    expect(allowing.check(withDepartment("sales"))).toBe(true);
    for (const missing of [undefined, null, 7, ["sales"], {}]) {
      expect(allowing.check(withDepartment(missing))).toBe(false);
      expect(denying.check(withDepartment(missing))).toBe(false);
    }
    expect(denying.check(withDepartment("sales"))).toBe(false);
    expect(denying.check(withDepartment("research"))).toBe(true);
  });
});

describe("an explanation", () => {
  it("tells the way from the user by his group and his role to the statement", () => {
    const staff = { type: "group", id: "staff" } as const;
    const engine = AccessEngine.of({
      ...COMPANY,
      roles: [role("reader", ["books:read"])],
      grants: [giveRole(staff, "reader")],
    });
    const { reason, because } = engine.explain(ask("read", "books"));
    expect(reason).toBe("allowed");
    expect(
      because.map(({ chain }) => chain.map(({ type, code, via, grantId }) => [type, code, via, grantId])),
    ).toEqual([
      [
        ["user", null, "self", null],
        ["group", "staff", "member", null],
        ["role", "reader", "grant", "staff reader"],
      ],
    ]);
  });

  it("names the smallest roles that would allow it, when nothing does", () => {
    const engine = AccessEngine.of({
      roles: [
        role("everything", ["*", "a:b"]),
        role("reader", ["books:read"]),
        role("writer", ["books:write"]),
      ],
    });
    expect(engine.explain(ask("read", "books"))).toEqual({
      allowed: false,
      reason: "no_grant",
      because: [],
      truncated: false,
      wouldAllow: [
        { type: "role", id: "reader", namespace: "default", code: "reader" },
        { type: "role", id: "everything", namespace: "default", code: "everything" },
      ],
    });
  });
});

describe("a list", () => {
  it("joins the actions of a resource, keeps patterns and knows the types", () => {
    const engine = AccessEngine.of({
      resources: [{ namespace: "default", code: "books", type: "MENU", actions: ["read"] }],
      grants: [
        may("books:*", ["write", "read"]),
        may("books:*", ["list"], { id: "other" }),
        may("books:1", ["write"], { effect: "deny" }),
        may("cars", ["read"]),
        may("cars", ["*"], { effect: "deny" }),
      ],
    });
    const actions = (...names: string[]) => names.map((action) => ({ action, conditional: false }));
    expect(engine.list({ subject: USER, namespace: "default" })).toEqual({
      allowed: [{ resource: "books:*", type: "MENU", actions: actions("list", "read", "write") }],
      denied: [
        { resource: "books:1", type: "MENU", actions: actions("write") },
        { resource: "cars", type: "DATA", actions: actions("*") },
      ],
    });
  });
});

describe("a list without attributes", () => {
  it("leaves in what is denied only under conditions, and marks the denial", () => {
    const conditions: Condition[] = [{ attribute: "request.ip", operator: "cidr", value: "10.0.0.0/8" }];
    const statements = [{ resources: ["*"], actions: ["*"], effect: "deny" as const, conditions }];
    const engine = AccessEngine.of({
      policies: [{ id: "p", namespace: "default", code: "p", statements }],
      grants: [
        may("books", ["read"]),
        { id: "p", kind: "policy", subject: USER, policyId: "p", enabled: true, inherit: false },
      ],
    });
    const listed = (resource: string, action: string, conditional: boolean) => [
      { resource, type: "DATA", actions: [{ action, conditional }] },
    ];
    expect(engine.list({ subject: USER, namespace: "default" })).toEqual({
      allowed: listed("books", "read", false),
      denied: listed("*", "*", true),
    });
    const attributes = { "request.ip": "192.168.0.1" };
    expect(engine.list({ subject: USER, namespace: "default", attributes })).toEqual({
      allowed: listed("books", "read", false),
      denied: [],
    });
    expect(engine.who({ action: "read", resource: "books", namespace: "default", limit: 1 }).items).toEqual([
      { subject: USER, verdict: "conditional" },
    ]);
  });
});

describe("who", () => {
  it("goes through many users in bounded steps, each once", () => {
    const userIds = Array.from({ length: 12_000 }, (_, index) => `user${String(index).padStart(6, "0")}`);
    const engine = AccessEngine.of({
      groups: [group],
      members: [{ of: { type: "group", id: "staff" }, userIds }],
      grants: [may("books", ["read"], { subject: { type: "user", id: userIds[11_500] ?? "" } })],
    });
    const found: string[] = [];
    let steps = 0;
    let after: string | null = "";
    while (after !== null) {
      const page = engine.who({ ...ask("read", "books"), type: "user", limit: 10, after });
      found.push(...page.items.map(({ subject }) => subject.id));
      after = page.next;
      steps += 1;
    }
    expect(found).toEqual([userIds[11_500]]);
    expect(steps).toBeGreaterThan(1);
  });
});

describe("patterns", () => {
  it("that would explode elsewhere take no time", () => {
    const pattern = `${"a*".repeat(8)}b`;
    const began = performance.now();
    for (let index = 0; index < 1_000; index += 1) expect(matches(pattern, "a".repeat(256))).toBe(false);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  it("have at most 256 characters and 8 stars", () => {
    expect([isPattern("books:*"), isPattern("*".repeat(8)), isPattern("a".repeat(256))]).toEqual([
      true,
      true,
      true,
    ]);
    expect([isPattern(""), isPattern("*".repeat(9)), isPattern("a".repeat(257))]).toEqual([
      false,
      false,
      false,
    ]);
  });
});

describe("conditions", () => {
  const holds = (operator: Condition["operator"], value: Condition["value"], actual: unknown) =>
    compileCondition({ attribute: "x", operator, value })({ x: actual });

  it("compare times with their offsets", () => {
    expect(holds("before", "2026-01-01T12:00:00Z", "2026-01-01T12:30:00+01:00")).toBe(true);
    expect(holds("after", "2026-01-01T12:00:00Z", "2026-01-01T12:00:00.001Z")).toBe(true);
    expect(holds("after", "2026-01-01T12:00:00Z", "2026-01-01")).toBeNull();
    expect(holds("after", "2026-01-01T12:00:00Z", 1_900_000_000_000)).toBeNull();
  });

  it("find addresses of both families in networks", () => {
    expect(holds("cidr", "10.0.0.0/8", "10.255.0.1")).toBe(true);
    expect(holds("cidr", "10.0.0.0/8", "::ffff:10.0.0.1")).toBe(true);
    expect(holds("cidr", "2001:db8::/32", "2001:db8:1::1")).toBe(true);
    expect(holds("cidr", "2001:db8::/32", "10.0.0.1")).toBe(false);
    expect(holds("cidr", ["10.0.0.0/8", "192.168.0.1"], "192.168.0.1")).toBe(true);
    for (const odd of ["fe80::1%eth0", "10.0.0", "", 10]) expect(holds("cidr", "0.0.0.0/0", odd)).toBeNull();
    for (const odd of ["10.0.0.0/33", "x", 1, ["10.0.0.0/8", "x"]])
      expect(holds("cidr", odd, "10.0.0.1")).toBeNull();
  });

  it("see only what is really among the attributes", () => {
    const exists = compileCondition({ attribute: "constructor", operator: "exists", value: true });
    expect([exists({}), exists({ constructor: 1 }), exists({ constructor: null })]).toEqual([
      false,
      true,
      false,
    ]);
  });

  it("are refused when they could never be decided", () => {
    const makesSense = (operator: Condition["operator"], value: Condition["value"]) =>
      isCondition({ attribute: "x", operator, value });
    expect([makesSense("in", ["a", "b"]), makesSense("less", 3), makesSense("exists", false)]).toEqual([
      true,
      true,
      true,
    ]);
    expect([makesSense("in", ["a", 1]), makesSense("less", "3"), makesSense("exists", "yes")]).toEqual([
      false,
      false,
      false,
    ]);
    expect([
      makesSense("cidr", "10.0.0.0/40"),
      makesSense("before", "noon"),
      makesSense("equals", []),
    ]).toEqual([false, false, false]);
  });
});

describe("memory", () => {
  it("of effective sets stays within its budget, whoever asks whatever", () => {
    const budget = 200_000;
    const ids = Array.from({ length: 2_000 }, (_, index) => `user${index}`);
    const engine = AccessEngine.of(
      { grants: ids.map((id) => may("*", ["read"], { id, subject: { type: "user", id } })) },
      budget,
    );
    for (const [index, id] of ids.entries()) {
      expect(engine.check(ask("read", `resource${index}`, { subject: { type: "user", id } }))).toBe(true);
      expect(engine.weight.effective).toBeLessThanOrEqual(budget);
    }
    const [first = ""] = ids;
    for (let index = 0; index < 10_000; index += 1) {
      engine.check(ask("read", `resource${index}`, { subject: { type: "user", id: first } }));
    }
    expect(engine.weight.effective).toBeLessThanOrEqual(2 * budget + 2_048 * 200);
  });

  it("of tenants stays within its budget; those in use stay longer", () => {
    const small = () => AccessEngine.of({ grants: [may("books", ["read"])] });
    const size = small().weight.model;
    const cache = new EngineCache(3.5 * size);
    for (const id of ["a", "b", "c"]) cache.keep(id, small());
    cache.keep("d", small());
    expect(cache.size).toBe(3);
    expect(cache.get("a")).toBeUndefined();
    cache.get("b");
    cache.keep("e", small());
    expect([cache.get("b") !== undefined, cache.get("c")]).toEqual([true, undefined]);
    cache.drop("b");
    expect(cache.get("b")).toBeUndefined();
    expect(cache.weight).toBeLessThanOrEqual(3.5 * size);
  });
});
