import type { Session } from "../../../domain/sessions/index.ts";
import { signOut } from "../../../domain/sign-in/index.ts";
import { type Exchange, found } from "../exchange.ts";

/**
 * Ends the session. Any page may lead a browser here, so without an ID token of this very session the person is asked
 * first (RP-Initiated Logout §6).
 */
export async function endBrowserSession(exchange: Exchange): Promise<void> {
  const { deps, wire } = exchange;
  const session = found(exchange.session);
  if (session && !isMeant(exchange, session)) {
    exchange.answer = { kind: "redirect", location: signOutPage(exchange) };
    return;
  }
  if (session) {
    const { userId, impersonatorId } = session;
    const who = { ...exchange.context, actor: { type: "user", id: userId }, impersonatorId } as const;
    await signOut(deps, who, session.id);
  }
  wire.clearSessionCookie();
  exchange.answer = { kind: "redirect", location: returnAddress(exchange) };
}

/** Offline grants have no `sid` in their ID tokens: then the person must be the same. */
function isMeant({ hint }: Exchange, session: Session): boolean {
  if (!hint) return false;
  return hint.sessionId === null ? hint.userId === session.userId : hint.sessionId === session.id;
}

function returnAddress(exchange: Exchange): string {
  const { post_logout_redirect_uri: uri, state } = exchange.parameters;
  if (uri === undefined) return `${exchange.base}/sign-out`;
  if (state === undefined) return uri;
  return `${uri}${uri.includes("?") ? "&" : "?"}${new URLSearchParams({ state })}`;
}

/** The page asks, ends the session, and goes where these parameters say, having checked the address itself. */
function signOutPage(exchange: Exchange): string {
  const { post_logout_redirect_uri: uri, state, ui_locales: locales } = exchange.parameters;
  const query = new URLSearchParams();
  if (exchange.application) query.set("client_id", exchange.application.id);
  if (uri !== undefined) query.set("post_logout_redirect_uri", uri);
  if (state !== undefined) query.set("state", state);
  if (locales !== undefined) query.set("ui_locales", locales);
  return `${exchange.base}/sign-out?${query}`;
}
