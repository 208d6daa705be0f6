import { type CompiledStatement, compileRole, compileStatement } from "./compile.ts";
import type { EffectiveSet } from "./effective-set.ts";
import type {
  AccessChange,
  AccessGroup,
  AccessPolicy,
  AccessResource,
  AccessRole,
  AccessUnit,
  Grant,
  Members,
  SubjectRef,
  SubjectType,
} from "./model.ts";

/** A subject with what hangs directly on it. Kept only while there is something to keep. */
export interface SubjectNode {
  readonly type: SubjectType;
  readonly id: string;
  grants: readonly Grant[];
  /** Ids of the groups and units of a user. */
  groups: readonly string[];
  units: readonly string[];
  inactive: boolean;
  effective: EffectiveSet | null;
}

interface Compiled<T> {
  readonly value: T;
  /** Made when first needed. */
  statements: readonly CompiledStatement[] | null;
}

/** Rough bytes of the parts, with what is compiled from them and ids of 24 characters; see `bench/access`. */
const BYTES = {
  subject: 280,
  membership: 40,
  grant: 360,
  role: 300,
  permission: 350,
  statement: 450,
  entry: 200,
};

const NONE: readonly never[] = [];
const newNode = (type: SubjectType, id: string): SubjectNode => ({
  type,
  id,
  grants: NONE,
  groups: NONE,
  units: NONE,
  inactive: false,
  effective: null,
});

/**
 * The tables of one tenant. Every operation sets or removes one thing and says what would undo it, or null when it
 * changed nothing. References between the tables are ids, followed when asked: order does not matter.
 */
export class TenantState {
  readonly #subjects: Record<SubjectType, Map<string, SubjectNode>> = {
    user: new Map(),
    group: new Map(),
    unit: new Map(),
    application: new Map(),
    role: new Map(),
  };
  readonly #roles = new Map<string, Compiled<AccessRole>>();
  readonly #policies = new Map<string, Compiled<AccessPolicy>>();
  readonly #resources = new Map<string, Map<string, AccessResource>>();
  readonly #grants = new Map<string, Grant>();
  /** Made when first needed, and forgotten when something comes or goes. */
  readonly #sorted: Partial<Record<SubjectType, readonly SubjectNode[] | null>> = {};
  readonly groups = new Map<string, AccessGroup>();
  readonly units = new Map<string, AccessUnit>();
  /** Estimated bytes. */
  weight = 0;

  /** A subject that may have rights. A user or application that nothing is known of has none. */
  subject({ type, id }: SubjectRef): SubjectNode | undefined {
    return this.#subjects[type]?.get(id) ?? (this.isDefined(type, id) ? newNode(type, id) : undefined);
  }

  /** Whether this very node is in the table, and not one made for a question. */
  keeps(node: SubjectNode): boolean {
    return this.#subjects[node.type].get(node.id) === node;
  }

  /** The subjects of a type that are known of, by id. */
  sorted(type: SubjectType): readonly SubjectNode[] {
    const known = this.#sorted[type];
    if (known) return known;
    const sorted = [...this.#known(type)].sort((a, b) => (a.id < b.id ? -1 : 1));
    this.#sorted[type] = sorted;
    return sorted;
  }

  *#known(type: SubjectType): Generator<SubjectNode> {
    if (type === "user" || type === "application") return yield* this.#subjects[type].values();
    const tables = { role: this.#roles, group: this.groups, unit: this.units };
    for (const id of tables[type].keys()) yield this.#subjects[type].get(id) ?? newNode(type, id);
  }

  /** Groups, units and roles that are not there have no rights, whatever still points to them. */
  isDefined(type: SubjectType, id: string): boolean {
    if (type === "role") return this.#roles.has(id);
    if (type === "group") return this.groups.has(id);
    return type === "unit" && this.units.has(id);
  }

  role(id: string): AccessRole | undefined {
    return this.#roles.get(id)?.value;
  }

  policy(id: string): AccessPolicy | undefined {
    return this.#policies.get(id)?.value;
  }

  *roles(): Generator<AccessRole> {
    for (const { value } of this.#roles.values()) yield value;
  }

  *policies(): Generator<AccessPolicy> {
    for (const { value } of this.#policies.values()) yield value;
  }

  resource(namespace: string, code: string): AccessResource | undefined {
    return this.#resources.get(namespace)?.get(code);
  }

  roleStatements(id: string): readonly CompiledStatement[] {
    const role = this.#roles.get(id);
    if (!role) return NONE;
    role.statements ??= compileRole(role.value);
    return role.statements;
  }

  policyStatements(id: string): readonly CompiledStatement[] {
    const policy = this.#policies.get(id);
    if (!policy) return NONE;
    const { namespace, statements } = policy.value;
    policy.statements ??= statements.map((statement) => compileStatement(namespace, statement));
    return policy.statements;
  }

  apply(change: AccessChange): AccessChange | null {
    switch (change.type) {
      case "role.set":
        return this.#setRole(change.role);
      case "role.removed":
        return this.#removeRole(change.id);
      case "policy.set":
        return this.#setPolicy(change.policy);
      case "policy.removed":
        return this.#removePolicy(change.id);
      case "grant.set":
        return this.#setGrant(change.grant);
      case "grant.removed":
        return this.#removeGrant(change.id);
      case "member.added":
        return this.#setMember(change.of, change.userId, true);
      case "member.removed":
        return this.#setMember(change.of, change.userId, false);
      case "subject.activated":
        return this.#setInactive(change.subject, false);
      case "subject.deactivated":
        return this.#setInactive(change.subject, true);
      default:
        return this.#applyToCatalogue(change);
    }
  }

  /** Groups, units and resources: things without statements of their own. */
  #applyToCatalogue(change: AccessChange): AccessChange | null {
    switch (change.type) {
      case "group.set":
      case "group.removed": {
        const id = change.type === "group.set" ? change.group.id : change.id;
        this.#sorted.group = null;
        const before = this.#put(this.groups, id, change.type === "group.set" ? change.group : undefined);
        return undo(before, change.type, (group) => ({ type: "group.set", group }), {
          type: "group.removed",
          id,
        });
      }
      case "unit.set":
      case "unit.removed": {
        const id = change.type === "unit.set" ? change.unit.id : change.id;
        this.#sorted.unit = null;
        const before = this.#put(this.units, id, change.type === "unit.set" ? change.unit : undefined);
        return undo(before, change.type, (unit) => ({ type: "unit.set", unit }), {
          type: "unit.removed",
          id,
        });
      }
      case "resource.set":
      case "resource.removed": {
        const { namespace, code } = change.type === "resource.set" ? change.resource : change;
        const resources = this.#resources.get(namespace) ?? new Map<string, AccessResource>();
        this.#resources.set(namespace, resources);
        const before = this.#put(
          resources,
          code,
          change.type === "resource.set" ? change.resource : undefined,
        );
        if (resources.size === 0) this.#resources.delete(namespace);
        const removed = { type: "resource.removed", namespace, code } as const;
        return undo(before, change.type, (resource) => ({ type: "resource.set", resource }), removed);
      }
      default:
        return null;
    }
  }

  #put<T>(table: Map<string, T>, id: string, value: T | undefined): T | undefined {
    const before = table.get(id);
    if (value === undefined) table.delete(id);
    else table.set(id, value);
    this.weight += BYTES.entry * (Number(value !== undefined) - Number(before !== undefined));
    return before;
  }

  #setRole(role: AccessRole): AccessChange {
    const undone = this.#removeRole(role.id) ?? ({ type: "role.removed", id: role.id } as const);
    this.#sorted.role = null;
    this.#roles.set(role.id, { value: role, statements: null });
    this.weight += weightOfRole(role);
    return undone;
  }

  #removeRole(id: string): AccessChange | null {
    const before = this.#roles.get(id)?.value;
    if (!before) return null;
    this.#roles.delete(id);
    this.#sorted.role = null;
    this.weight -= weightOfRole(before);
    return { type: "role.set", role: before };
  }

  #setPolicy(policy: AccessPolicy): AccessChange {
    const undone = this.#removePolicy(policy.id) ?? ({ type: "policy.removed", id: policy.id } as const);
    this.#policies.set(policy.id, { value: policy, statements: null });
    this.weight += weightOfPolicy(policy);
    return undone;
  }

  #removePolicy(id: string): AccessChange | null {
    const before = this.#policies.get(id)?.value;
    if (!before) return null;
    this.#policies.delete(id);
    this.weight -= weightOfPolicy(before);
    return { type: "policy.set", policy: before };
  }

  #setGrant(grant: Grant): AccessChange {
    const undone = this.#removeGrant(grant.id) ?? ({ type: "grant.removed", id: grant.id } as const);
    const node = this.#node(grant.subject);
    const kept = this.#withSharedIds(grant, node);
    this.#grants.set(grant.id, kept);
    node.grants = [...node.grants, kept];
    this.weight += BYTES.grant;
    return undone;
  }

  #removeGrant(id: string): AccessChange | null {
    const before = this.#grants.get(id);
    if (!before) return null;
    this.#grants.delete(id);
    const node = this.#node(before.subject);
    node.grants = node.grants.filter((grant) => grant !== before);
    this.weight -= BYTES.grant;
    this.#prune(node);
    return { type: "grant.set", grant: before };
  }

  /** Rows from the database bring a new copy of the same id each time; 100,000 of them are megabytes. */
  #withSharedIds(grant: Grant, node: SubjectNode): Grant {
    const { id, inherit } = grant;
    if (grant.kind === "role") {
      const subject = { type: grant.subject.type, id: node.id };
      return { kind: "role", id, subject, inherit, roleId: this.role(grant.roleId)?.id ?? grant.roleId };
    }
    return { ...grant, subject: { type: node.type, id: node.id } };
  }

  #setMember(of: Members["of"], userId: string, isMember: boolean): AccessChange | null {
    const node = this.#node({ type: "user", id: userId });
    const list = of.type === "group" ? "groups" : "units";
    if (node[list].includes(of.id) === isMember) {
      this.#prune(node);
      return null;
    }
    const id = this[list].get(of.id)?.id ?? of.id;
    node[list] = isMember ? [...node[list], id] : node[list].filter((other) => other !== id);
    this.weight += isMember ? BYTES.membership : -BYTES.membership;
    this.#prune(node);
    return { type: isMember ? "member.removed" : "member.added", of: { type: of.type, id }, userId };
  }

  #setInactive(subject: SubjectRef, inactive: boolean): AccessChange | null {
    const node = this.#node(subject);
    const before = node.inactive;
    node.inactive = inactive;
    this.#prune(node);
    if (before === inactive) return null;
    return { type: inactive ? "subject.activated" : "subject.deactivated", subject };
  }

  #node({ type, id }: SubjectRef): SubjectNode {
    const known = this.#subjects[type].get(id);
    if (known) return known;
    const node = newNode(type, id);
    this.#subjects[type].set(id, node);
    this.#sorted[type] = null;
    this.weight += BYTES.subject;
    return node;
  }

  #prune(node: SubjectNode): void {
    if (node.inactive || node.grants.length + node.groups.length + node.units.length > 0) return;
    this.#subjects[node.type].delete(node.id);
    this.#sorted[node.type] = null;
    this.weight -= BYTES.subject;
  }
}

function undo<T>(
  before: T | undefined,
  type: AccessChange["type"],
  set: (before: T) => AccessChange,
  removed: AccessChange,
): AccessChange | null {
  if (before !== undefined) return set(before);
  return type.endsWith(".set") ? removed : null;
}

function weightOfRole({ permissions }: AccessRole): number {
  return BYTES.role + BYTES.permission * permissions.length;
}

function weightOfPolicy({ statements }: AccessPolicy): number {
  return BYTES.role + BYTES.statement * statements.length;
}
