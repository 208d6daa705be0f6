import { type Static, Type } from "typebox";
import { Code, Id, Line, Lines, Nullable, StrictObject, Timestamp, Version } from "./common.ts";

/** `user:read`; `user:*` stands for every action on users, `*` for everything. */
export const PermissionCode = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: "^(?:\\*|[A-Za-z0-9][A-Za-z0-9_./-]*(?::[A-Za-z0-9][A-Za-z0-9_./-]*)*(?::\\*)?)$",
  description: "`user:read`; `user:*` stands for every action on users, `*` for everything",
  examples: ["user:read"],
});

/**
 * What our own functions ask for, in the namespace `default`. `namespace:write` in a namespace is the right to decide
 * what that namespace's roles and policies give, without having it oneself.
 */
export const PERMISSIONS = [
  "tenant:read",
  "tenant:write",
  "tenants:manage",
  "settings:read",
  "settings:write",
  "user:read",
  "user:write",
  "user:impersonate",
  "role:read",
  "role:write",
  "namespace:read",
  "namespace:write",
  "resource:read",
  "resource:write",
  "policy:read",
  "policy:write",
  "access-grant:read",
  "access-grant:write",
  "access:check",
  "group:read",
  "group:write",
  "organization:read",
  "organization:write",
  "application:read",
  "application:write",
  "api-key:read",
  "api-key:write",
  "session:read",
  "session:write",
  "signing-key:read",
  "signing-key:write",
  "audit:read",
  "configuration:read",
  "configuration:write",
] as const;

export const RoleCode = Code;

/** `editor` in the namespace `default`, `shop/editor` in the namespace `shop`. */
export const RoleName = Type.String({
  minLength: 1,
  maxLength: 257,
  pattern: "^[^\\s\\u0000-\\u001F\\u007F-\\u009F/*]+(?:/[^\\s\\u0000-\\u001F\\u007F-\\u009F/*]+)?$",
  description: "Code of a role; `namespace/code` outside of the namespace `default`",
  examples: ["editor"],
});
export const RoleCodes = Type.Array(RoleName, { maxItems: 200, uniqueItems: true });
const Permissions = Type.Array(PermissionCode, { maxItems: 1_000, uniqueItems: true });

/** A named bundle of permissions. */
export const Role = Type.Object({
  id: Id,
  namespace: Code,
  code: RoleCode,
  name: Type.String(),
  description: Type.String(),
  permissions: Type.Array(Type.String()),
  parentId: Nullable(Id, { description: "The role of the same namespace whose permissions it has too" }),
  system: Type.Boolean({ description: "Built in: can be given and taken, but not changed" }),
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type Role = Static<typeof Role>;

export const CreateRole = StrictObject({
  namespace: Type.Optional(Code),
  code: RoleCode,
  name: Type.Optional(Line(128, { description: "Default: the code" })),
  description: Type.Optional(Lines(1_024)),
  permissions: Type.Optional(Permissions),
  parentId: Type.Optional(Nullable(Id)),
});
export type CreateRole = Static<typeof CreateRole>;

export const UpdateRole = StrictObject({
  code: Type.Optional(RoleCode),
  name: Type.Optional(Line(128)),
  description: Type.Optional(Lines(1_024)),
  permissions: Type.Optional(Permissions),
  parentId: Type.Optional(Nullable(Id)),
});
export type UpdateRole = Static<typeof UpdateRole>;

/** The roles of one user. */
export const UserRoles = StrictObject({ roles: RoleCodes });
export type UserRoles = Static<typeof UserRoles>;

export const EffectivePermissions = Type.Object({
  roles: Type.Array(Type.String()),
  permissions: Type.Array(Type.String()),
});
export type EffectivePermissions = Static<typeof EffectivePermissions>;
