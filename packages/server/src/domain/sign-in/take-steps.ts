import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { findApplication, mayUse } from "../applications/index.ts";
import { recordEvent } from "../audit/index.ts";
import { checkPassword, replacePassword } from "../credentials/index.ts";
import { type Deps, outsideTransaction, within } from "../deps.ts";
import {
  createSession,
  type NewSession,
  renewSession,
  revokeSession,
  type SessionPolicy,
} from "../sessions/index.ts";
import { noteSignIn } from "../users/index.ts";
import { advanceFlow, type Flow } from "./flow.store.ts";
import { nextState } from "./steps.ts";

/** What a step did. `cookie` is set when the sign-in is finished: the value of the session cookie. */
export interface StepResult {
  flow: Flow;
  cookie?: string;
}

/** The person said who it is. Whether such a user exists is not looked up: the answer would tell a guesser. */
export async function giveIdentifier(
  deps: Deps,
  context: RequestContext,
  flow: Flow,
  identifier: string,
): Promise<StepResult> {
  const state = nextState(flow.state, "give-identifier");
  return { flow: await move(deps, context, flow, { state, identifier: identifier.trim() }) };
}

export async function changeIdentifier(deps: Deps, context: RequestContext, flow: Flow): Promise<StepResult> {
  const state = nextState(flow.state, "change-identifier");
  return { flow: await move(deps, context, flow, { state, identifier: null }) };
}

export interface PasswordStep {
  /** Only in state `identifier`; in state `password` the flow's own counts. */
  identifier?: string | undefined;
  password: string;
  /** The session this browser had: it goes on for the same person, and ends for another one. */
  previousSessionId?: string | undefined;
  /** For a door of its own; default: a browser at our pages. */
  session?: SessionPolicy | undefined;
}

/**
 * @throws IdentityError `flow.wrong_step`, `flow.not_found` (a second tab was quicker), and what `checkPassword` and
 *   `authenticate` throw: `credential.rejected`, `credential.locked`, `credential.busy`, `user.suspended`,
 *   `application.access_denied`.
 */
export async function givePassword(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
  step: PasswordStep,
): Promise<StepResult> {
  nextState(flow.state, "give-password"); // refused before the password is even looked at
  const identifier = flow.state === "password" ? flow.identifier : step.identifier?.trim();
  if (!identifier) throw new IdentityError("credential.rejected", { reason: "no identifier" });
  await checkMethod(deps, flow, tenant.id, "password");
  const { userId, mustChange } = await checkPassword(deps, context, tenant, identifier, step.password);
  if (mustChange) return demandNewPassword(deps, context, flow, { userId, identifier });
  return deps.database.transaction((tx) =>
    authenticate(deps, tx, context, flow, {
      step: "give-password",
      userId,
      identifier,
      method: "pwd",
      previousSessionId: step.previousSessionId,
      session: step.session,
    }),
  );
}

/** Nothing is given for a password that must be changed but the next question. */
async function demandNewPassword(
  deps: Deps,
  context: RequestContext,
  flow: Flow,
  who: { userId: string; identifier: string },
): Promise<StepResult> {
  if (flow.version === UNSTORED) throw new IdentityError("password.change_required");
  const state = nextState(flow.state, "give-password", "new-password");
  return { flow: await move(deps, context, flow, { ...who, state, amr: ["pwd"] }) };
}

/**
 * The person, who has just given the right password, chooses the next one and is signed in with it: one transaction,
 * so that a tab that lost the race has changed nothing.
 *
 * @throws IdentityError `flow.wrong_step`, `flow.not_found`, `password.*`, `user.suspended`, `user.not_found`
 */
export async function choosePassword(
  deps: Deps,
  context: RequestContext,
  flow: Flow,
  step: { password: string; previousSessionId?: string | undefined },
): Promise<StepResult> {
  nextState(flow.state, "choose-password");
  const { userId, identifier } = flow;
  if (userId === null || identifier === null) throw new IdentityError("flow.not_found");
  const who: RequestContext = { ...context, actor: { type: "user", id: userId } };
  return deps.database.transaction(async (tx) => {
    await replacePassword(within(deps, tx), who, userId, step.password);
    return authenticate(deps, tx, context, flow, {
      step: "choose-password",
      userId,
      identifier,
      method: "pwd",
      previousSessionId: step.previousSessionId,
    });
  });
}

/** The version of a flow that begins and ends within one call and so has no row. */
export const UNSTORED = 0;

export interface Authentication {
  step: "give-password" | "choose-password" | "sign-up";
  userId: string;
  identifier: string;
  /** How: a value of RFC 8176. */
  method: "pwd";
  previousSessionId?: string | undefined;
  session?: SessionPolicy | undefined;
}

/**
 * The one place where a session begins: the last required factor was given. State, session and event are one
 * transaction, and the flow's version decides between two tabs.
 *
 * @throws IdentityError `application.access_denied`, `flow.not_found`, `session.limit_reached`
 */
export async function authenticate(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  flow: Flow,
  facts: Authentication,
): Promise<StepResult> {
  const joined = within(deps, tx);
  const state = nextState(flow.state, facts.step, "authenticated");
  // From the cache: neither the application nor its assignments change in this transaction.
  await checkApplicationAccess(outsideTransaction(deps), context.tenantId, flow.applicationId, facts.userId);
  const amr = [...new Set([...flow.amr, facts.method])];
  const who: RequestContext = { ...context, actor: { type: "user", id: facts.userId } };
  const { session, cookie } = await beginSession(
    joined,
    tx,
    who,
    { userId: facts.userId, amr, applicationId: flow.applicationId, policy: facts.session },
    facts,
  );
  const next = {
    ...flow,
    state,
    identifier: facts.identifier,
    userId: facts.userId,
    sessionId: session.id,
    amr,
  };
  const won = flow.version === UNSTORED || (await advanceFlow(tx, context.tenantId, flow, next));
  if (!won) throw new IdentityError("flow.not_found");
  await noteSignIn(joined, who, facts.userId);
  await recordEvent(deps, tx, who, {
    type: "user.login",
    target: { type: "user", id: facts.userId },
    data: { sessionId: session.id, amr, applicationId: flow.applicationId },
  });
  return { flow: { ...next, version: flow.version + 1 }, cookie };
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
  { previousSessionId: previous }: Authentication,
): Promise<{ session: { id: string }; cookie: string }> {
  const renewed = previous && (await renewSession(joined, tx, who, previous, input));
  if (renewed) return renewed;
  if (previous) await revokeSession(joined, who, previous, "replaced").catch(ignoreGone);
  return createSession(joined, who, input);
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof IdentityError && error.code === "session.not_found")) throw error;
}

/** Whether this person may enter this application; asked wherever a session meets an application. */
async function checkApplicationAccess(
  deps: Deps,
  tenantId: string,
  applicationId: string | null,
  userId: string,
): Promise<void> {
  if (applicationId === null) return;
  const application = await findApplication(deps, tenantId, applicationId);
  if (!application) throw new IdentityError("application.not_found");
  if (application.status !== "active") throw new IdentityError("application.disabled");
  if (!(await mayUse(deps, application, userId))) throw new IdentityError("application.access_denied");
}

async function checkMethod(deps: Deps, flow: Flow, tenantId: string, method: string): Promise<void> {
  if (flow.applicationId === null) return;
  const application = await findApplication(deps, tenantId, flow.applicationId);
  if (!application?.signInMethods.includes(method as "password")) {
    throw new IdentityError("sign_in.method_not_allowed");
  }
}

/** @throws IdentityError `flow.not_found` when another request has moved the flow meanwhile. */
async function move(deps: Deps, context: RequestContext, flow: Flow, change: Partial<Flow>): Promise<Flow> {
  const next = { ...flow, ...change };
  if (!(await advanceFlow(deps.database, context.tenantId, flow, next)))
    throw new IdentityError("flow.not_found");
  return { ...next, version: flow.version + 1 };
}
