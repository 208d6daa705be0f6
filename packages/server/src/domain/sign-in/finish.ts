import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";
import { type Application, findApplication, mayUse } from "../applications/index.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import {
  acrOf,
  createSession,
  type NewSession,
  renewSession,
  revokeSession,
  type SessionPolicy,
} from "../sessions/index.ts";
import { noteSignIn } from "../users/index.ts";
import { advanceFlow } from "./flow.store.ts";
import { type Flow, type StepResult, UNSTORED } from "./flow.ts";
import { needsOf, type Person, stateAfter } from "./needs.ts";
import { loadPerson } from "./person.ts";
import { type FlowState, nextState, type Step } from "./steps.ts";

/** What a step that may finish a sign-in wants to know about the browser. */
export interface Browser {
  /** The session this browser had: it goes on for the same person, and ends for another one. */
  previousSessionId?: string | undefined;
  /** For a door of its own; default: a browser at our pages. */
  session?: SessionPolicy | undefined;
  /** The value of its device cookie. */
  device?: string | undefined;
  /** Whether the person wants it to be remembered; counts with a second factor. */
  remember?: boolean | undefined;
}

/** What a step has proven. */
export interface Proof {
  step: Step;
  userId: string;
  /** As it was typed, or a name of the user when nothing was. */
  identifier: string | null;
  /** How: values of RFC 8176, with `mfa` when it makes two factors. */
  amr: readonly string[];
  /** What it adds to the flow's. */
  facts?: Flow["facts"];
  /** What the step has just changed about the person, or who he is before the transaction has made him. */
  person?: Partial<Person>;
}

/**
 * Takes a flow as far as it goes with what was proven: to the next question, or to a session. Everything that was
 * used up for it is used up already.
 *
 * @param effect - what else the step changes, in the same transaction: nothing is left of one that lost a race.
 * @throws IdentityError `flow.wrong_step`, `flow.not_found` (a second tab was quicker), `user.suspended`,
 *   `user.not_found`, `application.access_denied`, `application.disabled`, `session.limit_reached`,
 *   `credential.second_factor_unavailable`; for a flow without a row also what `refuseUnfinished` throws
 */
export async function proceed(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
  proof: Proof,
  browser: Browser,
  effect?: (tx: Transaction) => Promise<void>,
): Promise<StepResult> {
  const { userId } = proof;
  const { boundTo } = flow.facts;
  if (boundTo && boundTo.userId !== userId) {
    throw new IdentityError("credential.rejected", { reason: "somebody else" });
  }
  const application = await findItsApplication(deps, tenant.id, flow);
  if (application && !(await mayUse(deps, application, userId))) {
    throw new IdentityError("application.access_denied");
  }
  const person = { ...(await loadPerson(deps, tenant, userId)), ...proof.person };
  return deps.database.transaction(async (tx) => {
    await effect?.(tx);
    return proceedAs(deps, tx, context, { tenant, application, person }, flow, proof, browser);
  });
}

/** What the policy is about. */
export interface Subject {
  tenant: Tenant;
  application: Application | null;
  person: Person;
}

export async function proceedAs(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  subject: Subject,
  flow: Flow,
  proof: Proof,
  browser: Browser,
): Promise<StepResult> {
  const { userId, identifier } = proof;
  const amr = [...new Set([...flow.amr, ...proof.amr])];
  const facts = { ...flow.facts, ...proof.facts, ...(browser.remember ? { remember: true } : {}) };
  const proven = { ...flow, userId, identifier: identifier ?? flow.identifier, amr, facts };
  const state = nextState(flow.state, proof.step, stateOf(subject, proven));
  if (state === "authenticated")
    return authenticate(deps, tx, context, subject, { ...proven, state }, browser);
  if (flow.version === UNSTORED) throw refuseUnfinished(state);
  return { flow: await move(tx, context, flow, { ...proven, state }) };
}

/** A door without pages cannot ask further: it says where the person can go on. */
function refuseUnfinished(state: FlowState): IdentityError {
  const code = {
    "verify-identifier": "user.verification_required",
    "new-password": "password.change_required",
  } as const;
  return new IdentityError(
    state === "verify-identifier" || state === "new-password"
      ? code[state]
      : "credential.second_factor_required",
  );
}

function stateOf({ tenant, application, person }: Subject, flow: Flow): FlowState {
  return stateAfter(needsOf(tenant, application, person, flow), flow);
}

/**
 * The one place where a session begins: what the policy requires is proven, which is asked here once more whatever the
 * way that led here. State, session and event are one transaction, and the flow's version decides between two tabs.
 */
async function authenticate(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  subject: Subject,
  flow: Flow,
  browser: Browser,
): Promise<StepResult> {
  const { userId, amr, applicationId } = flow;
  if (userId === null || stateOf(subject, flow) !== "authenticated") {
    throw new IdentityError("flow.wrong_step", { reason: "a required factor is missing" });
  }
  const joined = within(deps, tx);
  const who: RequestContext = { ...context, actor: { type: "user", id: userId } };
  if (!(await noteSignIn(joined, who, userId))) throw new IdentityError("user.suspended");
  const input = { userId, amr, applicationId, policy: browser.session };
  const { session, cookie } = await beginSession(joined, tx, who, input, browser.previousSessionId);
  const done = await move(tx, context, flow, { ...flow, sessionId: session.id });
  await recordEvent(deps, tx, who, {
    type: "user.login",
    target: { type: "user", id: userId },
    data: { sessionId: session.id, amr, acr: acrOf(amr), applicationId },
  });
  return { flow: done, cookie };
}

/**
 * The session that follows a sign-in. The same person again, in the same browser: the session goes on under a new
 * secret, so other applications stay signed in. Somebody else: the old session ends.
 */
async function beginSession(
  joined: Deps,
  tx: Transaction,
  who: RequestContext,
  input: NewSession,
  previous: string | undefined,
): Promise<{ session: { id: string }; cookie: string }> {
  const renewed = previous && (await renewSession(joined, tx, who, previous, input));
  if (renewed) return renewed;
  if (previous) await revokeSession(joined, who, previous, "replaced").catch(ignoreGone);
  return createSession(joined, who, input);
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof IdentityError && error.code === "session.not_found")) throw error;
}

/** @throws IdentityError `application.not_found`, `application.disabled` */
export async function findItsApplication(
  deps: Deps,
  tenantId: string,
  { applicationId }: Flow,
): Promise<Application | null> {
  if (applicationId === null) return null;
  const application = await findApplication(deps, tenantId, applicationId);
  if (!application) throw new IdentityError("application.not_found");
  if (application.status !== "active") throw new IdentityError("application.disabled");
  return application;
}

/** @throws IdentityError `flow.not_found` when another request has moved the flow meanwhile. */
export async function move(
  database: Queryable,
  context: RequestContext,
  flow: Flow,
  change: Partial<Flow>,
): Promise<Flow> {
  const next = { ...flow, ...change };
  if (flow.version === UNSTORED) return next;
  if (!(await advanceFlow(database, context.tenantId, flow, next))) throw new IdentityError("flow.not_found");
  return { ...next, version: flow.version + 1 };
}
