import { type Static, Type } from "typebox";
import { PermissionCode } from "./access.ts";
import { Code, Id, Nullable, OneOf, StrictObject, Timestamp, Version } from "./common.ts";
import { EFFECTS, Pattern, Patterns } from "./policies.ts";

export const SUBJECT_TYPES = ["user", "group", "unit", "application", "role"] as const;
export type SubjectType = (typeof SUBJECT_TYPES)[number];

/** Who may do something, or through whom. */
export const Subject = StrictObject({ type: OneOf(SUBJECT_TYPES), id: Id });
export type Subject = Static<typeof Subject>;

/** A role, a policy, or actions on resources, given to somebody. */
export const AccessGrant = Type.Object({
  id: Id,
  subject: Type.Object({ type: OneOf(SUBJECT_TYPES), id: Id }),
  kind: OneOf(["role", "policy", "resource"]),
  roleId: Nullable(Id),
  policyId: Nullable(Id),
  namespace: Nullable(Code, { description: "Of `resource`" }),
  resource: Nullable(Type.String(), { description: "A pattern" }),
  actions: Nullable(Type.Array(Type.String()), { description: "Patterns" }),
  effect: Nullable(OneOf(EFFECTS)),
  inherit: Type.Boolean({ description: "Of a unit: reaches the members of its sub-units too" }),
  enabled: Type.Boolean(),
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type AccessGrant = Static<typeof AccessGrant>;

const terms = {
  inherit: Type.Optional(
    Type.Boolean({ description: "Of a unit: reaches the members of its sub-units too; default false" }),
  ),
  enabled: Type.Optional(Type.Boolean({ description: "Default true" })),
};

/** One of `roleId`, `policyId`, or `resource` with `actions`. */
export const CreateAccessGrant = StrictObject({
  subject: Subject,
  roleId: Type.Optional(Id),
  policyId: Type.Optional(Id),
  namespace: Type.Optional(Code),
  resource: Type.Optional(Pattern),
  actions: Type.Optional(Patterns),
  effect: Type.Optional(OneOf(EFFECTS, { description: "Default `allow`" })),
  ...terms,
});
export type CreateAccessGrant = Static<typeof CreateAccessGrant>;

export const UpdateAccessGrant = StrictObject({ actions: Type.Optional(Patterns), ...terms });
export type UpdateAccessGrant = Static<typeof UpdateAccessGrant>;

export const SCOPE_TYPES = ["organization", "unit", "application", "namespace"] as const;
export type ScopeType = (typeof SCOPE_TYPES)[number];

/** A place in which a permission may hold. */
export const DelegationScope = StrictObject({
  type: OneOf(SCOPE_TYPES),
  id: Type.String({
    minLength: 1,
    maxLength: 128,
    pattern: "^[^\\s\\u0000-\\u001F\\u007F-\\u009F/*]+$",
    description: "An id; of a namespace, its code",
  }),
});

/** Administrative permissions that hold in one place only. */
export const Delegation = Type.Object({
  id: Id,
  subject: Type.Object({ type: OneOf(SUBJECT_TYPES), id: Id }),
  scope: Type.Object({ type: OneOf(SCOPE_TYPES), id: Type.String() }),
  permissions: Type.Array(Type.String()),
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type Delegation = Static<typeof Delegation>;

const DelegatedPermissions = Type.Array(PermissionCode, { minItems: 1, maxItems: 200, uniqueItems: true });

export const CreateDelegation = StrictObject({
  subject: Subject,
  scope: DelegationScope,
  permissions: DelegatedPermissions,
});
export type CreateDelegation = Static<typeof CreateDelegation>;

export const UpdateDelegation = StrictObject({ permissions: Type.Optional(DelegatedPermissions) });
export type UpdateDelegation = Static<typeof UpdateDelegation>;
