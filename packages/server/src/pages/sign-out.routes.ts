import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type Application, findApplication } from "../domain/applications/index.ts";
import type { Deps } from "../domain/deps.ts";
import { signOut } from "../domain/sign-in/index.ts";
import { isId } from "../kernel/identifiers.ts";
import { cookieScope, writeCookie } from "../platform/http/cookies.ts";
import { applicationLook, basePath, formOf, pageView, queryText, seeOther, sendPage } from "./respond.ts";
import { checkSessionForm, displayName, findSignedIn, type SignedIn } from "./session.ts";
import { renderSignedOutPage, renderSignOutPage } from "./sign-out.page.ts";

/** Who asks for the sign-out, and where it leads. Only an address that the application has registered counts. */
interface Asker {
  application: Application | null;
  /** With `state`, where the application gave one. */
  continueUrl: string | undefined;
  /** The parameters, for the question and for the page afterwards. */
  keep: Record<string, string>;
}

const PARAMETERS = ["client_id", "post_logout_redirect_uri", "state"] as const;

/** Signing out, asked by the person or by an application (OpenID Connect RP-Initiated Logout §2). */
export function signOutRoutes(app: FastifyInstance, deps: Deps): void {
  app.get("/sign-out", async (request, reply): Promise<FastifyReply> => {
    const asker = await askerOf(deps, request, (name) => queryText(request, name));
    const who = await findSignedIn(deps, request);
    return who ? ask(deps, request, reply, who, asker) : sayDone(deps, request, reply, asker);
  });

  app.post("/sign-out", async (request, reply): Promise<FastifyReply> => {
    const asker = await askerOf(deps, request, (name) => formOf(request)[name]);
    const who = await findSignedIn(deps, request);
    if (who) {
      checkSessionForm(deps, request, who.session);
      const { id, impersonatorId, parentId } = who.session;
      // Who acts as somebody leaves as himself too: nobody expects a session to wait in a browser that is signed out.
      const ends = impersonatorId === null ? id : (parentId ?? id);
      await signOut(deps, who.context, ends);
      if (impersonatorId !== null) writeCookie(reply, cookieScope(deps, request), "own", "", 0);
    }
    writeCookie(reply, cookieScope(deps, request), "session", "", 0);
    if (asker.continueUrl !== undefined) return seeOther(reply, asker.continueUrl);
    return seeOther(reply, `${basePath(request)}/sign-out`, asker.keep);
  });
}

async function askerOf(
  deps: Deps,
  request: FastifyRequest,
  read: (name: (typeof PARAMETERS)[number]) => string | undefined,
): Promise<Asker> {
  const keep: Record<string, string> = {};
  for (const name of PARAMETERS) {
    const value = read(name);
    if (value) keep[name] = value;
  }
  const { client_id: id, post_logout_redirect_uri: uri, state } = keep;
  const application = id && isId(id) ? await findApplication(deps, request.tenant.id, id) : null;
  if (!application) return { application: null, continueUrl: undefined, keep: {} };
  const registered = uri !== undefined && application.postLogoutRedirectUris.includes(uri) ? uri : undefined;
  return { application, continueUrl: registered && withState(registered, state), keep };
}

/** The registered address stays as it is, character by character. */
function withState(uri: string, state: string | undefined): string {
  if (state === undefined) return uri;
  return `${uri}${uri.includes("?") ? "&" : "?"}${new URLSearchParams({ state })}`;
}

function ask(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  who: SignedIn,
  { application, keep, continueUrl }: Asker,
): FastifyReply {
  const path = `${basePath(request)}/sign-out`;
  const view = pageView(deps, request, reply, { path, query: keep });
  const page = renderSignOutPage({
    ...view,
    action: path,
    csrf: who.csrf,
    userName: displayName(who.principal),
    application: applicationLook(application),
    keep,
    stayUrl: `${basePath(request)}/account`,
  });
  return sendPage(deps, reply, view.nonce, page, {
    formTargets: continueUrl === undefined ? [] : [continueUrl],
  });
}

function sayDone(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  { application, keep, continueUrl }: Asker,
): FastifyReply {
  const base = basePath(request);
  const view = pageView(deps, request, reply, { path: `${base}/sign-out`, query: keep });
  const page = renderSignedOutPage({
    ...view,
    signInUrl: `${base}/sign-in`,
    application: applicationLook(application),
    continueUrl,
  });
  return sendPage(deps, reply, view.nonce, page);
}
