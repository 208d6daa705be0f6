import type { FastifyReply, FastifyRequest } from "fastify";
import type { Deps } from "../../domain/deps.ts";
import { readCookie } from "../../platform/http/cookies.ts";

const TICKET_COOKIES = ["bk_token", "bk_ticket"] as const;

/** The tickets that a browser shows, without repetition. */
export function ticketsOf(request: FastifyRequest): string[] {
  const values = TICKET_COOKIES.map((name) => readCookie(request, name) ?? "");
  return [...new Set(values.filter((value) => value !== ""))];
}

export function writeTicket(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  ticket: string,
  expiresAt: Date,
): void {
  const { ticketCookies } = request.tenant.settings.blueking;
  for (const name of ticketCookies === "both" ? TICKET_COOKIES : [ticketCookies]) {
    // Every application of the domain gets it with its requests: no script may, and no other site's request.
    reply.setCookie(name, ticket, { ...scopeOf(deps, request), httpOnly: true, expires: expiresAt });
  }
}

export function clearTickets(deps: Deps, request: FastifyRequest, reply: FastifyReply): void {
  for (const name of TICKET_COOKIES) reply.clearCookie(name, { ...scopeOf(deps, request), httpOnly: true });
}

/** Read by the applications' scripts and by Django: `zh-cn` or `en`. */
export function writeLanguage(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  language: string,
  expiresAt: Date,
): void {
  reply.setCookie("blueking_language", language, { ...scopeOf(deps, request), expires: expiresAt });
}

function scopeOf(deps: Deps, { tenant }: FastifyRequest) {
  const { cookieDomain, cookieSecure } = tenant.settings.blueking;
  return {
    path: "/",
    sameSite: "lax" as const,
    secure: cookieSecure === "automatic" ? deps.publicUrl.startsWith("https:") : cookieSecure === "always",
    ...(cookieDomain === null ? {} : { domain: cookieDomain }),
  };
}
