import { applies, type CompiledStatement, concerns } from "./compile.ts";
import type { Truth } from "./conditions.ts";
import type { Attributes, Condition, Question, Statement, SubjectRef, SubjectType } from "./model.ts";
import { type Principal, principalsOf, type Source, statementsOf } from "./principals.ts";
import type { SubjectNode, TenantState } from "./tenant-state.ts";

/** One step of the way from the subject to a statement. */
export interface Link {
  type: SubjectType | "policy" | "resource";
  /** For `resource`, the pattern that was granted. */
  id: string;
  code: string | null;
  /** How this follows from the step before. */
  via: "self" | "member" | "ancestor" | "grant" | "parent";
  grantId: string | null;
}

/** A statement that speaks of this action on this resource. */
export interface Reason {
  effect: Statement["effect"];
  /** Whether its conditions let it count. */
  applies: boolean;
  /** One of the shortest ways; the first link is the subject itself. */
  chain: readonly Link[];
  statement: Statement;
  /** `holds` is null when it cannot be said: the attribute is missing, or something has the wrong type. */
  conditions: readonly { condition: Condition; holds: Truth }[];
}

/** Something that, given to the subject, would allow it. */
export interface Suggestion {
  type: "role" | "policy";
  id: string;
  namespace: string;
  code: string;
}

export interface Explanation {
  allowed: boolean;
  /**
   * `allowed`: something allows and nothing denies; `denied`: a statement denies; `no_grant`: nothing allows;
   * `inactive`: the subject is suspended, deleted or disabled.
   */
  reason: "allowed" | "denied" | "no_grant" | "inactive";
  /** Those that apply first, denials before allowances; at most 100. */
  because: readonly Reason[];
  /** Whether there are more than 100. */
  truncated: boolean;
  /** For `no_grant`: up to 5 roles and policies, the smallest first. */
  wouldAllow: readonly Suggestion[];
}

const MAX_REASONS = 100;
const MAX_SUGGESTIONS = 5;

export function explain(state: TenantState, question: Question): Explanation {
  const node = state.subject(question.subject) ?? null;
  if (node?.inactive) {
    return { allowed: false, reason: "inactive", because: [], truncated: false, wouldAllow: [] };
  }
  const principals = node ? principalsOf(state, node) : [];
  const sources = [...statementsOf(state, principals)].filter(({ statement }) =>
    isAbout(statement, question),
  );
  const reason = reasonOf(
    sources.map(({ statement }) => statement),
    question.attributes ?? {},
  );
  const because = sources.map((source) => toReason(state, source, question.attributes ?? {})).sort(byWeight);
  return {
    allowed: reason === "allowed",
    reason,
    because: because.slice(0, MAX_REASONS),
    truncated: because.length > MAX_REASONS,
    wouldAllow: reason === "no_grant" ? suggestions(state, question, principals) : [],
  };
}

function isAbout(statement: CompiledStatement, { namespace, action, resource }: Question): boolean {
  return statement.namespace === namespace && concerns(statement, action, resource);
}

function reasonOf(
  about: readonly CompiledStatement[],
  attributes: Attributes,
): "allowed" | "denied" | "no_grant" {
  const applying = about.filter((statement) => applies(statement, attributes));
  if (applying.some(({ allows }) => !allows)) return "denied";
  return applying.length > 0 ? "allowed" : "no_grant";
}

/** Applying denials, applying allowances, then the others; shorter ways first. */
function byWeight(a: Reason, b: Reason): number {
  const rank = ({ applies, effect, chain }: Reason): number =>
    (applies ? 0 : 2_000) + (effect === "deny" ? 0 : 1_000) + Math.min(chain.length, 999);
  return rank(a) - rank(b);
}

function toReason(state: TenantState, source: Source, attributes: Attributes): Reason {
  const { principal, grant, statement: compiled } = source;
  const { statement, conditions } = compiled;
  const chain: Link[] = [];
  for (let at: Principal | null = principal; at; at = at.from) chain.unshift(linkOf(state, at));
  if (grant?.kind === "policy") {
    const code = state.policy(grant.policyId)?.code ?? null;
    chain.push({ type: "policy", id: grant.policyId, code, via: "grant", grantId: grant.id });
  } else if (grant) {
    chain.push({
      type: "resource",
      id: grant.resource,
      code: grant.resource,
      via: "grant",
      grantId: grant.id,
    });
  }
  return {
    effect: statement.effect,
    applies: applies(compiled, attributes),
    chain,
    statement,
    conditions: statement.conditions.map((condition, index) => ({
      condition,
      holds: conditions?.[index]?.(attributes) ?? null,
    })),
  };
}

function linkOf(state: TenantState, { node, via, grant }: Principal): Link {
  return { type: node.type, id: node.id, code: codeOf(state, node), via, grantId: grant?.id ?? null };
}

function codeOf(state: TenantState, { type, id }: SubjectRef): string | null {
  if (type === "role") return state.role(id)?.code ?? null;
  if (type === "group") return state.groups.get(id)?.code ?? null;
  return type === "unit" ? (state.units.get(id)?.code ?? null) : null;
}

interface Candidate extends Suggestion {
  size: number;
  statements: () => Iterable<CompiledStatement>;
}

/**
 * Nothing that applies denies, so a role or policy helps when, with what else it brings, it allows and does not deny.
 * Roles cannot be given to roles.
 */
function suggestions(state: TenantState, question: Question, principals: readonly Principal[]): Suggestion[] {
  const candidates = [...roleCandidates(state, question, principals), ...policyCandidates(state, question)];
  candidates.sort((a, b) => a.size - b.size || (a.id < b.id ? -1 : 1));
  const found: Suggestion[] = [];
  for (const { type, id, namespace, code, statements } of candidates) {
    const about = [...statements()].filter((statement) => isAbout(statement, question));
    if (reasonOf(about, question.attributes ?? {}) !== "allowed") continue;
    found.push({ type, id, namespace, code });
    if (found.length === MAX_SUGGESTIONS) break;
  }
  return found;
}

function* roleCandidates(
  state: TenantState,
  { subject, namespace }: Question,
  principals: readonly Principal[],
): Generator<Candidate> {
  if (subject.type === "role") return;
  const has = new Set<SubjectNode["id"]>();
  for (const { node } of principals) if (node.type === "role") has.add(node.id);
  for (const role of state.roles()) {
    if (has.has(role.id) || role.namespace !== namespace) continue;
    const { id, code, permissions } = role;
    const statements = () => statementsOfRole(state, id);
    yield { type: "role", id, namespace, code, size: permissions.length, statements };
  }
}

function* policyCandidates(state: TenantState, { namespace }: Question): Generator<Candidate> {
  for (const { id, code, namespace: own, statements } of state.policies()) {
    if (own !== namespace) continue;
    yield {
      type: "policy",
      id,
      namespace,
      code,
      size: statements.length,
      statements: () => state.policyStatements(id),
    };
  }
}

function* statementsOfRole(state: TenantState, id: string): Generator<CompiledStatement> {
  const node = state.subject({ type: "role", id });
  if (!node) return;
  for (const { statement } of statementsOf(state, principalsOf(state, node))) yield statement;
}
