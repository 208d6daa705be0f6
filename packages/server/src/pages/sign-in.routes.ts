import { IdentityError } from "@ostiary/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Deps } from "../domain/deps.ts";
import {
  changeIdentifier,
  type Flow,
  giveIdentifier,
  givePassword,
  type StepResult,
} from "../domain/sign-in/index.ts";
import { toIdentityError } from "../platform/http/problems.ts";
import { type FlowPage, finishFlow, loadFlowPage, startAccountFlow } from "./flow-page.ts";
import { showNewPassword, takeNewPassword } from "./new-password.routes.ts";
import { noticeOf, problemsOf, requiredMessage } from "./problems.ts";
import { applicationLook, basePath, formOf, pageView, queryText, seeOther, sendPage } from "./respond.ts";
import { checkSessionForm, displayName, findSignedIn } from "./session.ts";
import { renderSignedInPage, renderSignInPage } from "./sign-in.page.ts";
import type { SignInView } from "./views.ts";

type Answer = Promise<FastifyReply>;

/** Signing in: every protocol and dialect sends its browsers here with a flow; without one it is for the account. */
export function signInRoutes(app: FastifyInstance, deps: Deps): void {
  app.get("/sign-in", async (request, reply): Answer => {
    if (queryText(request, "flow") === undefined) return startOrShowWho(deps, request, reply);
    const page = await loadFlowPage(deps, request);
    const { flow } = page;
    if (flow.state === "authenticated") return finishFlow(deps, request, reply, flow);
    if (flow.state === "new-password") return showNewPassword(deps, request, reply, page);
    if (queryText(request, "change") !== undefined && flow.state === "password") {
      await changeIdentifier(deps, request.context, request.tenant, flow);
      return seeOther(reply, `${basePath(request)}/sign-in`, { flow: flow.id });
    }
    return show(deps, request, reply, page);
  });

  app.post("/sign-in", async (request, reply): Answer => {
    if (formOf(request).decision !== undefined) return decideWho(deps, request, reply);
    const page = await loadFlowPage(deps, request);
    // Sent twice, or from a page that lay in another tab: the sign-in is done.
    if (page.flow.state === "authenticated") return finishFlow(deps, request, reply, page.flow);
    if (page.flow.state === "new-password") return takeNewPassword(deps, request, reply, page);
    try {
      const { flow, cookie } = await takeStep(deps, request, page.flow);
      if (flow.state === "authenticated") return await finishFlow(deps, request, reply, flow, cookie);
      return seeOther(reply, `${basePath(request)}/sign-in`, { flow: flow.id });
    } catch (thrown) {
      return refuse(deps, request, reply, page, thrown);
    }
  });
}

/** The fields that were filled in say which step it is; whether it may be taken says the table of `domain/sign-in`. */
async function takeStep(deps: Deps, request: FastifyRequest, flow: Flow): Promise<StepResult> {
  const { context, tenant } = request;
  const { identifier, password } = formOf(request);
  if (password) {
    const previous = await findSignedIn(deps, request);
    const step = { identifier, password, previousSessionId: previous?.session.id };
    return givePassword(deps, context, tenant, flow, step);
  }
  const asksBoth = tenant.settings.signInForm === "together";
  const isStalePage = flow.state === "password" && password === undefined;
  if (!identifier?.trim() || (flow.state === "password" && !isStalePage) || (asksBoth && !isStalePage)) {
    throw new IdentityError("request.invalid", { reason: "identifier or password is missing" });
  }
  // Back to the first page, and another identifier.
  const first = isStalePage ? (await changeIdentifier(deps, context, tenant, flow)).flow : flow;
  return giveIdentifier(deps, context, tenant, first, { identifier });
}

async function refuse(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  page: FlowPage,
  thrown: unknown,
): Answer {
  const error = toIdentityError(thrown);
  const { identifier } = formOf(request);
  // Another tab has moved on meanwhile: go where it has come to.
  if (error.code === "flow.not_found" || error.code === "flow.wrong_step") {
    return seeOther(reply, `${basePath(request)}/sign-in`, { flow: page.flow.id });
  }
  const errors = error.code === "request.invalid" ? missing(request, page.flow) : problemsOf(error, []);
  if (!errors) throw thrown;
  if (error.retryAfter !== undefined) reply.header("retry-after", String(Math.ceil(error.retryAfter)));
  return show(deps, request, reply, page, { errors, identifier, status: error.status });
}

function missing(request: FastifyRequest, flow: Flow): NonNullable<SignInView["errors"]> {
  const { identifier } = formOf(request);
  const needsPassword = flow.state === "password" || request.tenant.settings.signInForm === "together";
  return {
    ...(flow.state === "identifier" && !identifier?.trim()
      ? { identifier: requiredMessage("field.usernameEmailOrPhone") }
      : {}),
    ...(needsPassword ? { password: requiredMessage("field.password") } : {}),
  };
}

function show(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  { flow, application, csrf, formTargets }: FlowPage,
  failure: { errors?: SignInView["errors"]; identifier?: string | undefined; status?: number } = {},
): FastifyReply {
  const path = `${basePath(request)}/sign-in`;
  const view = pageView(deps, request, reply, { path, query: { flow: flow.id } });
  const { settings } = request.tenant;
  const page = renderSignInPage({
    ...view,
    action: path,
    csrf,
    flow: flow.id,
    step:
      flow.state === "password" ? "password" : settings.signInForm === "together" ? "together" : "identifier",
    values: {
      identifier:
        flow.state === "password"
          ? (flow.identifier ?? "")
          : (failure.identifier ?? flow.identifier ?? undefined),
    },
    application: applicationLook(application),
    identifiers: ["username", "email", "phone"],
    methods: ["password"],
    signUpUrl:
      settings.signUp === "open" && flow.state === "identifier"
        ? `${basePath(request)}/sign-up?flow=${flow.id}`
        : undefined,
    otherIdentifierUrl: `${path}?flow=${flow.id}&change=1`,
    errors: failure.errors,
    notice: failure.errors ? undefined : noticeOf(queryText(request, "notice")),
  });
  return sendPage(deps, reply, view.nonce, page, { status: failure.status ?? 200, formTargets });
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
