import { startFlow } from "../../../domain/sign-in/index.ts";
import { continuationOf } from "../continuation.ts";
import { OAuthError } from "../errors.ts";
import { type Exchange, found, pageAddress } from "../exchange.ts";

/**
 * Somebody must be signed in, recently enough and the right one; otherwise the hosted page asks, unless the client
 * forbids it (OpenID Connect Core §3.1.2.3, §3.1.2.6).
 */
export async function checkSignedIn(exchange: Exchange): Promise<void> {
  const reason = exchange.flow ? refusalAfterFlow(exchange) : reasonToAsk(exchange);
  if (reason === undefined) return;
  if (exchange.flow || found(exchange.prompts).has("none")) {
    throw new OAuthError("login_required", "Sign-in is required", { reason });
  }
  const { deps, context, parameters } = exchange;
  const flow = await startFlow(deps, context, {
    browser: exchange.wire.ensureBrowser(),
    applicationId: found(exchange.application).id,
    identifier: parameters.login_hint,
    continuation: continuationOf(exchange),
  });
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

/** After the pages the sign-in is as fresh as it gets; asking again would turn in a circle. */
function refusalAfterFlow(exchange: Exchange): string | undefined {
  const { session } = exchange;
  if (!session) return "the session ended meanwhile";
  return isAnotherUser(exchange, session.userId) ? "another user is expected" : undefined;
}

function isAnotherUser({ hint, demandedUserId }: Exchange, userId: string): boolean {
  return (hint !== undefined && hint.userId !== userId) || (demandedUserId ?? userId) !== userId;
}
