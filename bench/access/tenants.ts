/** Tenants to measure with. Ids are new strings each time, as rows from a database bring them. */
import type {
  AccessRole,
  Grant,
  Members,
  TenantModel,
} from "../../packages/server/src/domain/access/engine/index.ts";

/** A small deterministic generator (mulberry32), so that every run measures the same. */
export function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** 24 characters, as ours have. */
export const idOf = (kind: string, index: number): string =>
  Buffer.from(kind + index.toString(16).padStart(24 - kind.length, "0")).toString();

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

const roleOf = (index: number, permissions: string[]): AccessRole => ({
  id: idOf("role", index),
  namespace: "default",
  code: `role${index}`,
  parentId: null,
  permissions,
});

/** One user with 50 roles of 10 permissions. `wildcards`: of the 500, how many have a wildcard resource. */
export function warmTenant(wildcards: number): Partial<TenantModel> {
  const statements = times(500, (index) => ({
    resources: [index < wildcards ? `resource${index}:*` : `resource${index}`],
    actions: ["read"],
    effect: "allow" as const,
    conditions:
      index % 10 === 9 ? [{ attribute: "user.department", operator: "equals" as const, value: "sales" }] : [],
  }));
  const subject = { type: "user" as const, id: idOf("user", 0) };
  const roles = times(50, (index) => roleOf(index, []));
  const given = roles.map(({ id: roleId }, index): Grant => {
    return { kind: "role", id: idOf("give", index), subject, inherit: false, roleId };
  });
  const attached = roles.map(({ id }, index): Grant => {
    const of = { type: "role" as const, id };
    const policyId = idOf("policy", index);
    return {
      kind: "policy",
      id: idOf("attach", index),
      subject: of,
      inherit: false,
      policyId,
      enabled: true,
    };
  });
  const policies = times(50, (index) => ({
    id: idOf("policy", index),
    namespace: "default",
    code: `policy${index}`,
    statements: statements.slice(index * 10, index * 10 + 10),
  }));
  return { roles, policies, grants: [...given, ...attached] };
}

export const LARGE = {
  users: 100_000,
  groups: 10_000,
  roles: 1_000,
  units: 5_000,
  policies: 500,
  grants: 100_000,
};

/** As it would come from the database: in parts of 5,000 rows. */
export function* largeTenant(): Generator<Partial<TenantModel>> {
  const random = randomOf(1);
  yield {
    roles: times(LARGE.roles, (index) =>
      roleOf(
        index,
        times(10, (permission) => `resource${(index + permission * 7) % 800}:action${permission}`),
      ),
    ),
    policies: times(LARGE.policies, (index) => ({
      id: idOf("policy", index),
      namespace: "default",
      code: `policy${index}`,
      statements: times(5, (statement) => ({
        resources: [`resource${(index + statement) % 800}:*`],
        actions: ["read", "list"],
        effect: statement === 4 ? ("deny" as const) : ("allow" as const),
        conditions: [],
      })),
    })),
    groups: times(LARGE.groups, (index) => ({
      id: idOf("group", index),
      code: `group${index}`,
      level: null,
    })),
    units: times(LARGE.units, (index) => ({
      id: idOf("unit", index),
      code: `unit${index}`,
      organizationId: idOf("org", 0),
      parentId: index === 0 ? null : idOf("unit", Math.floor((index - 1) / 8)),
    })),
  };
  const memberships = (type: "group" | "unit", count: number, size: number): Members[] =>
    times(count, (index) => ({
      of: { type, id: idOf(type, index) },
      userIds: times(size, () => idOf("user", random(LARGE.users))),
    }));
  yield* parts("members", memberships("group", LARGE.groups, 20), 250);
  yield* parts("members", memberships("unit", LARGE.units, 20), 250);
  yield* parts(
    "grants",
    times(LARGE.grants, (index) => grantOf(index, random)),
    5_000,
  );
}

function* parts<K extends "members" | "grants">(
  key: K,
  rows: NonNullable<TenantModel[K]>,
  size: number,
): Generator<Partial<TenantModel>> {
  for (let at = 0; at < rows.length; at += size) yield { [key]: rows.slice(at, at + size) };
}

/** 60 % roles of users, 10 % roles of groups, 5 % roles of units, 10 % policies, 15 % single resources. */
function grantOf(index: number, random: (below: number) => number): Grant {
  const share = index % 20;
  const base = { id: idOf("grant", index), inherit: index % 2 === 0 };
  const user = { type: "user" as const, id: idOf("user", random(LARGE.users)) };
  const group = { type: "group" as const, id: idOf("group", random(LARGE.groups)) };
  const unit = { type: "unit" as const, id: idOf("unit", random(LARGE.units)) };
  const roleId = idOf("role", random(LARGE.roles));
  if (share < 12) return { ...base, kind: "role", subject: user, roleId };
  if (share < 14) return { ...base, kind: "role", subject: group, roleId };
  if (share < 15) return { ...base, kind: "role", subject: unit, roleId };
  if (share < 17) {
    return {
      ...base,
      kind: "policy",
      subject: group,
      policyId: idOf("policy", random(LARGE.policies)),
      enabled: true,
    };
  }
  const resource = `document:${random(50_000)}`;
  return {
    ...base,
    kind: "resource",
    subject: user,
    namespace: "default",
    resource,
    actions: ["read"],
    effect: "allow",
  };
}

/** One of a thousand: 100 users, 10 groups, 20 roles, 200 grants. `size`: so many times the users, groups and grants. */
export function smallTenant(seed: number, size = 1): Partial<TenantModel> {
  const random = randomOf(seed);
  const user = (): string => idOf(`user${seed}-`, random(100 * size));
  return {
    roles: times(20, (index) =>
      roleOf(
        index,
        times(10, (permission) => `resource${index}:action${permission}`),
      ),
    ),
    groups: times(10 * size, (index) => ({ id: idOf("group", index), code: `group${index}`, level: null })),
    members: times(10 * size, (index) => ({
      of: { type: "group", id: idOf("group", index) },
      userIds: times(20, user),
    })),
    grants: times(200 * size, (index) => ({
      kind: "role",
      id: idOf("grant", index),
      subject:
        index % 10 > 0
          ? { type: "user", id: user() }
          : { type: "group", id: idOf("group", (index / 10) % (10 * size)) },
      inherit: false,
      roleId: idOf("role", random(20)),
    })),
  };
}
