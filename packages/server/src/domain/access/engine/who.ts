import { type CompiledStatement, concerns } from "./compile.ts";
import type { Grant, SubjectRef, SubjectType } from "./model.ts";
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
  /** What to pass as `after` for more; null at the end. */
  next: string | null;
}

/** What the statements of somebody say: bits, so that those of many are joined by `|`. */
const ALLOW = 1;
const MAYBE_ALLOW = 2;
const DENY = 4;
const MAYBE_DENY = 8;

export function who(state: TenantState, question: WhoQuestion): WhoAnswer {
  const { type = "user", after, limit } = question;
  const evaluation = new Evaluation(state, question);
  const items: WhoAnswer["items"][number][] = [];
  for (const id of sortedIds(state, type)) {
    if (after !== undefined && id <= after) continue;
    const node = state.subject({ type, id });
    if (!node || node.inactive) continue;
    const verdict = toVerdict(evaluation.ofSubject(node));
    if (verdict === null) continue;
    if (items.length === limit) return { items, next: items.at(-1)?.subject.id ?? null };
    items.push({ subject: { type, id }, verdict });
  }
  return { items, next: null };
}

function toVerdict(says: number): "allow" | "conditional" | null {
  if (says & DENY || !(says & (ALLOW | MAYBE_ALLOW))) return null;
  return says & ALLOW && !(says & MAYBE_DENY) ? "allow" : "conditional";
}

/** Ids are time-ordered and mostly come in order, so this costs little more than the copy. */
function sortedIds(state: TenantState, type: SubjectType): string[] {
  return [...state.subjects(type)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** What everybody's statements say of one action on one resource; each role, policy, group and unit is read once. */
class Evaluation {
  readonly #state: TenantState;
  readonly #question: WhoQuestion;
  readonly #known = new Map<string, number>();

  constructor(state: TenantState, question: WhoQuestion) {
    this.#state = state;
    this.#question = question;
  }

  ofSubject(node: SubjectNode): number {
    const { type, id } = node;
    if (type === "role") return this.#ofRole(id);
    if (type === "unit") return this.#ofUnit(id);
    let says = this.#ofGrants(node.grants);
    for (const group of node.groups) says |= this.#ofGroup(group);
    for (const unit of node.units) says |= this.#ofUnit(unit);
    return says;
  }

  #ofGroup(id: string): number {
    return this.#once(`group ${id}`, () => this.#ofGrants(this.#grantsOf("group", id)));
  }

  /** Its own grants, and those of its ancestors that are inherited. */
  #ofUnit(id: string): number {
    return this.#once(`unit ${id}`, () => {
      let says = this.#ofGrants(this.#grantsOf("unit", id));
      for (const ancestor of ancestors(id, (unit) => this.#state.units.get(unit)?.parentId)) {
        says |= this.#ofGrants(this.#grantsOf("unit", ancestor).filter(({ inherit }) => inherit));
      }
      return says;
    });
  }

  /** Its own statements, and its ancestors'. */
  #ofRole(id: string): number {
    return this.#once(`role ${id}`, () => {
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
    if (grant.kind === "role") return this.#ofRole(grant.roleId);
    const { namespace } = this.#question;
    if (grant.kind === "resource") {
      return grant.namespace === namespace ? this.#ofStatements(grantStatements(this.#state, grant)) : 0;
    }
    if (!grant.enabled) return 0;
    return this.#once(`policy ${grant.policyId}`, () =>
      this.#ofStatements(grantStatements(this.#state, grant)),
    );
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

  #once(key: string, evaluate: () => number): number {
    const known = this.#known.get(key) ?? evaluate();
    this.#known.set(key, known);
    return known;
  }
}

/** The parents' parents' …, nearest first, without the start and without going round in circles. */
function ancestors(id: string, parentOf: (id: string) => string | null | undefined): string[] {
  const found = new Set<string>();
  for (let at = parentOf(id); at && at !== id && !found.has(at); at = parentOf(at)) found.add(at);
  return [...found];
}
