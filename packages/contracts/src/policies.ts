import { type Static, Type } from "typebox";
import { Code, Id, Line, Lines, OneOf, StrictObject, Timestamp, Version } from "./common.ts";

/** `books:*`; `*` stands for any run of characters. */
export const Pattern = Type.String({
  minLength: 1,
  maxLength: 256,
  pattern: "^[^\\u0000-\\u001F\\u007F-\\u009F*]*(?:\\*[^\\u0000-\\u001F\\u007F-\\u009F*]*){0,8}$",
  description: "`*` stands for any run of characters; at most 8 of them",
  examples: ["books:*"],
});
export const Patterns = Type.Array(Pattern, { minItems: 1, maxItems: 200, uniqueItems: true });

export const EFFECTS = ["allow", "deny"] as const;

export const CONDITION_OPERATORS = [
  "equals",
  "not_equals",
  "in",
  "not_in",
  "less",
  "less_or_equal",
  "greater",
  "greater_or_equal",
  "before",
  "after",
  "cidr",
  "prefix",
  "exists",
] as const;

const Scalar = Type.Union([Type.String({ maxLength: 1_024 }), Type.Number(), Type.Boolean()]);

export const Condition = StrictObject({
  attribute: Type.String({
    minLength: 1,
    maxLength: 128,
    pattern: "^(?!__proto__$)[A-Za-z][A-Za-z0-9_.-]*$",
    description:
      "`user.department`, `user.custom.badge`, `application.id`, `request.ip`, `request.time`, or one that the asker sends",
    examples: ["request.ip"],
  }),
  operator: OneOf(CONDITION_OPERATORS),
  value: Type.Union([Scalar, Type.Array(Scalar, { maxItems: 1_000 })], {
    description:
      "A list for `in` and `not_in`, and if wished for `cidr`; a boolean for `exists`; RFC 3339 for `before` and `after`",
  }),
});
export type Condition = Static<typeof Condition>;

/**
 * Allows or denies actions on resources. All its conditions must hold; where an attribute is missing or of the wrong
 * type, a statement that allows does not apply and one that denies does.
 */
export const Statement = StrictObject({
  resources: Patterns,
  actions: Patterns,
  effect: OneOf(EFFECTS),
  conditions: Type.Optional(Type.Array(Condition, { maxItems: 50 })),
});
export type Statement = Static<typeof Statement>;
const Statements = Type.Array(Statement, { maxItems: 200 });

export const Policy = Type.Object({
  id: Id,
  namespace: Code,
  code: Code,
  name: Type.String(),
  description: Type.String(),
  statements: Type.Array(Type.Object(Statement.properties)),
  system: Type.Boolean({ description: "Built in: can be given and taken, but not changed" }),
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type Policy = Static<typeof Policy>;

export const CreatePolicy = StrictObject({
  namespace: Type.Optional(Code),
  code: Code,
  name: Type.Optional(Line(128, { description: "Default: the code" })),
  description: Type.Optional(Lines(1_024)),
  statements: Statements,
});
export type CreatePolicy = Static<typeof CreatePolicy>;

export const UpdatePolicy = StrictObject({
  code: Type.Optional(Code),
  name: Type.Optional(Line(128)),
  description: Type.Optional(Lines(1_024)),
  statements: Type.Optional(Statements),
});
export type UpdatePolicy = Static<typeof UpdatePolicy>;
