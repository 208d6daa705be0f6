import { randomBytes } from "node:crypto";
import { IdentityError } from "@ostiary/contracts";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Deps } from "../domain/deps.ts";
import { cookieScope, readOwnCookie, writeCookie } from "../platform/http/cookies.ts";
import { chooseLanguage, LANGUAGES } from "./i18n.ts";
import type { ApplicationLook, PageView, TenantLook } from "./views.ts";

export { basePath } from "../platform/http/base-path.ts";

/** Seconds: a person switches the language once. */
const LANGUAGE_SECONDS = 365 * 86_400;

/** A parameter of the query; one that is there twice counts as absent. */
export function queryText(request: FastifyRequest, name: string): string | undefined {
  const value = (request.query as Record<string, unknown>)[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The fields of a posted form. */
export function formOf(request: FastifyRequest): Partial<Record<string, string>> {
  return (request.body ?? {}) as Partial<Record<string, string>>;
}

/**
 * What every page needs. A language that was asked for in the address is kept in a cookie, so that the next page, and
 * this one after an error, speaks it too.
 *
 * @param query - what the address of this page must keep; absent for pages that cannot be loaded again by GET.
 */
export function pageView(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  address?: { path: string; query?: Record<string, string> },
): PageView {
  // An unknown tenant has no look, and no cookies.
  const tenant = request.tenant as FastifyRequest["tenant"] | undefined;
  const uiLocales = queryText(request, "ui_locales");
  const cookie = tenant && readOwnCookie(deps, request, "language");
  const language = chooseLanguage({
    uiLocales,
    cookie,
    acceptLanguage: request.headers["accept-language"],
    fallback: tenant?.settings.locale ?? undefined,
  });
  if (tenant && uiLocales !== undefined && LANGUAGES.includes(language) && language !== cookie) {
    writeCookie(reply, cookieScope(deps, request), "language", language, LANGUAGE_SECONDS);
  }
  return { language, tenant: tenantLook(tenant), nonce: randomBytes(16).toString("base64"), address };
}

function tenantLook(tenant: FastifyRequest["tenant"] | undefined): TenantLook {
  if (!tenant) return { name: "Ostiary" };
  const { displayName, logo, accent, background, scheme } = tenant.settings.branding;
  return {
    name: displayName ?? tenant.name,
    logoUrl: logo ?? undefined,
    accent: accent ?? undefined,
    background: background ?? undefined,
    scheme: scheme === "automatic" ? "auto" : scheme,
  };
}

export function applicationLook(
  application: { name: string; logo: string | null } | null,
): ApplicationLook | undefined {
  return application ? { name: application.name, logoUrl: application.logo ?? undefined } : undefined;
}

/**
 * Sends a page with the headers that all of them have.
 *
 * @param formTargets - addresses outside to which the form of this page leads, directly or by redirects: browsers
 *   apply `form-action` to those too (CSP 3 §6.4.1), and to the redirects of the application after them.
 *   `framedBy`: sources of pages that may show this one in a frame; default: none.
 */
export function sendPage(
  deps: Deps,
  reply: FastifyReply,
  nonce: string,
  page: string,
  options: { status?: number; formTargets?: readonly string[]; framedBy?: readonly string[] } = {},
): FastifyReply {
  const { framedBy = [] } = options;
  const targets = new Set(["'self'", ...formActionSources(options.formTargets ?? [])]);
  reply.headers({
    "content-security-policy": [
      "default-src 'none'",
      `style-src 'self' 'nonce-${nonce}'`,
      `script-src 'self' 'nonce-${nonce}'`,
      "img-src 'self' data: https:",
      `form-action ${[...targets].join(" ")}`,
      `frame-ancestors ${framedBy.length === 0 ? "'none'" : framedBy.join(" ")}`,
      "base-uri 'none'",
    ].join("; "),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    // Not `no-referrer`: with that, browsers send `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
    vary: "accept-language, cookie",
  });
  if (framedBy.length === 0) reply.header("x-frame-options", "DENY"); // it has no word for some and not others
  if (deps.publicUrl.startsWith("https:")) reply.header("strict-transport-security", "max-age=31536000");
  return reply
    .code(options.status ?? 200)
    .type("text/html; charset=utf-8")
    .send(page);
}

/** Where a developer's own programs run, on any port. */
const LOOPBACK = ["http://localhost:*", "http://127.0.0.1:*"];

/**
 * The sources that let a form lead to these addresses and on from there. Browsers also apply the policy to the
 * redirects of the application after ours (Chromium 156: the submit does nothing, and only the console says why), and
 * those cannot be known: so any https address is allowed where one of the targets has https, and any port of this
 * machine where one is a developer's.
 */
function formActionSources(addresses: readonly string[]): string[] {
  return addresses.flatMap((address) => {
    if (!URL.canParse(address)) return [];
    const { origin, protocol, hostname } = new URL(address);
    if (protocol === "https:") return ["https:"];
    if (hostname === "localhost" || hostname === "127.0.0.1") return [...LOOPBACK, "https:"];
    if (hostname.startsWith("[")) return [protocol]; // a policy has no word for IPv6
    return [origin === "null" ? protocol : origin]; // an application's own scheme (RFC 8252 §7.1)
  });
}

/** Goes on with GET, whatever the method was (RFC 9110 §15.4.4). `path` is one of this server. */
export function seeOther(
  reply: FastifyReply,
  path: string,
  query: Record<string, string> = {},
): FastifyReply {
  const text = new URLSearchParams(query).toString();
  return reply
    .header("cache-control", "no-store")
    .redirect(text === "" ? path : `${path}${path.includes("?") ? "&" : "?"}${text}`, 303);
}

/**
 * A form is sent from our own pages, and the browser says so where it can; the token in the form decides even where
 * it cannot.
 *
 * @throws IdentityError `flow.forged`
 */
export function refuseCrossSite(deps: Deps, request: FastifyRequest): void {
  const { "sec-fetch-site": site, origin } = request.headers;
  const fromHere =
    site === undefined
      ? origin === undefined || isOurs(deps, request, origin)
      : site === "same-origin" || site === "none";
  if (!fromHere) throw new IdentityError("flow.forged", { reason: `sent from ${site ?? origin}` });
}

/** A server is reached by more names than its public one, e.g. 127.0.0.1 for localhost. */
function isOurs(deps: Deps, request: FastifyRequest, origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { host } = new URL(origin);
  return host === request.host || host === new URL(deps.publicUrl).host;
}
