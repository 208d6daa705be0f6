import { IdentityError } from "@ostiary/contracts";
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { findPrincipal, type Principal } from "../../domain/access/index.ts";
import { type Application, mayUse } from "../../domain/applications/index.ts";
import type { Deps } from "../../domain/deps.ts";
import { findSession, findSessionByCookie, type Session } from "../../domain/sessions/index.ts";
import {
  findFlow,
  type Lack,
  signOut,
  startFlow,
  startStepUp,
  takeFinishedFlow,
  whatLacks,
} from "../../domain/sign-in/index.ts";
import {
  endTicket,
  findTicketHolder,
  frameSourcesOf,
  issueTicket,
  isTicketOf,
  returnAddressOf,
} from "../../domain/tickets/index.ts";
import { basePath } from "../../platform/http/base-path.ts";
import {
  cookieScope,
  ensureBrowser,
  readCookie,
  readOwnCookie,
  writeCookie,
} from "../../platform/http/cookies.ts";
import { logFailure, toIdentityError } from "../../platform/http/problems.ts";
import { namedApplication, textOf } from "./callers.ts";
import { clearTickets, ticketsOf, writeLanguage, writeTicket } from "./cookies.ts";
import { languageOf } from "./messages.ts";
import { toLanguage, toLoginRequired } from "./translate.ts";
import { SLOT } from "./verify.routes.ts";

/** What the dialect needs of the hosted pages. */
export interface BluekingPages {
  sendErrorPage(request: FastifyRequest, reply: FastifyReply, error: IdentityError): FastifyReply;
  /** The small pages of a sign-in in a window of its own. */
  sendPopUpPage(
    request: FastifyRequest,
    reply: FastifyReply,
    page:
      | { kind: "ask"; signInUrl: string; directUrl: string; againUrl: string; framedBy: readonly string[] }
      | { kind: "done" },
  ): FastifyReply;
}

/** The page that asks may be in a frame; the sign-in itself never is, it opens a window. */
type Manner = "page" | "plain";

/** `/login/`, `/login/plain/` and the ways out. The hosted page signs in; here it only begins, and comes back. */
export function loginRoutes(deps: Deps, pages: BluekingPages): FastifyPluginAsync {
  return async (app) => {
    const errorHandler = (thrown: unknown, request: FastifyRequest, reply: FastifyReply) => {
      const error = toIdentityError(thrown);
      logFailure(error, request);
      return pages.sendErrorPage(request, reply, error);
    };
    // Asking for the head of a page must not use up a flow or make a ticket.
    const options = { exposeHeadRoute: false, errorHandler };
    const add = (
      path: string,
      answer: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>,
    ) => {
      const handler = (request: FastifyRequest, reply: FastifyReply) => {
        reply.headers({ "cache-control": "no-store", "referrer-policy": "same-origin" });
        return answer(request, reply);
      };
      app.get(path, options, handler);
      app.get(`${path}/`, options, handler);
    };
    add("/login", (request, reply) => login(deps, pages, request, reply, "page"));
    add("/login/plain", (request, reply) => login(deps, pages, request, reply, "plain"));
    add("/login/plain/done", async (request, reply) => pages.sendPopUpPage(request, reply, { kind: "done" }));
    add("/login/logout", (request, reply) => logout(deps, request, reply));
    add("/login/resume", (request, reply) => resume(deps, request, reply));
  };
}

async function login(
  deps: Deps,
  pages: BluekingPages,
  request: FastifyRequest,
  reply: FastifyReply,
  manner: Manner,
): Promise<FastifyReply> {
  const application = await applicationOf(deps, request);
  const asked = await askedReturn(deps, request);
  if (request.headers["x-requested-with"] === "XMLHttpRequest") {
    const plain = `${deps.publicUrl}${ownPath(request)}/login/plain/`;
    const code = textOf(request.query, "app_code", "app_id");
    return reply.code(401).send(toLoginRequired(plain, asked ?? undefined, code));
  }
  const isLeaving = textOf(request.query, "is_from_logout") === "1";
  if (isLeaving) await signOutBrowser(deps, request, reply);
  const session = isLeaving ? null : await findBrowserSession(deps, request);
  const end = manner === "plain" ? `${ownPath(request)}/login/plain/done/` : defaultReturn(request);
  const returnTo = asked ?? end;
  const lack = session ? await lackOf(deps, request, session, application) : "sign-in";
  if (session && lack === "nothing") return enter(deps, request, reply, session, application, returnTo);
  if (manner === "plain" && request.headers["sec-fetch-dest"] !== "document") {
    return ask(pages, request, reply, application, returnTo);
  }
  const begun = {
    browser: ensureBrowser(request, reply, cookieScope(deps, request)),
    applicationId: application?.id,
    continuation: { protocol: "blueking", resume: `${ownPath(request)}/login/resume/`, returnTo },
  };
  const flow =
    session && lack === "factor"
      ? await startStepUp(deps, request.context, request.tenant, {
          ...begun,
          session,
          device: readOwnCookie(deps, request, "device"),
        })
      : await startFlow(deps, request.context, begun);
  return reply.redirect(`${basePath(request)}/sign-in?flow=${flow.id}`, 303);
}

/** What the session of this browser would have to prove before it may enter. */
function lackOf(
  deps: Deps,
  request: FastifyRequest,
  session: Session,
  application: Application | null,
): Promise<Lack> {
  const entry = { applicationId: application?.id ?? null, device: readOwnCookie(deps, request, "device") };
  return whatLacks(deps, request.context, request.tenant, session, entry);
}

/** In a frame, or in a browser that does not say where it is: a button that opens a window. */
function ask(
  pages: BluekingPages,
  request: FastifyRequest,
  reply: FastifyReply,
  application: Application | null,
  returnTo: string,
): FastifyReply {
  const login = `${ownPath(request)}/login/`;
  const { allowedReturnHosts } = request.tenant.settings.blueking;
  return pages.sendPopUpPage(request, reply, {
    kind: "ask",
    signInUrl: withQuery(request, login, `${login}plain/done/`),
    directUrl: withQuery(request, login, returnTo),
    againUrl: request.url,
    framedBy: ["'self'", ...frameSourcesOf(allowedReturnHosts), ...(application?.allowedReturnOrigins ?? [])],
  });
}

/** The same sign-in with another end. */
function withQuery(request: FastifyRequest, path: string, returnTo: string | null): string {
  const code = textOf(request.query, "app_code", "app_id");
  const query = new URLSearchParams({
    ...(returnTo === null ? {} : { c_url: returnTo }),
    ...(code === "" ? {} : { app_code: code }),
  });
  return query.size === 0 ? path : `${path}?${query}`;
}

/** Somebody has signed in on the hosted page, in this browser. */
async function resume(deps: Deps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { context, tenant } = request;
  const browser = readOwnCookie(deps, request, "flow");
  const id = textOf(request.query, "flow");
  const { continuation } = await findFlow(deps, context, id, browser);
  if (continuation.protocol !== "blueking") throw new IdentityError("flow.not_found");
  const flow = await takeFinishedFlow(deps, context, id, browser);
  const session = await findSession(deps, tenant.id, flow.sessionId);
  if (!session) throw new IdentityError("flow.not_found", { reason: "the session ended meanwhile" });
  const application =
    flow.applicationId === null ? null : await namedApplication(deps, request, flow.applicationId);
  return enter(deps, request, reply, session, application, String(continuation.returnTo));
}

/** Gives this browser its ticket and sends it where it wants to go. */
async function enter(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  session: Session,
  application: Application | null,
  returnTo: string,
): Promise<FastifyReply> {
  const principal = await findPrincipal(deps, request.tenant.id, session.userId);
  if (principal?.status !== "active") throw new IdentityError("user.suspended");
  if (application && !(await mayUse(deps, application, session.userId))) {
    throw new IdentityError("application.access_denied");
  }
  if ((await lackOf(deps, request, session, application)) === "factor") {
    throw new IdentityError("credential.second_factor_required");
  }
  if (!(await hasTicketOf(deps, request, session, application))) {
    await giveTicket(deps, request, reply, session, principal, application);
  }
  return reply.redirect(returnTo, 303);
}

async function giveTicket(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  session: Session,
  { profile }: Principal,
  application: Application | null,
): Promise<void> {
  const {
    ticketSeconds: seconds,
    ticketIdleSeconds: idleSeconds,
    ...settings
  } = request.tenant.settings.blueking;
  const rules = { slot: SLOT, seconds, idleSeconds, atMost: settings.ticketsPerUser };
  const { ticket, expiresAt } = await issueTicket(deps, request.context, session, rules, application);
  writeTicket(deps, request, reply, ticket, expiresAt);
  const language = toLanguage(profile.locale, languageOf(request) === "zh-CN" ? "zh-cn" : "en");
  writeLanguage(deps, request, reply, language, expiresAt);
}

/** Whether the browser shows a good ticket of this very sign-in: a page that is opened twice needs one. */
async function hasTicketOf(
  deps: Deps,
  request: FastifyRequest,
  session: Session,
  application: Application | null,
): Promise<boolean> {
  const { ticketCookies } = request.tenant.settings.blueking;
  const names = ticketCookies === "both" ? ["bk_token", "bk_ticket"] : [ticketCookies];
  for (const name of names) {
    if (!(await isTicketOf(deps, session, SLOT, readCookie(request, name) ?? "", application))) return false;
  }
  return true;
}

/** The old way out: ends the sign-in, and shows the page to sign in again. */
async function logout(deps: Deps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  await signOutBrowser(deps, request, reply);
  const asked = await askedReturn(deps, request);
  return reply.redirect(withQuery(request, `${ownPath(request)}/login/`, asked), 303);
}

/**
 * Ends what this browser shows: its tickets, and the sign-in they came from, as whoever logs out of a BlueKing
 * application expects to be asked for the password again. A link from anywhere may lead here, as with bk-login; all
 * it can do is sign somebody out, and cookies that are `SameSite=Lax` keep images and frames of others from it.
 */
async function signOutBrowser(deps: Deps, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { tenant, context } = request;
  for (const ticket of ticketsOf(request)) {
    const holder = await findTicketHolder(deps, tenant.id, SLOT, ticket);
    if (holder) await endTicket(deps, context, holder);
  }
  const session = await findBrowserSession(deps, request);
  if (session) {
    const { userId, impersonatorId } = session;
    const who = { ...context, actor: { type: "user", id: userId }, impersonatorId } as const;
    await signOut(deps, who, session.id);
  }
  clearTickets(deps, request, reply);
  writeCookie(reply, cookieScope(deps, request), "session", "", 0);
}

async function findBrowserSession(deps: Deps, request: FastifyRequest): Promise<Session | null> {
  return findSessionByCookie(deps, request.tenant.id, readOwnCookie(deps, request, "session"));
}

/** The application that sends the browser; an unknown one counts as none, as it only gives the page its name. */
async function applicationOf(deps: Deps, request: FastifyRequest): Promise<Application | null> {
  const code = textOf(request.query, "app_code", "app_id");
  const application = await namedApplication(deps, request, code);
  return application?.status === "active" ? application : null;
}

/** `c_url`, or Django's `next`; null where there is none, or it is not allowed. */
function askedReturn(deps: Deps, request: FastifyRequest): Promise<string | null> {
  const { allowedReturnHosts: hosts, requireHttpsReturn: requireHttps } = request.tenant.settings.blueking;
  const text = textOf(request.query, "c_url", "next");
  return returnAddressOf(deps, request.tenant.id, { hosts, requireHttps }, text);
}

function defaultReturn(request: FastifyRequest): string {
  return request.tenant.settings.blueking.defaultReturnUrl ?? `${basePath(request)}/account`;
}

function ownPath(request: FastifyRequest): string {
  return `${basePath(request)}/blueking`;
}
