import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Deps } from "../domain/deps.ts";
import { flowView } from "../domain/sign-in/index.ts";
import { type FlowPage, loadFlowPage, startAccountFlow } from "./flow-page.ts";
import { renderLinkOpenedPage } from "./link.page.ts";
import { renderRecoverPage } from "./recovery.page.ts";
import { applicationLook, basePath, pageView, queryText, seeOther, sendPage } from "./respond.ts";
import { isFlowGone } from "./session.ts";

type Answer = Promise<FastifyReply>;

/** Doors that are opened by a message: a forgotten password, a link to sign in. */
export function recoverRoutes(app: FastifyInstance, deps: Deps): void {
  app.get("/recover", async (request, reply): Answer => {
    if (queryText(request, "flow") === undefined) {
      const flow = await startAccountFlow(deps, request, reply);
      return seeOther(reply, `${basePath(request)}/recover`, { flow: flow.id });
    }
    return showRecover(deps, request, reply, await loadFlowPage(deps, request));
  });

  app.get("/sign-in/link", async (request, reply): Answer => {
    const page = await loadFlowPage(deps, request).catch((error: unknown) => {
      if (!isFlowGone(error)) throw error;
      return null;
    });
    return showLink(deps, request, reply, page);
  });
}

/** The form is posted to the sign-in, which knows what follows. */
async function showRecover(deps: Deps, request: FastifyRequest, reply: FastifyReply, page: FlowPage): Answer {
  const { flow, csrf, formTargets } = page;
  const may = await flowView(deps, request.context, request.tenant, flow);
  const signIn = `${basePath(request)}/sign-in`;
  if (!may.steps.includes("start-recovery")) return seeOther(reply, signIn, { flow: flow.id });
  const view = pageView(deps, request, reply, {
    path: `${basePath(request)}/recover`,
    query: { flow: flow.id },
  });
  const text = renderRecoverPage({
    ...view,
    action: signIn,
    csrf,
    flow: flow.id,
    values: { identifier: flow.identifier ?? undefined },
    fixed: flow.state !== "identifier",
    signInUrl: `${signIn}?flow=${flow.id}`,
  });
  return sendPage(deps, reply, view.nonce, text, { formTargets });
}

/**
 * Opening the link uses nothing up, because mail programs open links too. Where the flow is not this browser's, or is
 * over, nothing of it is shown.
 */
function showLink(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  page: FlowPage | null,
): FastifyReply {
  const secret = queryText(request, "secret");
  const signIn = `${basePath(request)}/sign-in`;
  const waits = page?.flow.state === "link-sent";
  if (page && !waits) return seeOther(reply, signIn, { flow: page.flow.id });
  const view = pageView(deps, request, reply);
  const text = renderLinkOpenedPage({
    ...view,
    action: signIn,
    csrf: page?.csrf ?? "",
    flow: page?.flow.id,
    secret: page ? secret : undefined,
    signInUrl: signIn,
    application: applicationLook(page?.application ?? null),
  });
  return sendPage(deps, reply, view.nonce, text, { formTargets: page?.formTargets ?? [] });
}
