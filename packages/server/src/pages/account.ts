import { IdentityError, type User } from "@ostiary/contracts";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Deps } from "../domain/deps.ts";
import { findImpersonator } from "../domain/sign-in/index.ts";
import { getMe } from "../domain/users/index.ts";
import { startAccountFlow } from "./flow-page.ts";
import { basePath, pageView, seeOther } from "./respond.ts";
import { checkSessionForm, displayName, findSignedIn, type SignedIn } from "./session.ts";
import type { AccountLinks, AccountUser, PageView } from "./views.ts";

export type AccountPath = `/account${"" | `/${string}`}`;

/** Serves a page of the account; who is not signed in does that first and then comes back. */
export function forSignedIn(
  deps: Deps,
  path: AccountPath,
  serve: (request: FastifyRequest, reply: FastifyReply, who: SignedIn) => Promise<FastifyReply>,
) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const who = await findSignedIn(deps, request);
    if (!who) {
      const flow = await startAccountFlow(deps, request, reply, { page: path + queryOf(request) });
      return seeOther(reply, `${basePath(request)}/sign-in`, { flow: flow.id });
    }
    if (request.method === "POST") checkSessionForm(deps, request, who.session);
    return serve(request, reply, who);
  };
}

/** What a page that is loaded, not posted, was asked for: whoever signs in first comes back to just that. */
export function queryOf(request: FastifyRequest): string {
  return request.method === "GET" ? (/\?.*$/.exec(request.url)?.[0] ?? "") : "";
}

/** What every page of the account needs: says so on top when an administrator acts as the person. */
export async function accountView(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  who: SignedIn,
  address?: { path: string; query?: Record<string, string> },
): Promise<PageView> {
  const view = pageView(deps, request, reply, address);
  const { session, principal, csrf } = who;
  if (session.impersonatorId === null) return view;
  const administrator = await findImpersonator(deps, session);
  const impersonation = {
    administrator: administrator ? displayName(administrator) : session.impersonatorId,
    user: displayName(principal),
    reason: session.impersonationReason ?? "",
    action: `${basePath(request)}/account/impersonation/end`,
    csrf,
  };
  return { ...view, impersonation };
}

export function linksOf(request: FastifyRequest): AccountLinks {
  const base = basePath(request);
  return {
    home: `${base}/account`,
    profile: `${base}/account/profile`,
    password: `${base}/account/password`,
    sessions: `${base}/account/sessions`,
    applications: `${base}/account/applications`,
    security: `${base}/account/security`,
    contact: `${base}/account/contact`,
    signOut: `${base}/sign-out`,
  };
}

/** The whole user; the session has only the part that every request needs. */
export async function loadUser(deps: Deps, who: SignedIn): Promise<User> {
  const user = await getMe(deps, who.context);
  if (user.status !== "active") throw new IdentityError("user.suspended");
  return user;
}

export function accountUser(user: User): AccountUser {
  return {
    displayName: displayName(user),
    username: user.username ?? undefined,
    email: user.email ?? undefined,
    phone: user.phone ?? undefined,
    pictureUrl: user.profile.picture ?? undefined,
  };
}
