import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileCondition } from "./conditions.ts";
import { AccessEngine } from "./engine.ts";
import type { Reason } from "./explain.ts";
import type { Attributes, Question, TenantModel } from "./model.ts";
import { matches } from "./patterns.ts";
import * as arbitrary from "./testing/arbitraries.ts";
import { changeModel } from "./testing/change-model.ts";
import {
  conditionsApply,
  referenceCheck,
  referenceStatements,
  referenceTruth,
  someMatches,
} from "./testing/reference-evaluator.ts";

/** `npm run fuzz:access` sets it higher. */
const RUNS = Number(process.env.OSTIARY_FUZZ_MODELS ?? "250");
const QUESTIONS = arbitrary.ALL_QUESTIONS;
const TIMEOUT = Math.max(60_000, RUNS * 1_000);

const withAttributes = (attributes: Attributes): Question[] =>
  QUESTIONS.map((question) => ({ ...question, attributes }));

/** Fails with the first question on which they differ. */
function expectSame(engine: AccessEngine, model: TenantModel, questions: readonly Question[]): void {
  for (const question of questions) {
    const [actual, expected] = [engine.check(question), referenceCheck(model, question)];
    if (actual !== expected) expect({ question, allowed: actual }).toEqual({ question, allowed: expected });
  }
}

describe("the engine and the definitions", () => {
  it("agree on every question about random tenants, asked cold and warm", { timeout: TIMEOUT }, () => {
    let checks = 0;
    let allowed = 0;
    const attributes = fc.array(arbitrary.attributes, { minLength: 2, maxLength: 2 });
    fc.assert(
      fc.property(arbitrary.model, attributes, (model, attributes) => {
        const engine = AccessEngine.of(model);
        for (const questions of attributes.map(withAttributes)) {
          expectSame(engine, model, questions);
          checks += questions.length;
          allowed += engine.checkMany(questions).filter(Boolean).length;
        }
      }),
      { numRuns: RUNS },
    );
    expect(checks).toBeGreaterThanOrEqual(2 * RUNS * QUESTIONS.length);
    expect(checks).toBeGreaterThanOrEqual(200_000);
    // The world is such that neither answer is rare.
    expect(allowed / checks).toBeGreaterThan(0.02);
    expect(allowed / checks).toBeLessThan(0.98);
  });

  it("agree when hardly anything fits into the cache", { timeout: TIMEOUT }, () => {
    fc.assert(
      fc.property(arbitrary.model, fc.array(arbitrary.question, { maxLength: 100 }), (model, questions) => {
        const engine = AccessEngine.of(model, 3_000);
        expectSame(engine, model, questions);
        expectSame(engine, model, questions);
      }),
      { numRuns: RUNS },
    );
  });

  it("agree after changes, one by one, as an engine built anew does", { timeout: TIMEOUT }, () => {
    const changes = fc.array(arbitrary.change, { minLength: 1, maxLength: 12 });
    const questions = fc.array(arbitrary.question, { minLength: 60, maxLength: 60 });
    fc.assert(
      fc.property(arbitrary.model, changes, questions, (before, changes, questions) => {
        const engine = AccessEngine.of(before);
        let model = before;
        for (const change of changes) {
          engine.checkMany(questions);
          engine.applyChange(change);
          model = changeModel(model, change);
          expectSame(engine, model, questions);
        }
        const rebuilt = AccessEngine.of(model);
        expect(engine.weight.model).toBe(rebuilt.weight.model);
        for (const question of questions.slice(0, 10)) {
          const { subject, namespace } = question;
          expect(engine.list({ subject, namespace })).toEqual(rebuilt.list({ subject, namespace }));
          expect(engine.who({ ...question, limit: 10 })).toEqual(rebuilt.who({ ...question, limit: 10 }));
        }
      }),
      { numRuns: RUNS },
    );
  });

  it("agree on conditions and patterns", () => {
    fc.assert(
      fc.property(arbitrary.condition, arbitrary.attributes, (condition, attributes) => {
        expect(compileCondition(condition)(attributes)).toBe(referenceTruth(condition, attributes));
      }),
      { numRuns: 20 * RUNS },
    );
    const text = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 9 });
    fc.assert(
      fc.property(text, text, (pattern, text) => {
        expect(matches(pattern, text)).toBe(someMatches([pattern], text));
      }),
      { numRuns: 20 * RUNS },
    );
  });
});

describe("changes", () => {
  it("are undone by what they return", { timeout: TIMEOUT }, () => {
    const questions = fc.array(arbitrary.question, { maxLength: 60 });
    const changes = fc.array(arbitrary.change, { maxLength: 12 });
    fc.assert(
      fc.property(arbitrary.model, changes, questions, (model, changes, questions) => {
        const engine = AccessEngine.of(model);
        const { weight } = engine;
        const undos = changes.flatMap((change) => engine.applyChange(change) ?? []);
        for (const undo of undos.reverse()) engine.applyChange(undo);
        expectSame(engine, model, questions);
        expect(engine.weight.model).toBe(weight.model);
      }),
      { numRuns: RUNS },
    );
  });

  it("are simulated as if they were made, and leave nothing behind", { timeout: TIMEOUT }, () => {
    const questions = fc.array(arbitrary.question, { maxLength: 60 });
    const changes = fc.array(arbitrary.change, { maxLength: 6 });
    fc.assert(
      fc.property(arbitrary.model, changes, questions, (before, changes, questions) => {
        const engine = AccessEngine.of(before);
        const { version, weight } = engine;
        const after = changes.reduce(changeModel, before);
        expect(engine.simulate(changes, questions)).toEqual(
          questions.map((question) => ({
            before: referenceCheck(before, question),
            after: referenceCheck(after, question),
          })),
        );
        expectSame(engine, before, questions);
        expect([engine.version, engine.weight.model]).toEqual([version, weight.model]);
      }),
      { numRuns: RUNS },
    );
  });
});

/** Whether the way to a statement exists in the model, link by link. */
function chainExists(model: TenantModel, { chain }: Reason): boolean {
  return chain.every((link, index) => {
    const from = chain[index - 1];
    if (!from) return link.via === "self";
    if (link.via === "member") {
      return model.members.some(
        ({ of, userIds }) => of.type === link.type && of.id === link.id && userIds.includes(from.id),
      );
    }
    if (link.via === "grant") {
      const grant = model.grants.find(({ id }) => id === link.grantId);
      const target =
        grant?.kind === "role" ? grant.roleId : grant?.kind === "policy" ? grant.policyId : grant?.resource;
      const inherited = from.via !== "ancestor" || grant?.inherit === true;
      return (
        grant?.subject.type === from.type && grant.subject.id === from.id && target === link.id && inherited
      );
    }
    const tree = link.via === "ancestor" ? model.units : model.roles;
    return tree.some(({ id, parentId }) => id === from.id && parentId === link.id);
  });
}

describe("explanations", () => {
  it("replay to the same verdict, by ways that exist", { timeout: TIMEOUT }, () => {
    const questions = fc.array(arbitrary.question, { minLength: 100, maxLength: 100 });
    fc.assert(
      fc.property(arbitrary.model, questions, (model, questions) => {
        const engine = AccessEngine.of(model);
        for (const question of questions) {
          const { allowed, reason, because } = engine.explain(question);
          expect(allowed).toBe(engine.check(question));
          const effects = because
            .filter(({ statement }) => someMatches(statement.resources, question.resource))
            .filter(({ statement }) => someMatches(statement.actions, question.action))
            .filter(({ statement }) => conditionsApply(statement, question.attributes ?? {}))
            .map(({ statement }) => statement.effect);
          expect(effects).toEqual(because.filter(({ applies }) => applies).map(({ effect }) => effect));
          expect(effects.includes("allow") && !effects.includes("deny")).toBe(allowed);
          expect(reason === "denied").toBe(effects.includes("deny"));
          for (const reason of because) {
            expect(chainExists(model, reason)).toBe(true);
            expect(referenceStatements(model, question.subject, question.namespace)).toContainEqual(
              reason.statement,
            );
          }
        }
      }),
      { numRuns: RUNS },
    );
  });

  it("suggest only what would help", { timeout: TIMEOUT }, () => {
    const questions = fc.array(arbitrary.question, { minLength: 100, maxLength: 100 });
    let suggestions = 0;
    fc.assert(
      fc.property(arbitrary.model, questions, (model, questions) => {
        const engine = AccessEngine.of(model);
        for (const question of questions) {
          for (const { type, id } of engine.explain(question).wouldAllow) {
            suggestions += 1;
            const { subject } = question;
            const base = { id: "new", inherit: false };
            const grant =
              type === "policy"
                ? ({ ...base, kind: "policy", subject, policyId: id, enabled: true } as const)
                : ({ ...base, kind: "role", subject: holder(subject), roleId: id } as const);
            const after = changeModel(model, { type: "grant.set", grant });
            // Nothing can be given to a group, unit or role that is not there.
            const exists = isThere(model, subject);
            expect(referenceCheck(after, question)).toBe(exists);
          }
        }
      }),
      { numRuns: RUNS },
    );
    expect(suggestions).toBeGreaterThan(100);
  });
});

function holder({ type, id }: Question["subject"]) {
  if (type === "role") throw new Error("a role was suggested for a role");
  return { type, id };
}

function isThere(model: TenantModel, { type, id }: Question["subject"]): boolean {
  const tables = { role: model.roles, group: model.groups, unit: model.units };
  return type === "user" || type === "application" || tables[type].some((item) => item.id === id);
}

describe("who", () => {
  it("names whom check allows, and pages are the parts of the whole", { timeout: TIMEOUT }, () => {
    const attributes = fc.array(arbitrary.attributes, { minLength: 3, maxLength: 3 });
    const questions = fc.array(arbitrary.question, { minLength: 20, maxLength: 20 });
    fc.assert(
      fc.property(arbitrary.model, questions, attributes, (model, questions, attributes) => {
        const engine = AccessEngine.of(model);
        for (const { action, resource, namespace, subject } of questions) {
          const { type } = subject;
          const { items, next } = engine.who({ action, resource, namespace, type, limit: 100 });
          expect(next).toBeNull();
          for (const subject of arbitrary.SUBJECTS.filter((subject) => subject.type === type)) {
            const verdict = items.find((item) => item.subject.id === subject.id)?.verdict;
            if (verdict === "conditional") continue;
            for (const given of attributes) {
              const question = { subject, action, resource, namespace, attributes: given };
              expect(engine.check(question)).toBe(verdict === "allow");
            }
          }
          const first = engine.who({ action, resource, namespace, type, limit: 1 });
          const after = first.next === null ? {} : { after: first.next };
          const rest =
            first.next === null
              ? []
              : engine.who({ action, resource, namespace, type, limit: 9, ...after }).items;
          expect([...first.items, ...rest]).toEqual(items);
        }
      }),
      { numRuns: RUNS },
    );
  });
});

describe("list", () => {
  it("allows what check allows, and denies what it denies", { timeout: TIMEOUT }, () => {
    fc.assert(
      fc.property(arbitrary.model, arbitrary.attributes, (model, attributes) => {
        const engine = AccessEngine.of(model);
        const listed = new Map<string, ReturnType<AccessEngine["list"]>>();
        for (const question of withAttributes(attributes)) {
          const { subject, namespace, resource, action } = question;
          const key = `${subject.type} ${subject.id} ${namespace}`;
          const access = listed.get(key) ?? engine.list({ subject, namespace, attributes });
          listed.set(key, access);
          const isIn = (list: typeof access.allowed) =>
            list.some(
              (item) =>
                matches(item.resource, resource) &&
                item.actions.some((listed) => matches(listed.action, action)),
            );
          expect(isIn(access.allowed) && !isIn(access.denied)).toBe(engine.check(question));
        }
      }),
      { numRuns: Math.ceil(RUNS / 2) },
    );
  });

  it("without attributes, marks what depends on them, and leaves out nothing", { timeout: TIMEOUT }, () => {
    const questions = fc.array(arbitrary.question, { minLength: 60, maxLength: 60 });
    fc.assert(
      fc.property(arbitrary.model, questions, (model, questions) => {
        const engine = AccessEngine.of(model);
        for (const question of questions) {
          const { subject, namespace, resource, action } = question;
          const { allowed, denied } = engine.list({ subject, namespace });
          const matching = (list: typeof allowed) =>
            list
              .filter((item) => matches(item.resource, resource))
              .flatMap(({ actions }) => actions.filter((listed) => matches(listed.action, action)));
          const [allows, denies] = [matching(allowed), matching(denied)];
          if (engine.check(question)) {
            expect(allows).not.toEqual([]);
            expect(denies.every(({ conditional }) => conditional)).toBe(true);
          } else if (denies.length === 0) {
            expect(allows.every(({ conditional }) => conditional)).toBe(true);
          }
        }
      }),
      { numRuns: RUNS },
    );
  });
});
