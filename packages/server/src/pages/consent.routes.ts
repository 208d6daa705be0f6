import { IdentityError } from "@ostiary/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { findPrincipal } from "../domain/access/index.ts";
import type { Deps } from "../domain/deps.ts";
import { rememberGrant } from "../domain/grants/index.ts";
import { findSession } from "../domain/sessions/index.ts";
import { renderConsentPage } from "./consent.page.ts";
import { type FlowPage, loadFlowPage } from "./flow-page.ts";
import { applicationLook, basePath, formOf, pageView, seeOther, sendPage } from "./respond.ts";
import { displayName } from "./session.ts";

/** May this application have what it asks for? The protocol asks; the answer is kept, and the browser goes back to it. */
export function consentRoutes(app: FastifyInstance, deps: Deps): void {
  app.get("/consent", async (request, reply): Promise<FastifyReply> => {
    const page = await loadFlowPage(deps, request);
    if (page.flow.state !== "authenticated") return toSignIn(request, reply, page);
    return show(deps, request, reply, page);
  });

  app.post("/consent", async (request, reply): Promise<FastifyReply> => {
    const page = await loadFlowPage(deps, request);
    if (page.flow.state !== "authenticated") return toSignIn(request, reply, page);
    const { decision } = formOf(request);
    if (decision !== "allow" && decision !== "deny") return show(deps, request, reply, page);
    const { userId, application, scopes, resume } = await questionOf(deps, request, page);
    if (decision === "allow") {
      const context = { ...request.context, actor: { type: "user", id: userId } } as const;
      await rememberGrant(deps, context, userId, application.id, scopes);
    }
    return seeOther(reply, resume, {
      flow: page.flow.id,
      ...(decision === "deny" ? { decision } : {}),
    });
  });
}

function toSignIn(request: FastifyRequest, reply: FastifyReply, { flow }: FlowPage): FastifyReply {
  return seeOther(reply, `${basePath(request)}/sign-in`, { flow: flow.id });
}

/** @throws IdentityError `flow.not_found` when there is nothing to ask, or the session has ended meanwhile. */
async function questionOf(deps: Deps, request: FastifyRequest, { flow, application }: FlowPage) {
  const { resume, scopes } = flow.continuation;
  const session = flow.sessionId && (await findSession(deps, request.tenant.id, flow.sessionId));
  if (!application || !session || typeof resume !== "string" || !isTexts(scopes)) {
    throw new IdentityError("flow.not_found", { reason: "nothing to consent to" });
  }
  return { userId: session.userId, application, resume, scopes };
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

async function show(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  flowPage: FlowPage,
): Promise<FastifyReply> {
  const { userId, application, scopes } = await questionOf(deps, request, flowPage);
  const principal = await findPrincipal(deps, request.tenant.id, userId);
  const path = `${basePath(request)}/consent`;
  const view = pageView(deps, request, reply, { path, query: { flow: flowPage.flow.id } });
  const { formTargets } = flowPage;
  const [target] = formTargets;
  const page = renderConsentPage({
    ...view,
    action: path,
    csrf: flowPage.csrf,
    flow: flowPage.flow.id,
    application: applicationLook(application) ?? { name: application.name },
    userName: principal ? displayName(principal) : "",
    scopes: scopes.map((name) => ({ name })),
    returnHost: target && URL.canParse(target) ? new URL(target).host || undefined : undefined,
  });
  return sendPage(deps, reply, view.nonce, page, { formTargets });
}
