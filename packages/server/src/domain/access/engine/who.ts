import { type CompiledStatement, concerns } from "./compile.ts";
import type { Grant, ResourceGrant, SubjectRef, SubjectType } from "./model.ts";
import { matches, matchesAny } from "./patterns.ts";
import { grantStatements } from "./principals.ts";
import type { SubjectNode, TenantState } from "./tenant-state.ts";

export interface WhoQuestion {
  action: string;
  resource: string;
  namespace: string;
  /** Which kind of subjects; default users. */
  type?: SubjectType;
  /** The id after which to go on. */
  after?: string;
  /** Items at most. */
  limit: number;
}

export interface WhoAnswer {
  /**
   * In the order of ids. `allow`: whatever the attributes; `conditional`: with some attributes, perhaps none.
   * Who is not here is denied whatever the attributes.
   */
  items: readonly { subject: SubjectRef; verdict: "allow" | "conditional" }[];
  /**
   * What to pass as `after` for more; null at the end, and only there: 5,000 subjects are looked at in one go, so a
   * page may be short or empty where few may do it.
   */
  next: string | null;
}

/** What the statements of somebody say: bits, so that those of many are joined by `|`. */
const ALLOW = 1;
const MAYBE_ALLOW = 2;
const DENY = 4;
const MAYBE_DENY = 8;

/** Tens of milliseconds in a tenant of 100,000 users, in which the process does nothing else. */
const MAX_SCANNED = 5_000;

export function who(state: TenantState, question: WhoQuestion): WhoAnswer {
  const { type = "user", after, limit } = question;
  const evaluation = new Evaluation(state, question);
  const items: WhoAnswer["items"][number][] = [];
  const nodes = state.sorted(type);
  const from = after === undefined ? 0 : firstBeyond(nodes, after);
  const to = Math.min(nodes.length, from + MAX_SCANNED);
  for (let at = from; at < to; at += 1) {
    if (items.length === limit) return { items, next: nodes[at - 1]?.id ?? null };
    const node = nodes[at];
    const verdict = !node || node.inactive ? null : toVerdict(evaluation.ofSubject(node));
    if (node && verdict) items.push({ subject: { type, id: node.id }, verdict });
  }
  return { items, next: to < nodes.length ? (nodes[to - 1]?.id ?? null) : null };
}

/** The place of the first id that is greater. */
function firstBeyond(nodes: readonly SubjectNode[], after: string): number {
  let low = 0;
  for (let high = nodes.length; low < high; ) {
    const middle = (low + high) >>> 1;
    if ((nodes[middle]?.id ?? "") > after) high = middle;
    else low = middle + 1;
  }
  return low;
}

function toVerdict(says: number): "allow" | "conditional" | null {
  if (says & DENY || !(says & (ALLOW | MAYBE_ALLOW))) return null;
  return says & ALLOW && !(says & MAYBE_DENY) ? "allow" : "conditional";
}

/** What everybody's statements say of one action on one resource; each role, policy, group and unit is read once. */
class Evaluation {
  readonly #state: TenantState;
  readonly #question: WhoQuestion;
  readonly #known = {
    group: new Map<string, number>(),
    unit: new Map<string, number>(),
    role: new Map<string, number>(),
    policy: new Map<string, number>(),
  };

  constructor(state: TenantState, question: WhoQuestion) {
    this.#state = state;
    this.#question = question;
  }

  ofSubject(node: SubjectNode): number {
    const { type, id } = node;
    if (type === "role") return this.#ofRole(id);
    if (type === "unit") return this.#ofUnit(id);
    let says = this.#ofGrants(node.grants);
    for (const group of node.groups) says |= this.#known.group.get(group) ?? this.#ofGroup(group);
    for (const unit of node.units) says |= this.#known.unit.get(unit) ?? this.#ofUnit(unit);
    return says;
  }

  #ofGroup(id: string): number {
    return this.#once("group", id, () => this.#ofGrants(this.#grantsOf("group", id)));
  }

  /** Its own grants, and those of its ancestors that are inherited. */
  #ofUnit(id: string): number {
    return this.#once("unit", id, () => {
      let says = this.#ofGrants(this.#grantsOf("unit", id));
      for (const ancestor of ancestors(id, (unit) => this.#state.units.get(unit)?.parentId)) {
        says |= this.#ofGrants(this.#grantsOf("unit", ancestor).filter(({ inherit }) => inherit));
      }
      return says;
    });
  }

  /** Its own statements, and its ancestors'. */
  #ofRole(id: string): number {
    return this.#once("role", id, () => {
      if (!this.#state.role(id)) return 0;
      let says = 0;
      for (const role of [id, ...ancestors(id, (child) => this.#state.role(child)?.parentId)]) {
        says |= this.#ofStatements(this.#state.roleStatements(role));
        says |= this.#ofGrants(this.#grantsOf("role", role));
      }
      return says;
    });
  }

  #grantsOf(type: SubjectType, id: string): readonly Grant[] {
    return this.#state.isDefined(type, id) ? (this.#state.subject({ type, id })?.grants ?? []) : [];
  }

  #ofGrants(grants: readonly Grant[]): number {
    let says = 0;
    for (const grant of grants) says |= this.#ofGrant(grant);
    return says;
  }

  #ofGrant(grant: Grant): number {
    if (grant.kind === "role") return this.#known.role.get(grant.roleId) ?? this.#ofRole(grant.roleId);
    if (grant.kind === "resource") return this.#ofResourceGrant(grant);
    if (!grant.enabled) return 0;
    return this.#once("policy", grant.policyId, () =>
      this.#ofStatements(grantStatements(this.#state, grant)),
    );
  }

  #ofResourceGrant(grant: ResourceGrant): number {
    const { namespace, action, resource } = this.#question;
    if (grant.namespace !== namespace || !matches(grant.resource, resource)) return 0;
    if (!matchesAny(grant.actions, action)) return 0;
    return grant.effect === "allow" ? ALLOW : DENY;
  }

  #ofStatements(statements: readonly CompiledStatement[]): number {
    const { namespace, action, resource } = this.#question;
    let says = 0;
    for (const statement of statements) {
      if (statement.namespace !== namespace || !concerns(statement, action, resource)) continue;
      if (statement.allows) says |= statement.conditions ? MAYBE_ALLOW : ALLOW;
      else says |= statement.conditions ? MAYBE_DENY : DENY;
    }
    return says;
  }

  #once(kind: "group" | "unit" | "role" | "policy", id: string, evaluate: () => number): number {
    const known = this.#known[kind].get(id) ?? evaluate();
    this.#known[kind].set(id, known);
    return known;
  }
}

/** The parents' parents' …, nearest first, without the start and without going round in circles. */
function ancestors(id: string, parentOf: (id: string) => string | null | undefined): string[] {
  const found = new Set<string>();
  for (let at = parentOf(id); at && at !== id && !found.has(at); at = parentOf(at)) found.add(at);
  return [...found];
}
