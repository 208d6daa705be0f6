import { type ErrorCode, IdentityError, type Tenant } from "@ostiary/contracts";
import { allDone } from "../../kernel/all-done.ts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { type Application, findApplication, mayUse } from "../applications/index.ts";
import { recordEvent } from "../audit/index.ts";
import { addressesOfUser, listKnownDevices, noticeTo, rememberDevice } from "../credentials/index.ts";
import { type Deps, within } from "../deps.ts";
import {
  acrOf,
  createSession,
  deviceName,
  type NewSession,
  renewSession,
  revokeSession,
  type Session,
  type SessionPolicy,
} from "../sessions/index.ts";
import { noteSignIn } from "../users/index.ts";
import { deliverCode, findUnconfirmed } from "./deliver-code.ts";
import { type Flow, type Sent, type StepResult, UNSTORED } from "./flow.ts";
import { move } from "./move.ts";
import { needsOf, type Person, stateAfter } from "./needs.ts";
import { isRemembered, loadPerson } from "./person.ts";
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
  /** As it was typed; absent: the flow's; null: nothing was typed, so the user's name. */
  identifier?: string | null;
  /** How: values of RFC 8176, with `mfa` when it makes two factors. */
  amr: readonly string[];
  /** What it adds to the flow's. */
  facts?: Flow["facts"];
  /** What the step has just changed about the person, or who he is before the transaction has made him. */
  person?: Partial<Person>;
}

/**
 * Takes a flow as far as it goes with what was proven: to the next question, or to a session.
 *
 * @param tx - in which what was proven was used up: nothing is left of a step that lost a race.
 * @throws IdentityError `flow.wrong_step`, `flow.not_found` (a second tab was quicker), `user.suspended`,
 *   `user.not_found`, `application.access_denied`, `application.disabled`, `session.limit_reached`,
 *   `credential.second_factor_unavailable`, `credential.rejected` (somebody else's flow); for a flow without a row also
 *   what `refuseUnfinished` throws
 */
export async function proceed(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
  proof: Proof,
  browser: Browser,
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
  if (isOutdated(flow, person)) throw new IdentityError("flow.not_found", { reason: "password changed" });
  if (await hasMoved(within(deps, tx), tenant.id, userId, flow)) {
    throw new IdentityError("flow.not_found", { reason: "address changed" });
  }
  const deviceRemembered =
    flow.facts.deviceRemembered ?? (await isRemembered(deps, context, tenant, userId, browser.device));
  const known = { ...proof, facts: { deviceRemembered, ...proof.facts } };
  return proceedAs(deps, tx, context, { tenant, application, person }, flow, known, browser);
}

/** Whoever knew a password that is no longer one must not go on with what it has proven. */
function isOutdated({ facts: { passwordGivenAt } }: Flow, { passwordChangedAt }: Person): boolean {
  return (
    passwordGivenAt !== undefined &&
    passwordChangedAt !== null &&
    passwordChangedAt > new Date(passwordGivenAt)
  );
}

/** Nor must whoever reads a mailbox that has left the account since it brought the first factor. */
async function hasMoved(
  joined: Deps,
  tenantId: string,
  userId: string,
  { facts: { address } }: Flow,
): Promise<boolean> {
  if (address === undefined) return false;
  const { email, backupEmail, phone } = await addressesOfUser(joined, tenantId, userId);
  return ![email, backupEmail, phone].includes(address);
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
  const { userId } = proof;
  const identifier =
    proof.identifier === undefined ? flow.identifier : (proof.identifier ?? subject.person.name);
  const amr = [...new Set([...flow.amr, ...proof.amr])];
  const { sent: _used, ...kept } = flow.facts;
  const facts = { ...kept, ...proof.facts, ...(browser.remember ? { remember: true } : {}) };
  const proven = { ...flow, userId, identifier, amr, facts };
  const state = nextState(flow.state, proof.step, stateOf(subject, proven));
  if (state === "authenticated")
    return authenticate(deps, tx, context, subject, { ...proven, state }, browser);
  if (flow.version === UNSTORED) throw refuseUnfinished(state);
  const sent =
    state === "verify-identifier"
      ? await askToConfirm(within(deps, tx), context, subject.tenant, proven)
      : undefined;
  const next = { ...proven, state, facts: sent ? { ...facts, sent } : facts };
  return { flow: await move(tx, context, flow, next) };
}

/** The code to confirm an address with is on its way when the page asks for it; if not, it can be asked for. */
async function askToConfirm(
  joined: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow & { userId: string },
): Promise<Sent | undefined> {
  const addressee = await findUnconfirmed(joined, tenant.id, flow.userId);
  const delivery = { purpose: "verify-email", channel: "email", addressee, isKnown: true } as const;
  return deliverCode(joined, context, tenant, flow, delivery).catch((error: unknown) => {
    if (error instanceof IdentityError) return undefined;
    throw error;
  });
}

const UNFINISHED: Partial<Record<FlowState, ErrorCode>> = {
  "verify-identifier": "user.verification_required",
  "new-password": "password.change_required",
};

/** A door without pages cannot ask further: it says where the person can go on. */
function refuseUnfinished(state: FlowState): IdentityError {
  return new IdentityError(UNFINISHED[state] ?? "credential.second_factor_required");
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
  const { wantsOneSession } = subject.person;
  const input = { userId, amr, applicationId, policy: browser.session, wantsOneSession };
  const [isActive, { sessionId, ...begun }] = await allDone([
    noteSignIn(joined, who, userId),
    beginSession(joined, tx, who, input, flow, browser),
  ]);
  if (!isActive) throw new IdentityError("user.suspended");
  const device = await noteDevice(joined, who, subject.tenant, flow, browser);
  const done = await move(tx, context, flow, { ...flow, sessionId });
  await recordEvent(deps, tx, who, {
    type: "user.login",
    target: { type: "user", id: userId },
    data: { sessionId, amr, acr: acrOf(amr), applicationId },
  });
  return { flow: done, ...begun, ...device };
}

/** Keeps in mind that the person has been here, and tells him of a browser that is new for him. */
async function noteDevice(
  joined: Deps,
  who: RequestContext,
  tenant: Tenant,
  { userId, version, facts }: Flow,
  browser: Browser,
): Promise<{ deviceCookie?: string }> {
  // A door of its own has no device cookie.
  if (userId === null || version === UNSTORED || browser.session) return {};
  const { rememberDeviceDays } = tenant.settings.signIn;
  const days = facts.remember && facts.second !== undefined ? rememberDeviceDays : null;
  const { cookie, isNew } = await rememberDevice(joined, who, userId, { cookie: browser.device, days });
  if (isNew && (await listKnownDevices(joined, who, userId)).length > 1) {
    const values = { device: deviceName(who.userAgent), ip: who.ip ?? "", time: joined.clock.now() };
    await noticeTo(joined, who, tenant, userId, { template: "new-device", values });
  }
  return { deviceCookie: cookie };
}

/**
 * The session that follows a sign-in. The same person again, in the same browser: the session goes on under a new
 * secret, so other applications stay signed in. Somebody else: the old session ends. A session that has proven more
 * must be the one that proved the first factor, still alive.
 */
async function beginSession(
  joined: Deps,
  tx: Transaction,
  who: RequestContext,
  input: NewSession,
  { facts: { boundTo } }: Flow,
  { previousSessionId: previous }: Browser,
): Promise<{ sessionId: string; cookie: string; session?: Session }> {
  if (boundTo?.stepsUp) {
    const stepped = await renewSession(joined, tx, who, boundTo.sessionId, input, { keepsTime: true });
    if (!stepped) throw new IdentityError("flow.not_found", { reason: "the session has ended" });
    return { sessionId: boundTo.sessionId, ...stepped };
  }
  const renewed = previous && (await renewSession(joined, tx, who, previous, input));
  if (renewed) return { sessionId: previous, ...renewed };
  if (previous) await revokeSession(joined, who, previous, "replaced");
  const { session, cookie } = await createSession(joined, who, input);
  return { sessionId: session.id, session, cookie };
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
