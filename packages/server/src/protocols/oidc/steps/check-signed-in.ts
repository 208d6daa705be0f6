import { type Lack, startFlow, startStepUp, whatLacks } from "../../../domain/sign-in/index.ts";
import { continuationOf } from "../continuation.ts";
import { OAuthError } from "../errors.ts";
import { type Exchange, found, pageAddress } from "../exchange.ts";

/**
 * Somebody must be signed in, recently enough, surely enough and the right one; otherwise the hosted page asks, unless
 * the client forbids it (OpenID Connect Core §3.1.2.3, §3.1.2.6). Who is signed in but has not proven enough proves
 * more, and the session goes on.
 */
export async function checkSignedIn(exchange: Exchange): Promise<void> {
  if (exchange.flow) return checkAfterFlow(exchange);
  const lack = await lackOf(exchange);
  const reason = lack === "sign-in" ? "signed in too long ago" : reasonToAsk(exchange);
  if (reason === undefined && lack === "nothing") return;
  if (found(exchange.prompts).has("none")) {
    if (reason === undefined) throw new OAuthError("interaction_required", "A further factor is required");
    throw new OAuthError("login_required", "Sign-in is required", { reason });
  }
  const { deps, context, tenant, session, acr, wire, parameters } = exchange;
  const begun = {
    browser: wire.ensureBrowser(),
    applicationId: found(exchange.application).id,
    acr,
    continuation: continuationOf(exchange),
  };
  const flow =
    reason === undefined && session
      ? await startStepUp(deps, context, tenant, { ...begun, session, device: wire.deviceCookie })
      : await startFlow(deps, context, { ...begun, identifier: parameters.login_hint });
  exchange.answer = { kind: "redirect", location: pageAddress(exchange, "sign-in", flow.id) };
}

function reasonToAsk(exchange: Exchange): string | undefined {
  const { session, maxAge, deps } = exchange;
  const prompts = found(exchange.prompts);
  if (!session) return "nobody is signed in";
  if (prompts.has("login") || prompts.has("select_account")) return "the client asks for it";
  const age = deps.clock.now().getTime() - session.authenticatedAt.getTime();
  if (maxAge !== undefined && age > maxAge * 1000) return "signed in too long ago";
  return isAnotherUser(exchange, session.userId) ? "another user is expected" : undefined;
}

/** After the pages the sign-in is as fresh and as sure as it gets; asking again would turn in a circle. */
async function checkAfterFlow(exchange: Exchange): Promise<void> {
  const refuse = (reason: string) => new OAuthError("login_required", "Sign-in is required", { reason });
  const { session } = exchange;
  if (!session) throw refuse("the session ended meanwhile");
  if (isAnotherUser(exchange, session.userId)) throw refuse("another user is expected");
  if ((await lackOf(exchange)) === "factor") {
    throw new OAuthError("unmet_authentication_requirements", "A required factor is missing");
  }
}

async function lackOf({ deps, context, tenant, session, application, acr, wire }: Exchange): Promise<Lack> {
  if (!session) return "nothing"; // there is nobody yet
  const entry = { applicationId: found(application).id, acr, device: wire.deviceCookie };
  return whatLacks(deps, context, tenant, session, entry);
}

function isAnotherUser({ hint, demandedUserId }: Exchange, userId: string): boolean {
  return (hint !== undefined && hint.userId !== userId) || (demandedUserId ?? userId) !== userId;
}
