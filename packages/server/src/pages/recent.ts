import { IdentityError } from "@ostiary/contracts";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Deps } from "../domain/deps.ts";
import { checkRecentAuthentication } from "../domain/sessions/index.ts";
import { type AccountPath, forSignedIn, queryOf } from "./account.ts";
import { startAgain } from "./flow-page.ts";
import { basePath, seeOther } from "./respond.ts";
import type { SignedIn } from "./session.ts";

/**
 * Like `forSignedIn`, for pages that change with what one signs in: whose sign-in is not of a moment ago signs in once
 * more, and then comes back to the page. What was posted meanwhile is not done: the person sees the page again.
 *
 * @throws IdentityError `impersonation.not_allowed`
 */
export function forRecentlySignedIn(
  deps: Deps,
  path: AccountPath,
  serve: (request: FastifyRequest, reply: FastifyReply, who: SignedIn) => Promise<FastifyReply>,
) {
  return forSignedIn(deps, path, async (request, reply, who) => {
    const recent = await checkRecentAuthentication(deps, who.context).then(() => true, isStale);
    if (recent) return serve(request, reply, who);
    const flow = await startAgain(deps, request, reply, who.session, path + queryOf(request));
    return seeOther(reply, `${basePath(request)}/sign-in`, { flow: flow.id });
  });
}

function isStale(error: unknown): false {
  if (error instanceof IdentityError && error.code === "authentication.stale") return false;
  throw error;
}
