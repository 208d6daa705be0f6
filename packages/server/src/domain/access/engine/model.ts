/**
 * What the access engine knows of one tenant: plain data, as the database has it. Decisions and their reasons:
 * docs/decisions/0010-access-engine.md.
 *
 * A reference to something that is not here (a grant of a deleted role, a member of a deleted group) counts for
 * nothing.
 */
export type SubjectType = "user" | "group" | "unit" | "application" | "role";

export interface SubjectRef {
  type: SubjectType;
  id: string;
}

export type Effect = "allow" | "deny";

export type ConditionOperator =
  | "equals"
  | "not_equals"
  | "in"
  | "not_in"
  | "less"
  | "less_or_equal"
  | "greater"
  | "greater_or_equal"
  | "before"
  | "after"
  | "cidr"
  | "prefix"
  | "exists";

export type Scalar = string | number | boolean;

/** What a condition may ask about, by flat name: `user.department`, `application.id`, `request.ip`, `request.time`. */
export type Attributes = Readonly<Record<string, unknown>>;

export interface Condition {
  attribute: string;
  operator: ConditionOperator;
  /** A list for `in`, `not_in` and, if wished, `cidr`; a boolean for `exists`; RFC 3339 for `before` and `after`. */
  value: Scalar | readonly Scalar[];
}

export interface Statement {
  /** Patterns, see `matches`. */
  resources: readonly string[];
  /** Patterns that the whole action must match. */
  actions: readonly string[];
  effect: Effect;
  /** All must hold. */
  conditions: readonly Condition[];
}

export interface AccessResource {
  namespace: string;
  code: string;
  type: "DATA" | "API" | "MENU" | "BUTTON" | "UI";
  actions: readonly string[];
}

export interface AccessRole {
  id: string;
  namespace: string;
  code: string;
  /** A role has all that its parent has. */
  parentId: string | null;
  /** Codes, see `splitPermission`: statements of the role's namespace. */
  permissions: readonly string[];
}

export interface AccessPolicy {
  id: string;
  namespace: string;
  code: string;
  statements: readonly Statement[];
}

export interface AccessGroup {
  id: string;
  code: string;
  level: number | null;
}

export interface AccessUnit {
  id: string;
  code: string;
  organizationId: string;
  parentId: string | null;
}

/** Members of one group or unit; several entries for the same one add up. */
export interface Members {
  of: { type: "group" | "unit"; id: string };
  userIds: readonly string[];
}

interface GrantBase {
  id: string;
  subject: SubjectRef;
  /** For grants to a unit: holds for the members of its sub-units too. Without meaning for other subjects. */
  inherit: boolean;
}

export interface RoleGrant extends GrantBase {
  kind: "role";
  /** Roles are given to everything but roles, which have parents. */
  subject: { type: Exclude<SubjectType, "role">; id: string };
  roleId: string;
}

export interface PolicyGrant extends GrantBase {
  kind: "policy";
  policyId: string;
  enabled: boolean;
}

export interface ResourceGrant extends GrantBase {
  kind: "resource";
  namespace: string;
  /** Pattern. */
  resource: string;
  /** Patterns. */
  actions: readonly string[];
  effect: Effect;
}

export type Grant = RoleGrant | PolicyGrant | ResourceGrant;

export interface TenantModel {
  resources: readonly AccessResource[];
  roles: readonly AccessRole[];
  policies: readonly AccessPolicy[];
  groups: readonly AccessGroup[];
  units: readonly AccessUnit[];
  members: readonly Members[];
  grants: readonly Grant[];
  /** Users and applications that may do nothing: suspended, deleted, disabled. */
  inactive: readonly SubjectRef[];
}

/** What changed. Every change sets or removes one thing, so that doing it twice, or undoing it, is one change too. */
export type AccessChange =
  | { type: "resource.set"; resource: AccessResource }
  | { type: "resource.removed"; namespace: string; code: string }
  | { type: "role.set"; role: AccessRole }
  | { type: "role.removed"; id: string }
  | { type: "policy.set"; policy: AccessPolicy }
  | { type: "policy.removed"; id: string }
  | { type: "group.set"; group: AccessGroup }
  | { type: "group.removed"; id: string }
  | { type: "unit.set"; unit: AccessUnit }
  | { type: "unit.removed"; id: string }
  | { type: "member.added" | "member.removed"; of: Members["of"]; userId: string }
  | { type: "grant.set"; grant: Grant }
  | { type: "grant.removed"; id: string }
  | { type: "subject.activated" | "subject.deactivated"; subject: SubjectRef };

/** May this subject do this to that? */
export interface Question {
  subject: SubjectRef;
  action: string;
  resource: string;
  namespace: string;
  attributes?: Attributes;
}

/**
 * A permission code as a resource and an action, both as a role has it and as a question: `user:read` is the action
 * `read` on `user`; `user:*` every action on it; `*` everything; a code without a colon the empty action.
 */
export function splitPermission(code: string): { resource: string; action: string } {
  if (code === "*") return { resource: "*", action: "*" };
  const colon = code.indexOf(":");
  if (colon === -1) return { resource: code, action: "" };
  return { resource: code.slice(0, colon), action: code.slice(colon + 1) };
}
