import { IdentityError, type Tenant } from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { findPrincipal } from "../access/index.ts";
import { type Application, findApplication } from "../applications/index.ts";
import type { Deps } from "../deps.ts";
import { type Acr, acrOf, isAtLeast, policyOf, type Session, shortfallOf } from "../sessions/index.ts";
import type { Flow, FlowFacts } from "./flow.ts";
import { needsOf, stateAfter } from "./needs.ts";
import { isRemembered, loadPerson } from "./person.ts";
import { insertNewFlow, type NewFlow } from "./start-flow.ts";

type Proven = Pick<Session, "id" | "userId" | "amr" | "authenticatedAt" | "impersonatorId">;

/** What somebody with a live session wants to enter. */
export interface Entry {
  /** Null at a door that knows no applications. */
  applicationId: string | null;
  /** The least that the sign-in must prove, as the protocol asks. */
  acr?: Acr | undefined;
  /** The value of the browser's device cookie. */
  device?: string | undefined;
}

/** What a live session lacks: a further factor (`startStepUp`), or a new sign-in (`startFlow`). */
export type Lack = "nothing" | "factor" | "sign-in";

/**
 * Whether a live session has proven enough to enter an application: it may have been begun for a milder one, the policy
 * or the person's roles may have changed since, it may be too old, or the protocol asks for more. Every door that lets
 * a session in without a new sign-in asks this.
 */
export async function whatLacks(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  session: Proven,
  entry: Entry,
): Promise<Lack> {
  const { signIn } = tenant.settings;
  const application = await applicationOf(deps, tenant, entry.applicationId);
  if (isTooOld(tenant, application, session, deps.clock.now())) return "sign-in";
  const roles = (await findPrincipal(deps, tenant.id, session.userId))?.roles ?? [];
  if (shortfallOf(tenant, application, roles, session)?.lack === "sign-in") return "sign-in";
  const has = acrOf(session.amr);
  if (entry.acr !== undefined && !isAtLeast(has, entry.acr)) return "factor";
  if (isAtLeast(has, "urn:ostiary:acr:2")) return "nothing"; // no policy asks for more
  const policy = policyOf(tenant, application, roles);
  // `enrolled` was asked when the session began; what was enrolled since counts from the next sign-in on.
  if (policy === "never" || (policy === "enrolled" && signIn.secondFactor === "enrolled")) return "nothing";
  const flow = await provenBy(deps, context, tenant, session, entry);
  const { acr } = needsOf(tenant, application, await loadPerson(deps, tenant, session.userId), flow);
  return isAtLeast(has, acr) ? "nothing" : "factor";
}

/** Whether a sign-in is older than the tenant wants one to be that enters, or than the application's own sessions become. */
export function isTooOld(
  { settings: { signIn } }: Pick<Tenant, "settings">,
  application: Pick<Application, "settings"> | null,
  { authenticatedAt }: Pick<Session, "authenticatedAt">,
  now: Date,
): boolean {
  const most = [signIn.staleSeconds, application?.settings.sessionAbsoluteSeconds ?? null];
  return most.some((seconds) => seconds !== null && addSeconds(authenticatedAt, seconds) < now);
}

/**
 * Whether somebody may be let in on the word of an application alone, as by a person whom Feishu has authenticated:
 * that is no second factor, so whoever would be asked for one at the sign-in is not let in.
 *
 * @throws IdentityError `credential.second_factor_required`, `user.suspended`, `user.not_found`
 */
export async function checkMayBeVouchedFor(
  deps: Deps,
  tenant: Tenant,
  application: Application,
  userId: string,
): Promise<void> {
  const person = await loadPerson(deps, tenant, userId);
  const { acr } = needsOf(tenant, application, person, { amr: [], facts: {} });
  if (isAtLeast(acr, "urn:ostiary:acr:2")) throw new IdentityError("credential.second_factor_required");
}

/**
 * Begins a flow in which the person of a live session proves more: the same session goes on under a new secret, with
 * what was proven before and now.
 *
 * @throws IdentityError `credential.second_factor_unavailable`, `impersonation.not_allowed`, `user.suspended`
 */
export async function startStepUp(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  input: NewFlow & { session: Proven; device?: string | undefined },
): Promise<Flow> {
  const { session, applicationId } = input;
  if (session.impersonatorId !== null) throw new IdentityError("impersonation.not_allowed");
  const application = await applicationOf(deps, tenant, applicationId ?? null);
  const proven = await provenBy(deps, context, tenant, session, input);
  const person = await loadPerson(deps, tenant, session.userId);
  return insertNewFlow(deps, context, input, {
    ...proven,
    state: stateAfter(needsOf(tenant, application, person, proven), proven),
    identifier: person.name,
    userId: session.userId,
    sessionId: null,
  });
}

/**
 * Begins a flow in which the person of a live session proves once more who it is, as before a change of credentials.
 *
 * @throws IdentityError `impersonation.not_allowed`, `user.suspended`
 */
export async function startReauthentication(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  input: NewFlow & { session: Proven },
): Promise<Flow> {
  const { session, acr } = input;
  if (session.impersonatorId !== null) throw new IdentityError("impersonation.not_allowed");
  const person = await loadPerson(deps, tenant, session.userId);
  return insertNewFlow(deps, context, input, {
    state: "password",
    identifier: person.name,
    userId: null,
    sessionId: null,
    amr: [],
    facts: {
      boundTo: { userId: session.userId, sessionId: session.id, stepsUp: false },
      // Whoever sits before a browser that was left alone must not change the account with the password only.
      deviceRemembered: false,
      ...(acr === undefined ? {} : { acr }),
    },
  });
}

function applicationOf(
  deps: Deps,
  tenant: Tenant,
  id: string | null,
): Application | null | Promise<Application | null> {
  return id === null ? null : findApplication(deps, tenant.id, id);
}

/** The flow as if the session's sign-in had been its first step. */
async function provenBy(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  session: Proven,
  { acr, device }: Pick<Entry, "acr" | "device">,
): Promise<{ amr: string[]; facts: FlowFacts }> {
  const { id: sessionId, userId, amr } = session;
  const facts: FlowFacts = {
    boundTo: { userId, sessionId, stepsUp: true },
    ...firstFactorOf(amr),
    deviceRemembered: await isRemembered(deps, context, tenant, userId, device),
    ...(acr === undefined ? {} : { acr }),
  };
  return { amr: [...amr], facts };
}

/** A code came by mail when nothing says otherwise: a first factor is never an authenticator app. */
function firstFactorOf(amr: readonly string[]): Pick<FlowFacts, "first" | "channel"> {
  if (amr.includes("mfa")) return { first: "session" };
  if (amr.includes("swk") || amr.includes("hwk")) return { first: "passkey" };
  if (amr.includes("sms")) return { first: "session", channel: "sms" };
  if (amr.includes("otp")) return { first: "session", channel: "email" };
  return { first: "session" };
}
