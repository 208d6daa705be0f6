/** Random tenants in a small world, so that everything meets everything: also cycles and references to nothing. */
import fc from "fast-check";
import type {
  AccessChange,
  Attributes,
  Condition,
  Grant,
  Members,
  Question,
  SubjectRef,
  TenantModel,
} from "../model.ts";

/** The same ones for every type: only type and id together name a subject. */
const IDS = {
  user: ["1", "2", "3", "4"],
  group: ["1", "2", "3"],
  unit: ["1", "2", "3", "4"],
  application: ["1", "2"],
  role: ["1", "2", "3", "4", "5"],
};
const POLICIES = ["1", "2", "3"];
const NAMESPACES = ["default", "shop"];
const RESOURCES = ["books", "books:1", "books:1:page", "books:*", "user", "x*y", ""];
const ACTIONS = ["read", "books:edit", "*", ""];
const RESOURCE_PATTERNS = [...RESOURCES, "*", "b*", "books:*:page", "*s:*", "**", "*1", "book*s", "x.y"];
const ACTION_PATTERNS = ["read", "*", "books:*", "r*d", "*d*", "", "edit"];
const PERMISSIONS = ["*", "user:*", "user:read", "books:read", "books:*", "books", "books:1:page", "user:"];

export const SUBJECTS: readonly SubjectRef[] = (Object.keys(IDS) as (keyof typeof IDS)[]).flatMap((type) =>
  IDS[type].map((id) => ({ type, id })),
);

const one = <T>(values: readonly T[]) => fc.constantFrom(...values);
const some = <T>(values: readonly T[], maxLength = 3) => fc.array(one(values), { maxLength, size: "max" });

const TIMES = ["2026-01-01T00:00:00Z", "2026-01-01T01:30:00+02:00", "2026-06-01T00:00:00.5Z", "yesterday"];
const ADDRESSES = ["10.0.0.1", "10.1.0.1", "192.168.7.9", "10.0.0.256"];
const SCALARS = ["sales", "sales:eu", "", 3, 5, -1, true, false, ...TIMES, ...ADDRESSES];
const NAMES = ["user.department", "user.level", "request.time", "request.ip", "constructor"];

export const attributes: fc.Arbitrary<Attributes> = fc.dictionary(
  one(NAMES),
  fc.oneof(one(SCALARS), one([null, undefined, Number.NaN]), fc.constant(["sales"])),
  { maxKeys: 5 },
);

export const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({
    attribute: one(NAMES),
    operator: one<Condition["operator"]>([
      "equals",
      "not_equals",
      "less",
      "less_or_equal",
      "greater",
      "greater_or_equal",
      "before",
      "after",
      "prefix",
      "exists",
    ]),
    value: fc.oneof(one(SCALARS), some(SCALARS)),
  }),
  fc.record({
    attribute: one(NAMES),
    operator: one<Condition["operator"]>(["in", "not_in", "cidr"]),
    value: fc.oneof(one(SCALARS), some(SCALARS), some(["sales", "", "sales:eu"]), some([3, 5, 7])),
  }),
  fc.record({
    attribute: fc.constant("request.ip"),
    operator: fc.constant("cidr" as const),
    value: one(["10.0.0.0/8", "10.0.0.0/16", "0.0.0.0/0", "10.0.0.1", "10.0.0.0/33", "x"]),
  }),
);

const effect = fc.oneof(
  { weight: 3, arbitrary: fc.constant("allow" as const) },
  fc.constant("deny" as const),
);

/** Denials with conditions are as frequent as allowances, as they leave something for others to allow. */
const statement = fc.oneof(
  fc.record({
    resources: some(RESOURCE_PATTERNS),
    actions: some(ACTION_PATTERNS),
    effect,
    conditions: fc.constant([]),
  }),
  fc.record({
    resources: some(RESOURCE_PATTERNS),
    actions: some(ACTION_PATTERNS),
    effect: one(["allow", "deny"] as const),
    conditions: fc.array(condition, { minLength: 1, maxLength: 2 }),
  }),
);

const resource = fc.record({
  namespace: one(NAMESPACES),
  code: one(["books", "user", "books:1"]),
  type: one(["DATA", "API", "MENU", "BUTTON", "UI"] as const),
  actions: fc.constant([]),
});

const role = fc.record({
  id: one(IDS.role),
  namespace: one(NAMESPACES),
  code: one(["editor", "reader"]),
  parentId: fc.option(one([...IDS.role, "gone"])),
  permissions: some(PERMISSIONS, 3),
});

const policy = fc.record({
  id: one(POLICIES),
  namespace: one(NAMESPACES),
  code: one(["strict", "lax"]),
  statements: fc.array(statement, { minLength: 1, maxLength: 3 }),
});

const group = fc.record({ id: one(IDS.group), code: one(["staff", "guests"]), level: fc.option(fc.nat(9)) });

const unit = fc.record({
  id: one(IDS.unit),
  code: fc.constant("unit"),
  organizationId: fc.constant("o1"),
  parentId: fc.option(one([...IDS.unit, "gone"])),
});

const of: fc.Arbitrary<Members["of"]> = fc.oneof(
  fc.record({ type: fc.constant("group" as const), id: one([...IDS.group, "gone"]) }),
  fc.record({ type: fc.constant("unit" as const), id: one([...IDS.unit, "gone"]) }),
);

const subject = one(SUBJECTS);
const roleHolder = fc.oneof(
  fc.record({ type: fc.constant("user" as const), id: one(IDS.user) }),
  fc.record({ type: fc.constant("group" as const), id: one(IDS.group) }),
  fc.record({ type: fc.constant("unit" as const), id: one(IDS.unit) }),
  fc.record({ type: fc.constant("application" as const), id: one(IDS.application) }),
);
const grantId = one(Array.from({ length: 24 }, (_, index) => `grant${index}`));

const grant: fc.Arbitrary<Grant> = fc.oneof(
  fc.record({
    kind: fc.constant("role" as const),
    id: grantId,
    subject: roleHolder,
    inherit: fc.boolean(),
    roleId: one([...IDS.role, "gone"]),
  }),
  fc.record({
    kind: fc.constant("policy" as const),
    id: grantId,
    subject,
    inherit: fc.boolean(),
    policyId: one([...POLICIES, "gone"]),
    enabled: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.constant(false)),
  }),
  fc.record({
    kind: fc.constant("resource" as const),
    id: grantId,
    subject,
    inherit: fc.boolean(),
    namespace: one(NAMESPACES),
    resource: one(RESOURCE_PATTERNS),
    actions: some(ACTION_PATTERNS),
    effect,
  }),
);

/** Mostly full, as an empty world has few questions worth asking. */
const unique = <T extends { id: string }>(arbitrary: fc.Arbitrary<T>, maxLength: number, minLength = 0) =>
  fc.uniqueArray(arbitrary, { minLength, maxLength, size: "max", selector: ({ id }) => id });
const mortal = one(SUBJECTS.filter(({ type }) => type === "user" || type === "application"));

export const model: fc.Arbitrary<TenantModel> = fc.record({
  resources: fc.uniqueArray(resource, { maxLength: 4, selector: ({ namespace, code }) => namespace + code }),
  roles: unique(role, 5, 2),
  policies: unique(policy, 3),
  groups: unique(group, 3),
  units: unique(unit, 4),
  members: fc.array(fc.record({ of, userIds: some(IDS.user, 3) }), { maxLength: 6, size: "max" }),
  grants: unique(grant, 24, 4),
  inactive: fc.array(mortal, { maxLength: 1 }),
});

export const change: fc.Arbitrary<AccessChange> = fc.oneof(
  fc.record({ type: fc.constant("resource.set" as const), resource }),
  fc.record({
    type: fc.constant("resource.removed" as const),
    namespace: one(NAMESPACES),
    code: one(["books", "user"]),
  }),
  fc.record({ type: fc.constant("role.set" as const), role }),
  fc.record({ type: fc.constant("role.removed" as const), id: one(IDS.role) }),
  fc.record({ type: fc.constant("policy.set" as const), policy }),
  fc.record({ type: fc.constant("policy.removed" as const), id: one(POLICIES) }),
  fc.record({ type: fc.constant("group.set" as const), group }),
  fc.record({ type: fc.constant("group.removed" as const), id: one(IDS.group) }),
  fc.record({ type: fc.constant("unit.set" as const), unit }),
  fc.record({ type: fc.constant("unit.removed" as const), id: one(IDS.unit) }),
  fc.record({ type: one(["member.added", "member.removed"] as const), of, userId: one(IDS.user) }),
  { weight: 3, arbitrary: fc.record({ type: fc.constant("grant.set" as const), grant }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("grant.removed" as const), id: grantId }) },
  fc.record({ type: one(["subject.activated", "subject.deactivated"] as const), subject: mortal }),
);

/** Every question that can be asked in this world, without attributes. */
export const ALL_QUESTIONS: readonly Question[] = SUBJECTS.flatMap((subject) =>
  NAMESPACES.flatMap((namespace) =>
    RESOURCES.flatMap((resource) => ACTIONS.map((action) => ({ subject, namespace, resource, action }))),
  ),
);

export const question: fc.Arbitrary<Question> = fc
  .record({ base: one(ALL_QUESTIONS), attributes })
  .map(({ base, attributes }) => ({ ...base, attributes }));
