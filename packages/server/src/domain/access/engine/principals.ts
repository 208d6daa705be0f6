import { type CompiledStatement, compileResourceGrant } from "./compile.ts";
import type { Grant, PolicyGrant, ResourceGrant, SubjectRef } from "./model.ts";
import type { SubjectNode, TenantState } from "./tenant-state.ts";

/** One of those for whom a subject counts, and how it came to be one. */
export interface Principal {
  node: SubjectNode;
  from: Principal | null;
  via: "self" | "member" | "ancestor" | "grant" | "parent";
  /** The grant, for `grant`. */
  grant: Grant | null;
}

/**
 * A subject, its groups, its units and their ancestors, the roles of all these, and the parents of those roles; each
 * once, by a shortest way. Cycles in the trees end where they began.
 */
export function principalsOf(state: TenantState, subject: SubjectNode): Principal[] {
  const principals: Principal[] = [];
  const seen = new Set<string>();
  const add = (ref: SubjectRef, via: Principal["via"], from: Principal | null, grant: Grant | null): void => {
    const key = ref.type + ref.id;
    if (seen.has(key)) return;
    const node = from === null ? subject : state.isDefined(ref.type, ref.id) ? state.subject(ref) : undefined;
    if (!node) return;
    seen.add(key);
    principals.push({ node, from, via, grant });
  };

  if (isNobody(state, subject)) return principals;
  add(subject, "self", null, null);
  const [self = null] = principals;
  for (const id of subject.groups) add({ type: "group", id }, "member", self, null);
  for (const id of subject.units) add({ type: "unit", id }, "member", self, null);
  // The list grows while it is walked, so that ancestors' ancestors and parents' parents are reached.
  for (const principal of principals) addParent(state, principal, "unit", add);
  for (const principal of principals) {
    for (const grant of grantsAt(principal)) {
      if (grant.kind === "role") add({ type: "role", id: grant.roleId }, "grant", principal, grant);
    }
    addParent(state, principal, "role", add);
  }
  return principals;
}

function addParent(
  state: TenantState,
  principal: Principal,
  type: "unit" | "role",
  add: (ref: SubjectRef, via: Principal["via"], from: Principal, grant: null) => void,
): void {
  const { node } = principal;
  if (node.type !== type) return;
  const id = (type === "unit" ? state.units.get(node.id) : state.role(node.id))?.parentId;
  if (id) add({ type, id }, type === "unit" ? "ancestor" : "parent", principal, null);
}

function isNobody(state: TenantState, { type, id }: SubjectNode): boolean {
  return type !== "user" && type !== "application" && !state.isDefined(type, id);
}

/** The grants that reach the subject at this principal: from an ancestor only those that are inherited. */
function grantsAt({ node, via }: Principal): readonly Grant[] {
  return via === "ancestor" ? node.grants.filter(({ inherit }) => inherit) : node.grants;
}

/** Where a statement stands: in the role itself, or behind a grant to the principal. */
export interface Source {
  principal: Principal;
  grant: PolicyGrant | ResourceGrant | null;
  statement: CompiledStatement;
}

/** Every statement that holds for the principals, with where it comes from; in all namespaces. */
export function* statementsOf(state: TenantState, principals: readonly Principal[]): Generator<Source> {
  for (const principal of principals) {
    const { node } = principal;
    if (node.type === "role") {
      for (const statement of state.roleStatements(node.id)) yield { principal, grant: null, statement };
    }
    for (const grant of grantsAt(principal)) {
      if (grant.kind === "role") continue;
      for (const statement of grantStatements(state, grant)) yield { principal, grant, statement };
    }
  }
}

export function grantStatements(
  state: TenantState,
  grant: PolicyGrant | ResourceGrant,
): readonly CompiledStatement[] {
  if (grant.kind === "resource") return [compileResourceGrant(grant)];
  return grant.enabled ? state.policyStatements(grant.policyId) : [];
}
