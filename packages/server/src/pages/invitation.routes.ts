import { IdentityError } from "@ostiary/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Deps } from "../domain/deps.ts";
import { acceptInvitation, findOffer, type Offer } from "../domain/organizations/index.ts";
import { formToken, signUp, startFlow } from "../domain/sign-in/index.ts";
import { cookieScope, ensureBrowser } from "../platform/http/cookies.ts";
import { toIdentityError } from "../platform/http/problems.ts";
import { type FlowPage, finishFlow, loadFlowPage } from "./flow-page.ts";
import { renderInvitationPage } from "./invitation.page.ts";
import { missingFields, problemsOf } from "./problems.ts";
import { basePath, formOf, pageView, queryText, seeOther, sendPage } from "./respond.ts";
import type { InvitationView } from "./security-views.ts";
import { checkSessionForm, displayName, findSignedIn, type SignedIn } from "./session.ts";
import { readSignUpForm, requiredFields, SIGN_UP_FIELDS } from "./sign-up-form.ts";
import { browserOf } from "./take-step.ts";

type Answer = Promise<FastifyReply>;

/** What an invitation leads to: who is signed in joins, everybody else makes an account, also where sign-up is closed. */
export function invitationRoutes(app: FastifyInstance, deps: Deps): void {
  app.get("/invitation", async (request, reply): Answer => {
    const token = queryText(request, "token") ?? "";
    const offer = await findOffer(deps, request.context, token);
    const who = await findSignedIn(deps, request);
    return who ? showMember(deps, request, reply, token, who) : begin(deps, request, reply, token, offer);
  });

  app.post("/invitation", async (request, reply): Answer => {
    const { token = "", flow } = formOf(request);
    if (flow === undefined) return join(deps, request, reply, token);
    const page = await loadFlowPage(deps, request);
    if (page.flow.state === "authenticated") return finishFlow(deps, request, reply, { flow: page.flow });
    return takeSignUp(deps, request, reply, page, token);
  });
}

async function join(deps: Deps, request: FastifyRequest, reply: FastifyReply, token: string): Answer {
  const who = await findSignedIn(deps, request);
  if (!who) return seeOther(reply, `${basePath(request)}/invitation`, { token });
  checkSessionForm(deps, request, who.session);
  await acceptInvitation(deps, who.context, token);
  return seeOther(reply, `${basePath(request)}/account`, { notice: "joined" });
}

async function takeSignUp(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  page: FlowPage,
  token: string,
): Answer {
  const offer = await findOffer(deps, request.context, token);
  const needed = requiredFields(request).filter((name) => name !== "email" || offer.email === null);
  const absent = missingFields(formOf(request), needed);
  if (Object.keys(absent).length > 0) {
    return showForm(deps, request, reply, token, offer, page, { errors: absent, status: 400 });
  }
  try {
    const input = { ...readSignUpForm(request), ...(await browserOf(deps, request)), invitation: token };
    const result = await signUp(deps, request.context, request.tenant, page.flow, input);
    if (result.flow.state === "authenticated") return await finishFlow(deps, request, reply, result);
    return seeOther(reply, `${basePath(request)}/sign-in`, { flow: page.flow.id });
  } catch (thrown) {
    const error = toIdentityError(thrown);
    const errors = problemsOf(error, SIGN_UP_FIELDS);
    if (!errors) throw thrown;
    return showForm(deps, request, reply, token, offer, page, { errors, status: error.status });
  }
}

/** A flow for whoever has no session here. */
async function begin(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  token: string,
  offer: Offer,
): Answer {
  const browser = ensureBrowser(request, reply, cookieScope(deps, request));
  const continuation = { protocol: "account", page: "/account" };
  const flow = await startFlow(deps, request.context, { browser, continuation });
  return showForm(deps, request, reply, token, offer, { flow, csrf: formToken(deps, flow.id, browser) });
}

function showForm(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  token: string,
  { email, sent }: Offer,
  { flow, csrf }: Pick<FlowPage, "flow" | "csrf">,
  failure: { errors?: InvitationView["errors"]; status?: number } = {},
): FastifyReply {
  const path = `${basePath(request)}/invitation`;
  const view = pageView(deps, request, reply, { path, query: { token } });
  const { username, nickname, email: typed } = formOf(request);
  const page = renderInvitationPage({
    ...view,
    action: path,
    csrf,
    flow: flow.id,
    token,
    // A token that was shown to somebody proves no address: only who has the account already can take it.
    who: email !== null && !sent ? "other" : "nobody",
    email: email ?? undefined,
    asksEmail:
      email !== null ? undefined : requiredFields(request).includes("email") ? "required" : "optional",
    signInUrl: `${basePath(request)}/sign-in`,
    values: { username, nickname, email: typed },
    password: request.tenant.settings.passwordPolicy,
    errors: failure.errors,
  });
  return sendPage(deps, reply, view.nonce, page, { status: failure.status ?? 200 });
}

function showMember(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  token: string,
  { principal, csrf, session }: SignedIn,
): FastifyReply {
  if (session.impersonatorId !== null) throw new IdentityError("impersonation.not_allowed");
  const path = `${basePath(request)}/invitation`;
  const view = pageView(deps, request, reply, { path, query: { token } });
  const page = renderInvitationPage({
    ...view,
    action: path,
    csrf,
    token,
    who: "member",
    userName: displayName(principal),
    values: {},
    password: request.tenant.settings.passwordPolicy,
  });
  return sendPage(deps, reply, view.nonce, page);
}
