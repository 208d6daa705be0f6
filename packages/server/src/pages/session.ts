import { IdentityError } from "@ostiary/contracts";
import type { FastifyRequest } from "fastify";
import { findPrincipal, type Principal } from "../domain/access/index.ts";
import type { Deps } from "../domain/deps.ts";
import { findSessionByCookie, type Session } from "../domain/sessions/index.ts";
import { checkFormToken, formToken } from "../domain/sign-in/index.ts";
import { NO_PERMISSIONS, type RequestContext } from "../kernel/context.ts";
import { readOwnCookie } from "../platform/http/cookies.ts";
import { formOf, refuseCrossSite } from "./respond.ts";

/** Who is signed in in this browser. */
export interface SignedIn {
  session: Session;
  principal: Principal;
  /** For what the person does with the own account: no right of a role is needed, so none is given. */
  context: RequestContext;
  /** Proves that a form came from our page. */
  csrf: string;
}

export async function findSignedIn(deps: Deps, request: FastifyRequest): Promise<SignedIn | null> {
  const cookie = readOwnCookie(deps, request, "session");
  const session = await findSessionByCookie(deps, request.tenant.id, cookie);
  if (!session) return null;
  const principal = await findPrincipal(deps, request.tenant.id, session.userId);
  if (principal?.status !== "active") return null;
  return {
    session,
    principal,
    context: {
      ...request.context,
      actor: { type: "user", id: session.userId },
      permissions: NO_PERMISSIONS,
      sessionId: session.id,
      impersonatorId: session.impersonatorId,
    },
    csrf: formToken(deps, session.id, cookie ?? ""),
  };
}

/** @throws IdentityError `flow.forged` when the posted form is not one that was shown in this session. */
export function checkSessionForm(deps: Deps, request: FastifyRequest, session: Session): void {
  refuseCrossSite(deps, request);
  const cookie = readOwnCookie(deps, request, "session");
  checkFormToken(deps, session.id, cookie, formOf(request).csrf);
}

/** How the pages call a person. */
export function displayName(
  person: Pick<Principal, "nickname" | "name" | "username" | "email" | "phone">,
): string {
  return person.nickname ?? person.name ?? person.username ?? person.email ?? person.phone ?? "";
}

/** Whether a flow was gone already: another tab, or a double click, was quicker. */
export function isFlowGone(error: unknown): boolean {
  return error instanceof IdentityError && error.code === "flow.not_found";
}
