import type { IdentityError } from "@ostiary/contracts";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Deps } from "../domain/deps.ts";
import { logFailure, toIdentityError } from "../platform/http/problems.ts";
import { errorKindOf, renderErrorPage } from "./error.page.ts";
import { renderFormPostPage } from "./form-post.page.ts";
import { renderPopUpPage } from "./pop-up.page.ts";
import { basePath, pageView, sendPage } from "./respond.ts";
import type { ErrorView, PopUp } from "./views.ts";

/** The pages that protocols show without knowing them. */
export interface HostedPages {
  /** The end of a road: what may not be sent to the application. The caller has logged it. */
  sendErrorPage(request: FastifyRequest, reply: FastifyReply, error: IdentityError): FastifyReply;
  /** The form that sends itself (OAuth 2.0 Form Post Response Mode). */
  sendFormPost(
    request: FastifyRequest,
    reply: FastifyReply,
    form: { redirectUri: string; parameters: Record<string, string> },
  ): FastifyReply;
  /** The small pages around a sign-in in a window of its own. */
  sendPopUpPage(
    request: FastifyRequest,
    reply: FastifyReply,
    page: PopUp & { framedBy?: readonly string[] },
  ): FastifyReply;
}

export function hostedPages(deps: Deps): HostedPages {
  return {
    sendErrorPage(request, reply, error) {
      const view = pageView(deps, request, reply);
      if (error.retryAfter !== undefined) reply.header("retry-after", String(Math.ceil(error.retryAfter)));
      const page = renderErrorPage({
        ...view,
        kind: errorKindOf(error.code, error.status),
        traceId: request.id,
        code: error.code,
        next: nextOf(request, error),
      });
      return sendPage(deps, reply, view.nonce, page, { status: error.status });
    },
    sendFormPost(request, reply, { redirectUri, parameters }) {
      const view = pageView(deps, request, reply);
      const page = renderFormPostPage({ ...view, redirectUri, parameters });
      return sendPage(deps, reply, view.nonce, page, { formTargets: [redirectUri] });
    },
    sendPopUpPage(request, reply, { framedBy = [], ...popUp }) {
      const view = pageView(deps, request, reply);
      const page = renderPopUpPage({ ...view, popUp });
      return sendPage(deps, reply, view.nonce, page, { framedBy });
    },
  };
}

/** What helps: the account, which asks to sign in where nobody is; the same page where it may work the next time. */
function nextOf(request: FastifyRequest, error: IdentityError): ErrorView["next"] {
  if (request.tenant === undefined || error.code === "authorization.invalid") return undefined;
  const base = basePath(request);
  if (error.status >= 500 && request.method === "GET") return { url: request.url, to: "retry" };
  if (error.code === "flow.forged" || error.code === "set_up.link_invalid") {
    return { url: `${base}/sign-in`, to: "signIn" };
  }
  return { url: `${base}/account`, to: "account" };
}

/** The error handler of the pages. */
export function pageErrorHandler(deps: Deps) {
  const pages = hostedPages(deps);
  return (thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const error = toIdentityError(thrown);
    logFailure(error, request);
    return pages.sendErrorPage(request, reply, error);
  };
}
