import { type Static, Type } from "typebox";
import { CreateAccessGrant, SUBJECT_TYPES, Subject } from "./access-grants.ts";
import { Code, Id, Json, Nullable, OneOf, StrictObject } from "./common.ts";
import { ResourceTypeName } from "./namespaces.ts";
import { EFFECTS } from "./policies.ts";

const Text = (description: string, minLength = 1) =>
  Type.String({ minLength, maxLength: 256, pattern: "^[^\\u0000-\\u001F\\u007F-\\u009F]*$", description });

const Attributes = Type.Record(
  Type.String({ maxLength: 128, pattern: "^(?!__proto__$)[A-Za-z][A-Za-z0-9_.-]*$" }),
  Json,
  {
    additionalProperties: false,
    maxProperties: 100,
    description:
      "What conditions may ask about. `user.…` and `application.id` of the subject are known here and cannot be overwritten; `request.time` is now unless given",
    examples: [{ "application.id": "019a8c3f2b7e5d0c4a1b9e7f" }],
  },
);

const question = {
  action: Text("What is to be done; of the permission `user:read`, `read`", 0),
  resource: Text("On what; of the permission `user:read`, `user`"),
  namespace: Type.Optional(Code),
};

/** May this subject do this to that? */
export const AccessQuestion = StrictObject({
  subject: Subject,
  ...question,
  attributes: Type.Optional(Attributes),
});
export type AccessQuestion = Static<typeof AccessQuestion>;

export const AccessVerdict = Type.Object({ allowed: Type.Boolean() });
export type AccessVerdict = Static<typeof AccessVerdict>;

export const MAXIMUM_QUESTIONS = 1_000;

export const AccessQuestions = StrictObject({
  questions: Type.Array(AccessQuestion, { minItems: 1, maxItems: MAXIMUM_QUESTIONS }),
});

/** In the order of the questions. */
export const AccessVerdicts = Type.Object({ results: Type.Array(AccessVerdict) });

const Effect = OneOf(EFFECTS);

const Link = Type.Object({
  type: OneOf([...SUBJECT_TYPES, "policy", "resource"]),
  id: Type.String(),
  code: Nullable(Type.String()),
  via: OneOf(["self", "member", "ancestor", "grant", "parent"]),
  grantId: Nullable(Id),
});

const Reason = Type.Object({
  effect: Effect,
  applies: Type.Boolean({ description: "Whether its conditions let it count" }),
  chain: Type.Array(Link, { description: "The way from the subject to the statement" }),
  statement: Type.Object({
    resources: Type.Array(Type.String()),
    actions: Type.Array(Type.String()),
    effect: Effect,
    conditions: Type.Array(Json),
  }),
  conditions: Type.Array(
    Type.Object({
      condition: Json,
      holds: Nullable(Type.Boolean(), { description: "null: cannot be said" }),
    }),
  ),
});

/** The verdict and what led to it. */
export const AccessExplanation = Type.Object({
  allowed: Type.Boolean(),
  reason: OneOf(["allowed", "denied", "no_grant", "inactive"]),
  because: Type.Array(Reason),
  truncated: Type.Boolean({ description: "Whether there are more reasons than are shown" }),
  wouldAllow: Type.Array(
    Type.Object({ type: OneOf(["role", "policy"]), id: Id, namespace: Code, code: Type.String() }),
    { description: "For `no_grant`: roles and policies that, given to the subject, would allow it" },
  ),
});
export type AccessExplanation = Static<typeof AccessExplanation>;

export const AccessListQuestion = StrictObject({
  subject: Subject,
  namespace: Type.Optional(Code),
  type: Type.Optional(ResourceTypeName),
  attributes: Type.Optional(Attributes),
});
export type AccessListQuestion = Static<typeof AccessListQuestion>;

const ListedResources = Type.Array(
  Type.Object({
    resource: Type.String({ description: "A code or pattern, as it was granted" }),
    type: ResourceTypeName,
    actions: Type.Array(Type.Object({ action: Type.String(), conditional: Type.Boolean() })),
  }),
);

/** What `allowed` matches and `denied` does not. */
export const AccessList = Type.Object({ allowed: ListedResources, denied: ListedResources });
export type AccessList = Static<typeof AccessList>;

export const AccessWhoQuestion = StrictObject({
  ...question,
  type: Type.Optional(OneOf(SUBJECT_TYPES, { description: "Which kind of subjects; default `user`" })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  after: Type.Optional(Id),
});
export type AccessWhoQuestion = Static<typeof AccessWhoQuestion>;

/** In the order of ids. */
export const AccessWho = Type.Object({
  items: Type.Array(
    Type.Object({
      subject: Type.Object({ type: OneOf(SUBJECT_TYPES), id: Id }),
      verdict: OneOf(["allow", "conditional"], { description: "`conditional`: with some attributes" }),
    }),
  ),
  next: Nullable(Id),
});
export type AccessWho = Static<typeof AccessWho>;

const Supposed = Type.Union([
  StrictObject({ type: Type.Literal("grant"), grant: CreateAccessGrant }),
  StrictObject({ type: Type.Literal("revoke"), grantId: Id }),
  StrictObject({
    type: OneOf(["join", "leave"]),
    of: StrictObject({ type: OneOf(["group", "unit"]), id: Id }),
    userId: Id,
  }),
]);
export type SupposedChange = Static<typeof Supposed>;

export const AccessSimulation = StrictObject({
  changes: Type.Array(Supposed, { maxItems: 100 }),
  questions: Type.Array(AccessQuestion, { minItems: 1, maxItems: MAXIMUM_QUESTIONS }),
});
export type AccessSimulation = Static<typeof AccessSimulation>;

/** In the order of the questions. */
export const AccessSimulated = Type.Object({
  results: Type.Array(Type.Object({ before: Type.Boolean(), after: Type.Boolean() })),
});
export type AccessSimulated = Static<typeof AccessSimulated>;
