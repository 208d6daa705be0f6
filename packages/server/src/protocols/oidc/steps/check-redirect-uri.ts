import type { Application } from "../../../domain/applications/index.ts";
import { type Exchange, found, unanswerable } from "../exchange.ts";

/**
 * The redirect URI must be a registered one, character by character (RFC 9700 §4.1.3). It may be left out by a plain
 * OAuth client with exactly one (RFC 6749 §3.1.2.3). From here on errors go to the client.
 */
export function checkRedirectUri(exchange: Exchange): void {
  const application = found(exchange.application);
  const { redirect_uri: given, scope } = exchange.parameters;
  const isOpenId = scope?.split(" ").includes("openid") ?? false;
  const [only, ...others] = application.redirectUris;
  const uri = given ?? (others.length === 0 && !isOpenId ? only : undefined);
  if (uri === undefined) throw unanswerable("redirect_uri is missing");
  if (!isRegistered(application, uri)) throw unanswerable("redirect_uri is not registered");
  exchange.replyTo = { redirectUri: uri, mode: "query" };
}

function isRegistered(application: Application, uri: string): boolean {
  if (application.redirectUris.includes(uri)) return true;
  if (application.tokenEndpointAuthMethod !== "none") return false;
  const bare = withoutLoopbackPort(uri);
  return bare !== undefined && application.redirectUris.some((other) => withoutLoopbackPort(other) === bare);
}

const LOOPBACK = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]))(?::\d{1,5})?(\/[^#]*)?$/;

/** An application on a person's own machine takes any free port of the loopback interface (RFC 8252 §7.3). */
function withoutLoopbackPort(uri: string): string | undefined {
  const match = LOOPBACK.exec(uri);
  return match ? `${match[1]}${match[2] ?? ""}` : undefined;
}
