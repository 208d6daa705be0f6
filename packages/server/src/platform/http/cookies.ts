import type { FastifyReply, FastifyRequest } from "fastify";
import { newSecret } from "../../kernel/identifiers.ts";

interface CookieScope {
  /** `__Host-` and `Secure` when the public address is https (RFC 6265bis §4.1.3.2). */
  secure: boolean;
  tenantSlug: string;
}

/**
 * `device`: the browser was used before, and may be remembered. `own`: the session of the administrator who acts as
 * somebody else in `session`.
 */
type CookieNoun = "session" | "flow" | "language" | "device" | "own";

/**
 * The name of a cookie. Tenants share a host, so each has cookies of its own; `__Host-` wants Path=/, so the slug is
 * in the name and not in the path.
 */
export function cookieName(scope: CookieScope, noun: CookieNoun): string {
  return `${scope.secure ? "__Host-" : ""}ostiary_${noun}${scope.tenantSlug === "default" ? "" : `_${scope.tenantSlug}`}`;
}

export function cookieScope(
  { publicUrl }: { publicUrl: string },
  { tenant }: Pick<FastifyRequest, "tenant">,
): CookieScope {
  return { secure: publicUrl.startsWith("https:"), tenantSlug: tenant.slug };
}

/** The value of a cookie of our own. */
export function readOwnCookie(
  deps: { publicUrl: string },
  request: FastifyRequest,
  noun: CookieNoun,
): string | undefined {
  return readCookie(request, cookieName(cookieScope(deps, request), noun));
}

export function readCookie(request: FastifyRequest, name: string): string | undefined {
  const { cookie } = request.headers;
  return cookie === undefined ? undefined : request.server.parseCookie(cookie)[name];
}

/** @param seconds - lifetime; absent = until the browser closes; 0 deletes. */
export function writeCookie(
  reply: FastifyReply,
  scope: CookieScope,
  noun: CookieNoun,
  value: string,
  seconds?: number,
): void {
  reply.setCookie(cookieName(scope, noun), value, {
    path: "/",
    httpOnly: true,
    // Lax, not Strict: the redirect back from a client to /oauth/authorize is a cross-site top-level navigation.
    sameSite: "lax",
    secure: scope.secure,
    ...(seconds === undefined ? {} : { maxAge: seconds }),
  });
}

const SECRET = /^[\w-]{43}$/;

/** The secret that ties sign-in flows to this browser; a new one where the browser has none. */
export function ensureBrowser(request: FastifyRequest, reply: FastifyReply, scope: CookieScope): string {
  const known = readCookie(request, cookieName(scope, "flow"));
  if (known !== undefined && SECRET.test(known)) return known;
  const browser = newSecret();
  writeCookie(reply, scope, "flow", browser);
  return browser;
}
