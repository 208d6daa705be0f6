import { findGrant } from "../../../domain/grants/index.ts";
import { startSignedInFlow } from "../../../domain/sign-in/index.ts";
import { continuationOf } from "../continuation.ts";
import { OAuthError } from "../errors.ts";
import { type Exchange, found, pageAddress } from "../exchange.ts";

/**
 * The person must have allowed these scopes to this application, once, or now where the client asks for it
 * (OpenID Connect Core §3.1.2.4). The organisation's own applications have its consent.
 */
export async function checkConsent(exchange: Exchange): Promise<void> {
  if (exchange.flow?.denied) return; // said when the flow is taken
  if (await hasConsent(exchange)) return;
  if (found(exchange.prompts).has("none")) throw new OAuthError("consent_required", "Consent is required");
  const flowId = exchange.flow?.id ?? (await startConsent(exchange));
  exchange.answer = { kind: "redirect", location: pageAddress(exchange, "consent", flowId) };
}

async function hasConsent(exchange: Exchange): Promise<boolean> {
  const { deps, tenant, flow } = exchange;
  const application = found(exchange.application);
  const mustAsk = found(exchange.prompts).has("consent");
  if (application.consent === "implicit" && !mustAsk) return true;
  if (mustAsk && !flow) return false;
  const grant = await findGrant(deps, tenant.id, found(exchange.principal).userId, application.id);
  if (!grant || (mustAsk && flow && grant.updatedAt < flow.startedAt)) return false;
  return found(exchange.scopes).every((scope) => grant.scopes.includes(scope));
}

async function startConsent(exchange: Exchange): Promise<string> {
  const { deps, context, session } = exchange;
  if (!session) throw new RangeError("consent without a session");
  const flow = await startSignedInFlow(deps, context, {
    browser: exchange.wire.ensureBrowser(),
    applicationId: found(exchange.application).id,
    continuation: continuationOf(exchange),
    session,
  });
  return flow.id;
}
