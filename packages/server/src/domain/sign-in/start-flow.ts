import { IdentityError } from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { isId, newId } from "../../kernel/identifiers.ts";
import { networkOf } from "../../kernel/network-of.ts";
import type { LimitRule } from "../../kernel/ports.ts";
import type { Deps } from "../deps.ts";
import type { Acr, Session } from "../sessions/index.ts";
import { findFlowOfBrowser, insertFlow, takeFlow } from "./flow.store.ts";
import type { Flow } from "./flow.ts";

/** Seconds: long enough to look for a password, short enough that an open tab is worth nothing tomorrow. */
const FLOW_SECONDS = 3_600;

/**
 * Of one address, whatever door begins them: each is a row for an hour, and nobody need have shown who he is. More than
 * the largest office begins, and less than fills a disk.
 */
const STARTS: LimitRule = { name: "sign-in-flow", points: 10_000, seconds: 900, local: true };

export interface NewFlow {
  /** The value of the browser's flow cookie; the flow works in that browser only. */
  browser: string;
  applicationId?: string | undefined;
  /** `login_hint`: shown in the form, proves nothing. */
  identifier?: string | undefined;
  /** The least that the sign-in must prove; the policy may ask for more. */
  acr?: Acr | undefined;
  continuation: Record<string, unknown>;
}

/**
 * Begins a sign-in. Nothing is decided by the caller but where it leads when finished.
 *
 * @throws IdentityError `request.rate_limited`
 */
export function startFlow(deps: Deps, context: RequestContext, input: NewFlow): Promise<Flow> {
  return insertNewFlow(deps, context, input, {
    state: "identifier",
    identifier: input.identifier?.slice(0, 256) ?? null,
    userId: null,
    sessionId: null,
    amr: [],
    facts: input.acr === undefined ? {} : { acr: input.acr },
  });
}

/**
 * Begins a flow in which nobody has to sign in: this browser has a live session, and only something about the
 * application is asked (consent). It makes no session; it names one that exists.
 *
 * @throws IdentityError `impersonation.not_allowed`: nobody agrees in another's name; `request.rate_limited`
 */
export async function startSignedInFlow(
  deps: Deps,
  context: RequestContext,
  input: NewFlow & { session: Pick<Session, "id" | "userId" | "amr" | "impersonatorId"> },
): Promise<Flow> {
  if (input.session.impersonatorId !== null) throw new IdentityError("impersonation.not_allowed");
  const { id: sessionId, userId, amr } = input.session;
  return insertNewFlow(deps, context, input, {
    state: "authenticated",
    identifier: null,
    userId,
    sessionId,
    amr: [...amr],
    facts: {},
  });
}

export async function insertNewFlow(
  deps: Deps,
  context: RequestContext,
  { browser, applicationId, continuation }: Pick<NewFlow, "browser" | "applicationId" | "continuation">,
  who: Pick<Flow, "state" | "identifier" | "userId" | "sessionId" | "amr" | "facts">,
): Promise<Flow> {
  const wait = context.ip === null ? 0 : await deps.limits.consume(STARTS, networkOf(context.ip));
  if (wait > 0) throw new IdentityError("request.rate_limited", { retryAfter: wait });
  const now = deps.clock.now();
  const flow: Flow = {
    ...who,
    id: newId(now),
    applicationId: applicationId ?? null,
    continuation,
    version: 1,
    expiresAt: addSeconds(now, FLOW_SECONDS),
  };
  await insertFlow(deps.database, context.tenantId, flow, browserHash(deps, browser), now);
  return flow;
}

/** @throws IdentityError `flow.not_found`: unknown, expired, finished, or another browser's. */
export async function findFlow(
  deps: Deps,
  context: RequestContext,
  id: string,
  browser: string | undefined,
): Promise<Flow> {
  const flow =
    browser !== undefined && isId(id)
      ? await findFlowOfBrowser(
          deps.database,
          context.tenantId,
          id,
          browserHash(deps, browser),
          deps.clock.now(),
        )
      : undefined;
  if (!flow) throw new IdentityError("flow.not_found");
  return flow;
}

/** A flow whose every required factor was given: who it is, and the session that was made. */
export interface FinishedFlow {
  userId: string;
  sessionId: string;
  applicationId: string | null;
  continuation: Record<string, unknown>;
}

/**
 * Hands a finished flow to the protocol that started it, once.
 *
 * @throws IdentityError `flow.not_found`: also when it was taken already, or is not finished.
 */
export async function takeFinishedFlow(
  deps: Deps,
  context: RequestContext,
  id: string,
  browser: string | undefined,
): Promise<FinishedFlow> {
  const flow =
    browser !== undefined && isId(id)
      ? await takeFlow(deps.database, context.tenantId, id, browserHash(deps, browser), deps.clock.now())
      : undefined;
  if (!flow?.userId || !flow.sessionId) throw new IdentityError("flow.not_found");
  const { userId, sessionId, applicationId, continuation } = flow;
  return { userId, sessionId, applicationId, continuation };
}

function browserHash(deps: Deps, browser: string): Buffer {
  return deps.secrets.keyedHash(browser, "sign-in-browser");
}
