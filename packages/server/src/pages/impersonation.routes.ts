import { IdentityError } from "@ostiary/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Deps } from "../domain/deps.ts";
import { beginImpersonation, endImpersonation, findImpersonation } from "../domain/sign-in/index.ts";
import { cookieScope, readOwnCookie, writeCookie } from "../platform/http/cookies.ts";
import { accountView, forSignedIn } from "./account.ts";
import { renderImpersonatePage } from "./impersonation.page.ts";
import { basePath, formOf, queryText, seeOther, sendPage } from "./respond.ts";
import { checkSessionForm, displayName, findSignedIn, type SignedIn } from "./session.ts";

/** An administrator opens the link that he has asked for, looks at what the person sees, and goes back to himself. */
export function impersonationRoutes(app: FastifyInstance, deps: Deps): void {
  app.get("/impersonate", async (request, reply): Promise<FastifyReply> => {
    const who = await ownSession(deps, request);
    const token = queryText(request, "token") ?? "";
    const { user, reason } = await findImpersonation(deps, request.context, who.session, token);
    const path = `${basePath(request)}/impersonate`;
    const view = await accountView(deps, request, reply, who, { path, query: { token } });
    const page = renderImpersonatePage({
      ...view,
      action: path,
      csrf: who.csrf,
      token,
      userName: displayName(user),
      reason,
      cancelUrl: `${basePath(request)}/account`,
    });
    return sendPage(deps, reply, view.nonce, page);
  });

  app.post("/impersonate", async (request, reply): Promise<FastifyReply> => {
    const who = await ownSession(deps, request);
    checkSessionForm(deps, request, who.session);
    const { token = "" } = formOf(request);
    const { cookie } = await beginImpersonation(deps, request.context, who.session, token);
    const scope = cookieScope(deps, request);
    writeCookie(reply, scope, "own", readOwnCookie(deps, request, "session") ?? "");
    writeCookie(reply, scope, "session", cookie);
    return seeOther(reply, `${basePath(request)}/account`);
  });

  app.post(
    "/account/impersonation/end",
    forSignedIn(deps, "/account", (...call) => end(deps, ...call)),
  );
}

/** Opened in a browser in which nobody is signed in, the link is good for nothing: it was meant for the one who asked. */
async function ownSession(deps: Deps, request: FastifyRequest): Promise<SignedIn> {
  const who = await findSignedIn(deps, request);
  if (!who) throw new IdentityError("impersonation.refused", { reason: "nobody is signed in" });
  return who;
}

async function end(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  { session }: SignedIn,
): Promise<FastifyReply> {
  const scope = cookieScope(deps, request);
  const own = readOwnCookie(deps, request, "own");
  const { cookie } = await endImpersonation(deps, request.context, session, own);
  writeCookie(reply, scope, "own", "", 0);
  if (cookie === null) writeCookie(reply, scope, "session", "", 0);
  else writeCookie(reply, scope, "session", cookie);
  return seeOther(reply, `${basePath(request)}/account`);
}
