import {
  type AccessExplanation,
  type AccessList,
  type AccessListQuestion,
  type AccessQuestion,
  type AccessSimulation,
  type AccessWho,
  type AccessWhoQuestion,
  IdentityError,
  MAXIMUM_QUESTIONS,
  type SupposedChange,
} from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import { type Deps, isJoined } from "../deps.ts";
import { toNewGrant } from "./access-grants.ts";
import { attributesFor } from "./attributes.ts";
import {
  type AccessChange,
  AccessEngine,
  type Attributes,
  type Grant,
  type Question,
  type SubjectRef,
} from "./engine/index.ts";
import { findPrincipal, type Principal } from "./find-principal.ts";
import { liveModels } from "./live-models.ts";
import { holds } from "./permissions.ts";
import { checkPermissionIn } from "./places.ts";
import { DEFAULT_NAMESPACE } from "./rights.ts";
import { selectIsActive, selectSubjectModel } from "./subject-model.store.ts";

/**
 * Whether the subject may. A plain value when everything is in memory.
 *
 * Needs `access:check`, in the whole tenant or for the namespace. About oneself everybody may ask, and an application
 * about everybody in its own namespace.
 *
 * @throws IdentityError `permission.denied`
 */
export function checkAccess(
  deps: Deps,
  context: RequestContext,
  question: AccessQuestion,
): boolean | Promise<boolean> {
  return mayAskAtOnce(context, question.subject, question.namespace)
    ? answer(deps, context.tenantId, question)
    : checkMayAsk(deps, context, question.namespace).then(() => answer(deps, context.tenantId, question));
}

/** Up to 1,000 questions; all are answered or none. @throws also `access.too_many_questions` */
export async function checkAccessMany(
  deps: Deps,
  context: RequestContext,
  questions: readonly AccessQuestion[],
): Promise<boolean[]> {
  if (questions.length > MAXIMUM_QUESTIONS) throw new IdentityError("access.too_many_questions");
  await checkMayAskAll(deps, context, questions);
  const results: boolean[] = [];
  for (const question of questions) results.push(await answer(deps, context.tenantId, question));
  return results;
}

/** The verdict with the ways that led to it, or with what is missing. @throws IdentityError `permission.denied` */
export async function explainAccess(
  deps: Deps,
  context: RequestContext,
  question: AccessQuestion,
): Promise<AccessExplanation> {
  await checkMayAskAll(deps, context, [question]);
  const { tenantId } = context;
  const [engine, principal] = await Promise.all([
    liveModels(deps).get(tenantId),
    principalOf(deps, tenantId, question.subject),
  ]);
  return plain(engine.explain(toQuestion(deps, question, principal)));
}

/** What the subject may do in a namespace. @throws IdentityError `permission.denied` */
export async function listAccess(
  deps: Deps,
  context: RequestContext,
  { subject, namespace = DEFAULT_NAMESPACE, type, attributes }: AccessListQuestion,
): Promise<AccessList> {
  await checkMayAskAll(deps, context, [{ subject, namespace }]);
  const { tenantId } = context;
  const engine = await liveModels(deps).get(tenantId);
  const known = attributes && {
    attributes: attributesFor(
      subject,
      await principalOf(deps, tenantId, subject),
      attributes,
      deps.clock.now(),
    ),
  };
  return plain(engine.list({ subject, namespace, ...(type ? { type } : {}), ...known }));
}

/** Which subjects may do it, in the order of their ids. @throws IdentityError `permission.denied` */
export async function listWhoMay(
  deps: Deps,
  context: RequestContext,
  { namespace = DEFAULT_NAMESPACE, action, resource, type, after, limit = 50 }: AccessWhoQuestion,
): Promise<AccessWho> {
  await checkMayAsk(deps, context, namespace);
  const engine = await liveModels(deps).get(context.tenantId);
  return plain(
    engine.who({
      namespace,
      action,
      resource,
      limit,
      ...(type ? { type } : {}),
      ...(after ? { after } : {}),
    }),
  );
}

/**
 * The verdicts as they are and as they would be after the changes; nothing is changed.
 *
 * @throws IdentityError `permission.denied`, `access.too_many_questions`, `access_grant.invalid`
 */
export async function simulateAccess(
  deps: Deps,
  context: RequestContext,
  { changes, questions }: AccessSimulation,
): Promise<{ before: boolean; after: boolean }[]> {
  if (questions.length > MAXIMUM_QUESTIONS) throw new IdentityError("access.too_many_questions");
  const { tenantId } = context;
  for (const namespace of new Set(questions.map((question) => question.namespace ?? DEFAULT_NAMESPACE))) {
    await checkMayAsk(deps, context, namespace);
  }
  const supposed = changes.map((change) => toChange(deps, change));
  const asked: Question[] = [];
  for (const question of questions) {
    asked.push(toQuestion(deps, question, await principalOf(deps, tenantId, question.subject)));
  }
  const engine = await liveModels(deps).get(tenantId);
  return engine.simulate(supposed, asked);
}

function answer(deps: Deps, tenantId: string, question: AccessQuestion): boolean | Promise<boolean> {
  const principal = principalOf(deps, tenantId, question.subject);
  if (principal instanceof Promise) return principal.then((found) => decide(deps, tenantId, question, found));
  return decide(deps, tenantId, question, principal);
}

function decide(
  deps: Deps,
  tenantId: string,
  question: AccessQuestion,
  principal: Principal | null,
): boolean | Promise<boolean> {
  const asked = toQuestion(deps, question, principal);
  const engine = isJoined(deps) ? undefined : liveModels(deps).peek(tenantId);
  return engine ? engine.check(asked) : decideFromDatabase(deps, tenantId, asked);
}

/** While the tenant's model is not there: as much of it as concerns the subject. The model itself is fetched meanwhile. */
async function decideFromDatabase(deps: Deps, tenantId: string, question: Question): Promise<boolean> {
  if (deps.feed.live && !isJoined(deps)) {
    liveModels(deps)
      .load(tenantId)
      .catch(() => {}); // reported where it failed
  }
  const { subject } = question;
  const active = await selectIsActive(deps.database, tenantId, subject);
  if (!active) return false;
  return AccessEngine.of(await selectSubjectModel(deps.database, tenantId, subject)).check(question);
}

function principalOf(
  deps: Deps,
  tenantId: string,
  { type, id }: SubjectRef,
): Principal | null | Promise<Principal | null> {
  return type === "user" ? findPrincipal(deps, tenantId, id) : null;
}

function toQuestion(deps: Deps, question: AccessQuestion, principal: Principal | null): Question {
  const { subject, action, resource, namespace = DEFAULT_NAMESPACE } = question;
  const attributes = attributesFor(
    subject,
    principal,
    question.attributes as Attributes | undefined,
    deps.clock.now(),
  );
  return { subject, action, resource, namespace, attributes };
}

function mayAskAtOnce(context: RequestContext, about: SubjectRef, namespace = DEFAULT_NAMESPACE): boolean {
  const { subject, permissions } = context;
  if (holds(permissions, "access:check")) return true;
  if (!subject) return false;
  if (subject.type === about.type && subject.id === about.id) return true;
  return subject.type === "application" && subject.id === namespace;
}

function checkMayAsk(deps: Deps, context: RequestContext, namespace = DEFAULT_NAMESPACE): Promise<void> {
  const { subject } = context;
  if (subject?.type === "application" && subject.id === namespace) return Promise.resolve();
  return checkPermissionIn(deps, context, "access:check", { namespace });
}

async function checkMayAskAll(
  deps: Deps,
  context: RequestContext,
  questions: readonly { subject: SubjectRef; namespace?: string }[],
): Promise<void> {
  const namespaces = questions
    .filter(({ subject, namespace }) => !mayAskAtOnce(context, subject, namespace))
    .map(({ namespace }) => namespace);
  for (const namespace of new Set(namespaces)) await checkMayAsk(deps, context, namespace);
}

function toChange(deps: Deps, change: SupposedChange): AccessChange {
  if (change.type === "revoke") return { type: "grant.removed", id: change.grantId };
  if (change.type === "grant") {
    const grant = toGrant(newId(deps.clock.now()), change.grant);
    // One that is switched off is as good as none.
    return change.grant.enabled === false
      ? { type: "grant.removed", id: grant.id }
      : { type: "grant.set", grant };
  }
  const type = change.type === "join" ? "member.added" : "member.removed";
  return { type, of: change.of, userId: change.userId };
}

function toGrant(id: string, input: Parameters<typeof toNewGrant>[1]): Grant {
  const { subject, roleId, policyId, namespace, resource, actions, effect, inherit, enabled } = toNewGrant(
    id,
    input,
  );
  if (policyId !== null) return { kind: "policy", id, subject, inherit, policyId, enabled };
  if (roleId !== null && subject.type !== "role")
    return { kind: "role", id, subject: { type: subject.type, id: subject.id }, inherit, roleId };
  return {
    kind: "resource",
    id,
    subject,
    inherit,
    namespace: namespace ?? DEFAULT_NAMESPACE,
    resource: resource ?? "",
    actions: actions ?? [],
    effect: effect ?? "allow",
  };
}

/** The engine's answers are what the wire has, read-only. */
function plain<Wire>(value: object): Wire {
  return value as Wire;
}
