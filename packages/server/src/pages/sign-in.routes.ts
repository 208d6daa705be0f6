import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Deps } from "../domain/deps.ts";
import { changeIdentifier, STEPS } from "../domain/sign-in/index.ts";
import { toIdentityError } from "../platform/http/problems.ts";
import { type FlowPage, finishFlow, loadFlowPage, startAccountFlow } from "./flow-page.ts";
import { takeNewPassword } from "./new-password.routes.ts";
import { codeProblemsOf, requiredMessage } from "./problems.ts";
import { basePath, formOf, pageView, queryText, seeOther, sendPage } from "./respond.ts";
import { checkSessionForm, displayName, findSignedIn } from "./session.ts";
import { showFlow } from "./show-flow.ts";
import { renderSignedInPage } from "./sign-in.page.ts";
import { takeStep } from "./take-step.ts";
import type { FormErrors } from "./views.ts";

type Answer = Promise<FastifyReply>;

/** Signing in: every protocol and dialect sends its browsers here with a flow; without one it is for the account. */
export function signInRoutes(app: FastifyInstance, deps: Deps): void {
  app.get("/sign-in", async (request, reply): Answer => {
    if (queryText(request, "flow") === undefined) return startOrShowWho(deps, request, reply);
    const page = await loadFlowPage(deps, request);
    const { flow } = page;
    if (queryText(request, "change") !== undefined && "change-identifier" in STEPS[flow.state]) {
      await changeIdentifier(deps, request.context, request.tenant, flow);
      return seeOther(reply, `${basePath(request)}/sign-in`, { flow: flow.id });
    }
    return showFlow(deps, request, reply, page);
  });

  app.post("/sign-in", async (request, reply): Answer => {
    if (formOf(request).decision !== undefined) return decideWho(deps, request, reply);
    return goOn(deps, request, reply);
  });
}

/** Takes the step of the posted form, and goes where the flow is then. */
async function goOn(deps: Deps, request: FastifyRequest, reply: FastifyReply): Answer {
  const page = await loadFlowPage(deps, request);
  // Sent twice, or from a page that lay in another tab: the sign-in is done.
  if (page.flow.state === "authenticated") return finishFlow(deps, request, reply, { flow: page.flow });
  if (page.flow.state === "new-password") return takeNewPassword(deps, request, reply, page);
  try {
    const result = await takeStep(deps, request, page.flow);
    if (result.flow.state === "authenticated") return await finishFlow(deps, request, reply, result);
    const { method } = formOf(request);
    const stays = result.flow.state === page.flow.state && method !== undefined;
    return seeOther(reply, `${basePath(request)}/sign-in`, {
      flow: page.flow.id,
      ...(stays ? { method } : {}),
    });
  } catch (thrown) {
    return refuse(deps, request, reply, page, thrown);
  }
}

async function refuse(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  page: FlowPage,
  thrown: unknown,
): Answer {
  const error = toIdentityError(thrown);
  // Another tab has moved on meanwhile: go where it has come to.
  if (error.code === "flow.not_found" || error.code === "flow.wrong_step") {
    return seeOther(reply, `${basePath(request)}/sign-in`, { flow: page.flow.id });
  }
  const errors =
    error.code === "request.invalid" ? missing(request, page) : codeProblemsOf(error, formOf(request).step);
  if (!errors) throw thrown;
  if (error.retryAfter !== undefined) reply.header("retry-after", String(Math.ceil(error.retryAfter)));
  return showFlow(deps, request, reply, page, { errors, status: error.status, code: error.code });
}

/** What the form needs and has not got. */
function missing(request: FastifyRequest, { flow }: FlowPage): FormErrors<string> | null {
  const { identifier, step, code } = formOf(request);
  if (step !== undefined && code !== undefined) return { code: requiredMessage("field.code") };
  const needsPassword =
    step === undefined && (flow.state === "password" || request.tenant.settings.signInForm === "together");
  const needsIdentifier = flow.state === "identifier" && !identifier?.trim();
  return {
    ...(needsIdentifier ? { identifier: requiredMessage("field.usernameEmailOrPhone") } : {}),
    ...(needsPassword ? { password: requiredMessage("field.password") } : {}),
  };
}

/** Without a flow: begins one, or says who is signed in already. */
async function startOrShowWho(deps: Deps, request: FastifyRequest, reply: FastifyReply): Answer {
  const path = `${basePath(request)}/sign-in`;
  const who = await findSignedIn(deps, request);
  if (!who) {
    const flow = await startAccountFlow(deps, request, reply);
    const [notice, locales] = [queryText(request, "notice"), queryText(request, "ui_locales")];
    return seeOther(reply, path, {
      flow: flow.id,
      ...(notice === undefined ? {} : { notice }),
      ...(locales === undefined ? {} : { ui_locales: locales }),
    });
  }
  const view = pageView(deps, request, reply, { path });
  const page = renderSignedInPage({
    ...view,
    action: path,
    csrf: who.csrf,
    userName: displayName(who.principal),
  });
  return sendPage(deps, reply, view.nonce, page);
}

/** "Continue", or "use another account". */
async function decideWho(deps: Deps, request: FastifyRequest, reply: FastifyReply): Answer {
  const base = basePath(request);
  const who = await findSignedIn(deps, request);
  if (!who) return seeOther(reply, `${base}/sign-in`);
  checkSessionForm(deps, request, who.session);
  if (formOf(request).decision !== "switch") return seeOther(reply, `${base}/account`);
  const flow = await startAccountFlow(deps, request, reply);
  return seeOther(reply, `${base}/sign-in`, { flow: flow.id });
}
