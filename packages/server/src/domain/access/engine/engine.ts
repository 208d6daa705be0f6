import { EffectiveCache } from "./effective-cache.ts";
import { type Answer, decide, EffectiveSet } from "./effective-set.ts";
import { type Explanation, explain } from "./explain.ts";
import { type Identity, identityOf } from "./identity.ts";
import { type ListedAccess, type ListQuestion, list } from "./list.ts";
import type { AccessChange, Attributes, Question, SubjectRef, TenantModel } from "./model.ts";
import { principalsOf, type Source, statementsOf } from "./principals.ts";
import { type SubjectNode, TenantState } from "./tenant-state.ts";
import { type WhoAnswer, type WhoQuestion, who } from "./who.ts";

/** Bytes of effective sets kept per tenant. */
const DEFAULT_BUDGET = 32 * 1024 * 1024;
const NO_ATTRIBUTES: Attributes = {};

/**
 * Decides for one tenant, in memory. Everything is synchronous, never throws on odd data, and forgets nothing it was
 * told: whoever owns it feeds it the tenant's model, in as many parts as suits, and then every change.
 */
export class AccessEngine {
  readonly #state = new TenantState();
  readonly #effective: EffectiveCache;
  #version = 0;
  /** While a simulation runs: sets made in it, which nobody else may see. */
  #simulated: Map<SubjectNode, EffectiveSet> | null = null;

  /** @param budget - bytes (estimated) that effective sets may take; what is least used goes first. */
  constructor(budget = DEFAULT_BUDGET) {
    this.#effective = new EffectiveCache(budget);
  }

  static of(model: Partial<TenantModel>, budget?: number): AccessEngine {
    const engine = new AccessEngine(budget);
    engine.add(model);
    return engine;
  }

  /**
   * Adds to the model. A large tenant is added in parts (say 5,000 rows each), so that the event loop breathes in
   * between; roles before grants and groups before members saves memory, and is all that order means.
   */
  add(part: Partial<TenantModel>): void {
    const state = this.#state;
    for (const resource of part.resources ?? []) state.apply({ type: "resource.set", resource });
    for (const role of part.roles ?? []) state.apply({ type: "role.set", role });
    for (const policy of part.policies ?? []) state.apply({ type: "policy.set", policy });
    for (const group of part.groups ?? []) state.apply({ type: "group.set", group });
    for (const unit of part.units ?? []) state.apply({ type: "unit.set", unit });
    for (const { of, userIds } of part.members ?? []) {
      for (const userId of userIds) state.apply({ type: "member.added", of, userId });
    }
    for (const grant of part.grants ?? []) state.apply({ type: "grant.set", grant });
    for (const subject of part.inactive ?? []) state.apply({ type: "subject.deactivated", subject });
    this.#forgetAll();
  }

  /** Makes one change. Doing it again changes nothing. @returns what would undo it, null when nothing changed */
  applyChange(change: AccessChange): AccessChange | null {
    const undo = this.#state.apply(change);
    if (undo === null) return null;
    this.#forget(change);
    this.#forget(undo);
    return undo;
  }

  /** Whether a subject may. About 0.2 µs for a subject that was asked before. */
  check(question: Question): boolean {
    const node = this.#state.subject(question.subject);
    if (node === undefined || node.inactive) return false;
    const index = this.#effectiveSet(node).in(question.namespace);
    if (index === undefined) return false;
    const { resource, action } = question;
    const answer: Answer =
      index.peek(resource, action) ??
      (this.#simulated
        ? index.resolve(resource, action)
        : this.#effective.learn(node, index, resource, action));
    return answer.verdict ?? decide(answer, question.attributes ?? NO_ATTRIBUTES);
  }

  checkMany(questions: readonly Question[]): boolean[] {
    return questions.map((question) => this.check(question));
  }

  /** The verdict, with the statements that made it and the ways they came to the subject. */
  explain(question: Question): Explanation {
    return explain(this.#state, question);
  }

  /** What a subject may do in a namespace. */
  list(question: ListQuestion): ListedAccess {
    return list(this.#state, question);
  }

  /** Who may do it, in the order of ids. */
  who(question: WhoQuestion): WhoAnswer {
    return who(this.#state, question);
  }

  /** Groups, units and roles that count for a subject. */
  identity(subject: SubjectRef): Identity {
    return identityOf(this.#state, subject);
  }

  /** The verdicts as they are, and as they would be after the changes. Nothing remains of it. */
  simulate(
    changes: readonly AccessChange[],
    questions: readonly Question[],
  ): { before: boolean; after: boolean }[] {
    const before = this.checkMany(questions);
    const undos: AccessChange[] = [];
    this.#simulated = new Map();
    try {
      for (const change of changes) {
        const undo = this.#state.apply(change);
        if (undo) undos.push(undo);
      }
      return this.checkMany(questions).map((after, index) => ({ before: before[index] ?? false, after }));
    } finally {
      for (const undo of undos.reverse()) this.#state.apply(undo);
      this.#simulated = null;
    }
  }

  /** Grows with every change that is more than one subject's. */
  get version(): number {
    return this.#version;
  }

  /** Estimated bytes: what must be there, and the effective sets at present. */
  get weight(): { model: number; effective: number } {
    return { model: this.#state.weight, effective: this.#effective.weight };
  }

  #effectiveSet(node: SubjectNode): EffectiveSet {
    if (this.#simulated) return this.#simulatedSet(node, this.#simulated);
    const kept = node.effective;
    if (kept !== null && kept.version === this.#version) {
      kept.used = true;
      return kept;
    }
    const made = this.#makeSet(node);
    if (this.#state.keeps(node)) this.#effective.keep(node, made);
    return made;
  }

  #simulatedSet(node: SubjectNode, sets: Map<SubjectNode, EffectiveSet>): EffectiveSet {
    const made = sets.get(node) ?? this.#makeSet(node);
    sets.set(node, made);
    return made;
  }

  #makeSet(node: SubjectNode): EffectiveSet {
    const sources = statementsOf(this.#state, principalsOf(this.#state, node));
    return new EffectiveSet(this.#version, statements(sources));
  }

  /** A change at one user or application costs his effective set; any other, everybody's. */
  #forget(change: AccessChange): void {
    switch (change.type) {
      case "resource.set":
      case "resource.removed":
      case "subject.activated":
      case "subject.deactivated":
      case "grant.removed": // its undoing names the subject
        return;
      case "member.added":
      case "member.removed":
        this.#forgetSubject({ type: "user", id: change.userId });
        return;
      case "grant.set":
        this.#forgetSubject(change.grant.subject);
        return;
      default:
        this.#forgetAll();
    }
  }

  #forgetSubject(subject: SubjectRef): void {
    const node = this.#state.subject(subject);
    if (subject.type !== "user" && subject.type !== "application") this.#forgetAll();
    else if (node) this.#effective.drop(node);
  }

  /** Sets of an older version are replaced when they are asked, or go when there is no room. */
  #forgetAll(): void {
    this.#version += 1;
  }
}

function* statements(sources: Iterable<Source>) {
  for (const { statement } of sources) yield statement;
}
