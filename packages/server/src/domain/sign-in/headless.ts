import { type FinishedSignIn, IdentityError, type StartSignIn, type Tenant } from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newSecret } from "../../kernel/identifiers.ts";
import { networkOf } from "../../kernel/network-of.ts";
import { type Application, findApplication, isOriginOf } from "../applications/index.ts";
import type { Deps } from "../deps.ts";
import { findSession } from "../sessions/index.ts";
import { createAuthorizationCode } from "../tokens/index.ts";
import type { Flow } from "./flow.ts";
import { findFlow, startFlow, takeFinishedFlow } from "./start-flow.ts";

/** Of one address: a company of people behind one, but not a robot. */
const STARTS = { name: "headless-flow", points: 300, seconds: 900 };

const PROTOCOL = "headless";

interface Continuation {
  protocol: typeof PROTOCOL;
  scopes: string[];
  codeChallenge: string;
  nonce: string | null;
}

/**
 * Begins a sign-in that an application leads with its own forms. It sees what people type, so it must be the
 * organisation's own and allowed to do so (`headlessSignIn`, consent `implicit`); what it gets in the end is an
 * authorization code, bound to a verifier that it keeps, and no session of a browser.
 *
 * @param origin - of the page that asks; null for a program that is no browser.
 * @returns the flow and the secret that stands for the browser: whoever does not have it has no flow.
 * @throws IdentityError `application.not_found`, `application.disabled`, `application.origin_not_allowed`,
 *   `sign_in.headless_not_allowed`, `scope.not_granted`, `request.rate_limited`
 */
export async function startHeadlessFlow(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  input: StartSignIn,
  origin: string | null,
): Promise<{ flow: Flow; secret: string }> {
  const application = await findHeadlessApplication(deps, tenant, input.applicationId, origin);
  if (!input.scopes.every((scope) => application.scopes.includes(scope))) {
    throw new IdentityError("scope.not_granted");
  }
  const wait = await deps.limits.consume(STARTS, `${tenant.id}:${networkOf(context.ip ?? "")}`);
  if (wait > 0) throw new IdentityError("request.rate_limited", { retryAfter: wait });
  const secret = newSecret();
  const { scopes, codeChallenge, nonce = null, identifier, acr } = input;
  const continuation: Continuation = { protocol: PROTOCOL, scopes, codeChallenge, nonce };
  const flow = await startFlow(deps, context, {
    browser: secret,
    applicationId: application.id,
    identifier,
    acr,
    continuation: { ...continuation },
  });
  return { flow, secret };
}

/**
 * @param origin - of the page that asks.
 * @throws IdentityError `flow.not_found` (also one that a protocol has begun for a browser), and those of
 *   `startHeadlessFlow` about the application
 */
export async function findHeadlessFlow(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  id: string,
  key: { secret: string | undefined; origin: string | null },
): Promise<Flow> {
  const flow = await findFlow(deps, context, id, key.secret);
  if (flow.continuation["protocol"] !== PROTOCOL) throw new IdentityError("flow.not_found");
  await findHeadlessApplication(deps, tenant, flow.applicationId, key.origin);
  return flow;
}

/**
 * Ends a flow that is `authenticated`, once.
 *
 * @returns a code for the token endpoint, where the application proves the verifier, and itself if it can keep a secret.
 * @throws IdentityError `flow.not_found`, also when it is not finished
 */
export async function finishHeadlessFlow(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  id: string,
  key: { secret: string | undefined; origin: string | null },
): Promise<FinishedSignIn> {
  const found = await findHeadlessFlow(deps, context, tenant, id, key);
  const application = await findHeadlessApplication(deps, tenant, found.applicationId, key.origin);
  const { userId, sessionId, continuation } = await takeFinishedFlow(deps, context, id, key.secret);
  const session = await findSession(deps, tenant.id, sessionId);
  if (!session) throw new IdentityError("session.not_found");
  const { scopes, codeChallenge, nonce } = continuation as unknown as Continuation;
  const code = await createAuthorizationCode(deps, context, tenant, {
    application,
    userId,
    session,
    offline: scopes.includes("offline_access"),
    scopes,
    details: { amr: [...session.amr], ...(nonce === null ? {} : { nonce }) },
    redirectUri: null,
    codeChallenge,
  });
  const expiresAt = addSeconds(deps.clock.now(), tenant.settings.tokens.codeSeconds).toISOString();
  return { code, userId, sessionId, expiresAt };
}

/** The rules hold at every step: an application that loses the right loses its flows. */
async function findHeadlessApplication(
  deps: Deps,
  tenant: Tenant,
  id: string | null,
  origin: string | null,
): Promise<Application> {
  const application = id === null ? null : await findApplication(deps, tenant.id, id);
  if (!application) throw new IdentityError("application.not_found");
  if (application.status !== "active") throw new IdentityError("application.disabled");
  const { settings, consent, grantTypes } = application;
  if (!settings.headlessSignIn || consent !== "implicit" || !grantTypes.includes("authorization_code")) {
    throw new IdentityError("sign_in.headless_not_allowed");
  }
  const isOurs = origin !== null && origin === new URL(deps.publicUrl).origin;
  if (origin !== null && !isOurs && !isOriginOf(application, origin)) {
    throw new IdentityError("application.origin_not_allowed", { reason: origin });
  }
  return application;
}
