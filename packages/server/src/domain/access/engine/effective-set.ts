import { applies, type CompiledStatement } from "./compile.ts";
import type { Attributes } from "./model.ts";
import { isLiteral, matches, matchesAny } from "./patterns.ts";

/** What is known of one action on one resource before the attributes are. */
export interface Answer {
  /** null: depends on the conditions of the statements below. */
  verdict: boolean | null;
  /** Whether some statement allows it without conditions. */
  allowed: boolean;
  denials: readonly CompiledStatement[];
  allowances: readonly CompiledStatement[];
}

const ALLOWED: Answer = { verdict: true, allowed: true, denials: [], allowances: [] };
const DENIED: Answer = { verdict: false, allowed: false, denials: [], allowances: [] };

export function decide(answer: Answer, attributes: Attributes): boolean {
  if (answer.denials.some((statement) => applies(statement, attributes))) return false;
  return answer.allowed || answer.allowances.some((statement) => applies(statement, attributes));
}

/** Answers kept per subject and namespace; then it starts anew. */
const MAX_ANSWERS = 2_048;
/** Rough bytes, measured with `bench/access`. */
const BYTES = { set: 300, index: 600, literal: 150, wildcard: 60, answer: 180 };

/** The statements of one subject in one namespace: by literal resource, those with wildcards apart. */
export class NamespaceIndex {
  readonly #literals = new Map<string, CompiledStatement[]>();
  readonly #wildcards: { pattern: string; statement: CompiledStatement }[] = [];
  readonly #answers = new Map<string, Map<string, Answer>>();
  #answerCount = 0;

  add(statement: CompiledStatement): void {
    for (const pattern of statement.statement.resources) {
      if (!isLiteral(pattern)) {
        this.#wildcards.push({ pattern, statement });
        continue;
      }
      const known = this.#literals.get(pattern);
      if (known) known.push(statement);
      else this.#literals.set(pattern, [statement]);
    }
  }

  /** The answer, when it was asked for before. */
  peek(resource: string, action: string): Answer | undefined {
    return this.#answers.get(resource)?.get(action);
  }

  resolve(resource: string, action: string): Answer {
    const answer = this.#resolve(resource, action);
    if (this.#answerCount >= MAX_ANSWERS) {
      this.#answers.clear();
      this.#answerCount = 0;
    }
    const actions = this.#answers.get(resource);
    if (actions) actions.set(action, answer);
    else this.#answers.set(resource, new Map([[action, answer]]));
    this.#answerCount += 1;
    return answer;
  }

  get weight(): number {
    const { index, literal, wildcard, answer } = BYTES;
    const statements = this.#literals.size * literal + this.#wildcards.length * wildcard;
    return index + statements + this.#answerCount * answer;
  }

  #resolve(resource: string, action: string): Answer {
    let allowed = false;
    const denials: CompiledStatement[] = [];
    const allowances: CompiledStatement[] = [];
    for (const statement of this.#concerning(resource)) {
      if (!matchesAny(statement.statement.actions, action)) continue;
      if (statement.conditions !== null) (statement.allows ? allowances : denials).push(statement);
      else if (statement.allows) allowed = true;
      else return DENIED;
    }
    if (denials.length === 0 && allowed) return ALLOWED;
    if (!allowed && allowances.length === 0) return DENIED;
    return { verdict: null, allowed, denials, allowances };
  }

  *#concerning(resource: string): Generator<CompiledStatement> {
    yield* this.#literals.get(resource) ?? [];
    for (const { pattern, statement } of this.#wildcards) if (matches(pattern, resource)) yield statement;
  }
}

/** All statements of one subject, as of one version of the tenant. */
export class EffectiveSet {
  readonly version: number;
  readonly #namespaces = new Map<string, NamespaceIndex>();
  /** Asked since the cache looked last. */
  used = true;

  constructor(version: number, statements: Iterable<CompiledStatement>) {
    this.version = version;
    for (const statement of new Set(statements)) {
      const known = this.#namespaces.get(statement.namespace);
      const index = known ?? new NamespaceIndex();
      index.add(statement);
      if (!known) this.#namespaces.set(statement.namespace, index);
    }
  }

  in(namespace: string): NamespaceIndex | undefined {
    return this.#namespaces.get(namespace);
  }

  get weight(): number {
    let weight = BYTES.set;
    for (const index of this.#namespaces.values()) weight += index.weight;
    return weight;
  }
}
