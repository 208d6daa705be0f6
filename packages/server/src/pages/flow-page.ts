import type { FastifyReply, FastifyRequest } from "fastify";
import { type Application, findApplication } from "../domain/applications/index.ts";
import type { Deps } from "../domain/deps.ts";
import type { Session } from "../domain/sessions/index.ts";
import {
  checkFormToken,
  type Flow,
  findFlow,
  formToken,
  type StepResult,
  startFlow,
  startReauthentication,
  takeFinishedFlow,
} from "../domain/sign-in/index.ts";
import { findUser } from "../domain/users/index.ts";
import { cookieScope, ensureBrowser, readOwnCookie, writeCookie } from "../platform/http/cookies.ts";
import { basePath, formOf, queryText, refuseCrossSite, seeOther } from "./respond.ts";
import { isFlowGone } from "./session.ts";

/** A flow as one page of it needs it. */
export interface FlowPage {
  flow: Flow;
  application: Application | null;
  /** Proves that the form came from our page. */
  csrf: string;
  /** Addresses outside to which the form leads in the end, the one with the answer first. */
  formTargets: readonly string[];
}

/**
 * Finds the flow of the address, or of the posted form.
 *
 * @throws IdentityError `flow.not_found`; for a form also `flow.forged`
 */
export async function loadFlowPage(deps: Deps, request: FastifyRequest): Promise<FlowPage> {
  const browser = readOwnCookie(deps, request, "flow");
  const posted = request.method === "POST";
  const id = posted ? formOf(request).flow : queryText(request, "flow");
  if (posted) {
    refuseCrossSite(deps, request);
    checkFormToken(deps, id ?? "", browser, formOf(request).csrf);
  }
  const flow = await findFlow(deps, request.context, id ?? "", browser);
  const application =
    flow.applicationId === null ? null : await findApplication(deps, request.tenant.id, flow.applicationId);
  return {
    flow,
    application,
    csrf: formToken(deps, flow.id, browser ?? ""),
    formTargets: returnAddressesOf(flow, application),
  };
}

/**
 * A protocol's continuation may say to which address its answer goes, or to which address it leads. From there an application often goes on to
 * another of its own, which must be registered with it in some way.
 */
function returnAddressesOf(flow: Flow, application: Application | null): string[] {
  const { returnTo } = flow.continuation;
  const addresses = typeof returnTo === "string" ? [returnTo] : [];
  return application ? [...addresses, ...returnAddressesTo(flow, application)] : addresses;
}

function returnAddressesTo(flow: Flow, application: Application): string[] {
  const parameters = flow.continuation.parameters;
  const asked =
    parameters !== null && typeof parameters === "object" && "redirect_uri" in parameters
      ? parameters.redirect_uri
      : undefined;
  const { redirectUris, allowedReturnOrigins, homepage } = application;
  const registered = [...redirectUris, ...(homepage === null ? [] : [homepage]), ...allowedReturnOrigins];
  return typeof asked === "string" ? [asked, ...registered] : registered;
}

/** Begins a flow that leads to a page of the account. */
export async function startAccountFlow(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  options: { page?: string; identifier?: string } = {},
): Promise<Flow> {
  return startFlow(deps, request.context, {
    browser: ensureBrowser(request, reply, cookieScope(deps, request)),
    identifier: options.identifier,
    continuation: { protocol: "account", page: options.page ?? "/account" },
  });
}

/** Begins a flow in which the person of a live session proves once more who it is; then it leads to the page. */
export function startAgain(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  session: Session,
  page: string,
): Promise<Flow> {
  return startReauthentication(deps, request.context, request.tenant, {
    browser: ensureBrowser(request, reply, cookieScope(deps, request)),
    continuation: { protocol: "account", page },
    session,
  });
}

/** Seconds: as long as browsers keep a cookie at most (RFC 6265bis §5.5). */
const DEVICE_SECONDS = 400 * 86_400;

/** Sets the session's cookie, and the browser's own, and goes where the flow leads. */
export async function finishFlow(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  { flow, cookie, deviceCookie }: StepResult,
): Promise<FastifyReply> {
  if (cookie !== undefined) await setSessionCookie(deps, request, reply, flow, cookie);
  if (deviceCookie !== undefined) {
    writeCookie(reply, cookieScope(deps, request), "device", deviceCookie, DEVICE_SECONDS);
  }
  const { resume, page } = flow.continuation;
  if (isPath(resume)) return seeOther(reply, resume, { flow: flow.id });
  const browser = readOwnCookie(deps, request, "flow");
  await takeFinishedFlow(deps, request.context, flow.id, browser).catch((error: unknown) => {
    if (!isFlowGone(error)) throw error; // it leads to the same place
  });
  return seeOther(reply, basePath(request) + (isPath(page) ? page : "/account"));
}

/** A session ends with the browser, unless the person has chosen to stay signed in. */
async function setSessionCookie(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  flow: Flow,
  cookie: string,
): Promise<void> {
  const user = await findUser(deps, request.tenant.id, flow.userId ?? "");
  const seconds = user?.preferences.keepLoggedIn
    ? request.tenant.settings.sessions.absoluteSeconds
    : undefined;
  writeCookie(reply, cookieScope(deps, request), "session", cookie, seconds);
}

/** Continuations are ours; a path that begins with two slashes would still lead to another host. */
function isPath(value: unknown): value is string {
  return typeof value === "string" && /^\/(?![/\\])/.test(value);
}
