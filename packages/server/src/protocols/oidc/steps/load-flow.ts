import { findSession, findSessionAnew } from "../../../domain/sessions/index.ts";
import { findFlow } from "../../../domain/sign-in/index.ts";
import { readContinuation } from "../continuation.ts";
import { type Exchange, unanswerable } from "../exchange.ts";

/**
 * Takes up an authorization where it left for the hosted pages. The flow belongs to one browser and waits in our
 * database, so nothing of it can be changed on the way, and any process can go on with it.
 *
 * @throws IdentityError `flow.not_found`, shown as our own page
 */
export async function loadFlow(exchange: Exchange): Promise<void> {
  const { deps, tenant, wire } = exchange;
  const flow = await findFlow(deps, exchange.context, exchange.parameters.flow ?? "", wire.flowCookie);
  const continuation = readContinuation(flow.continuation);
  if (!continuation || !flow.userId || !flow.sessionId)
    throw unanswerable("the flow is not ours or not finished");
  const denied = exchange.parameters.decision === "deny";
  exchange.flow = { id: flow.id, startedAt: new Date(continuation.startedAt), denied };
  exchange.parameters = continuation.parameters;
  const session = await findSession(deps, tenant.id, flow.sessionId);
  // Signed in again a moment ago, perhaps in another process, and the notice is on its way.
  const isOlder = session && session.authenticatedAt < exchange.flow.startedAt;
  exchange.session = isOlder ? await findSessionAnew(deps, tenant.id, flow.sessionId) : session;
}
