import { IdentityError } from "@ostiary/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Deps } from "../domain/deps.ts";
import { signUp } from "../domain/sign-in/index.ts";
import { toIdentityError } from "../platform/http/problems.ts";
import { type FlowPage, finishFlow, loadFlowPage, startAccountFlow } from "./flow-page.ts";
import { missingFields, problemsOf } from "./problems.ts";
import { applicationLook, basePath, formOf, pageView, queryText, seeOther, sendPage } from "./respond.ts";
import { renderSignUpPage } from "./sign-up.page.ts";
import { readSignUpForm, requiredFields, SIGN_UP_FIELDS } from "./sign-up-form.ts";
import { browserOf } from "./take-step.ts";
import type { FormErrors, SignUpView } from "./views.ts";

/** Creating one's own account, where the tenant's sign-up is open. */
export function signUpRoutes(app: FastifyInstance, deps: Deps): void {
  app.get("/sign-up", async (request, reply): Promise<FastifyReply> => {
    refuseClosed(request);
    if (queryText(request, "flow") === undefined) {
      const flow = await startAccountFlow(deps, request, reply);
      return seeOther(reply, `${basePath(request)}/sign-up`, { flow: flow.id });
    }
    const page = await loadFlowPage(deps, request);
    const elsewhere = leaveFor(request, reply, page);
    return elsewhere ?? show(deps, request, reply, page);
  });

  app.post("/sign-up", async (request, reply): Promise<FastifyReply> => {
    const page = await loadFlowPage(deps, request);
    if (page.flow.state === "authenticated") return finishFlow(deps, request, reply, { flow: page.flow });
    const absent = missingFields(formOf(request), requiredFields(request));
    if (Object.keys(absent).length > 0)
      return show(deps, request, reply, page, { errors: absent, status: 400 });
    try {
      const input = { ...readSignUpForm(request), ...(await browserOf(deps, request)) };
      const result = await signUp(deps, request.context, request.tenant, page.flow, input);
      if (result.flow.state === "authenticated") return await finishFlow(deps, request, reply, result);
      return seeOther(reply, `${basePath(request)}/sign-in`, { flow: page.flow.id });
    } catch (thrown) {
      return refuse(deps, request, reply, page, thrown);
    }
  });
}

function refuseClosed(request: FastifyRequest): void {
  if (request.tenant.settings.signUp !== "open") throw new IdentityError("sign_up.closed");
}

/** The flow has gone on meanwhile: its sign-in page knows where to. */
function leaveFor(
  request: FastifyRequest,
  reply: FastifyReply,
  { flow }: FlowPage,
): FastifyReply | undefined {
  if (flow.state === "identifier") return undefined;
  return seeOther(reply, `${basePath(request)}/sign-in`, { flow: flow.id });
}

function refuse(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  page: FlowPage,
  thrown: unknown,
): FastifyReply {
  const error = toIdentityError(thrown);
  if (error.code === "flow.not_found" || error.code === "flow.wrong_step") {
    return seeOther(reply, `${basePath(request)}/sign-in`, { flow: page.flow.id });
  }
  const errors = problemsOf(error, SIGN_UP_FIELDS);
  if (!errors) throw thrown;
  if (error.retryAfter !== undefined) reply.header("retry-after", String(Math.ceil(error.retryAfter)));
  return show(deps, request, reply, page, { errors, status: error.status });
}

function show(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  { flow, application, csrf, formTargets }: FlowPage,
  failure: { errors?: FormErrors<string>; status?: number } = {},
): FastifyReply {
  const path = `${basePath(request)}/sign-up`;
  const view = pageView(deps, request, reply, { path, query: { flow: flow.id } });
  const { username, email, phone, nickname } = formOf(request);
  const page = renderSignUpPage({
    ...view,
    action: path,
    csrf,
    flow: flow.id,
    fields: {
      username: "required",
      email: requiredFields(request).includes("email") ? "required" : "optional",
      phone: "optional",
      nickname: "optional",
    },
    values: { username, email, phone, nickname },
    password: request.tenant.settings.passwordPolicy,
    application: applicationLook(application),
    signInUrl: `${basePath(request)}/sign-in?flow=${flow.id}`,
    errors: failure.errors as SignUpView["errors"],
  });
  return sendPage(deps, reply, view.nonce, page, { status: failure.status ?? 200, formTargets });
}
