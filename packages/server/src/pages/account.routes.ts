import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { changePassword, hasPassword, passwordState } from "../domain/credentials/index.ts";
import type { Deps } from "../domain/deps.ts";
import { listSessionsOfUser } from "../domain/sessions/index.ts";
import { toIdentityError } from "../platform/http/problems.ts";
import { accountUser, accountView, forSignedIn, linksOf, loadUser } from "./account.ts";
import { applicationRoutes } from "./account-applications.routes.ts";
import { contactRoutes } from "./account-contact.routes.ts";
import { renderAccountHomePage } from "./account-home.page.ts";
import { renderAccountPasswordPage, renderNoPasswordPage } from "./account-password.page.ts";
import { profileRoutes } from "./account-profile.routes.ts";
import { securityRoutes } from "./account-security.routes.ts";
import { sessionRoutes } from "./account-sessions.routes.ts";
import { missingFields, noticeOf, passwordsDiffer, problemsOf } from "./problems.ts";
import { basePath, formOf, queryText, seeOther, sendPage } from "./respond.ts";
import type { SignedIn } from "./session.ts";
import type { AccountPasswordView, FormErrors } from "./views.ts";

const PASSWORD_FIELDS = ["currentPassword", "newPassword", "newPasswordAgain"] as const;

/** What people look after themselves. */
export function accountRoutes(app: FastifyInstance, deps: Deps): void {
  app.get(
    "/account",
    forSignedIn(deps, "/account", (...call) => showHome(deps, ...call)),
  );
  app.get(
    "/account/password",
    forSignedIn(deps, "/account/password", (...call) => showPassword(deps, ...call)),
  );
  app.post(
    "/account/password",
    forSignedIn(deps, "/account/password", (...call) => takePassword(deps, ...call)),
  );
  profileRoutes(app, deps);
  sessionRoutes(app, deps);
  applicationRoutes(app, deps);
  securityRoutes(app, deps);
  contactRoutes(app, deps);
}

async function showHome(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  who: SignedIn,
): Promise<FastifyReply> {
  const links = linksOf(request);
  const view = await accountView(deps, request, reply, who, { path: links.home });
  const [user, { changedAt }, sessions] = await Promise.all([
    loadUser(deps, who),
    passwordState(deps, request.tenant.id, who.session.userId),
    listSessionsOfUser(deps, who.context, who.session.userId, { limit: 200 }),
  ]);
  const page = renderAccountHomePage({
    ...view,
    user: accountUser(user),
    links,
    sessionCount: sessions.items.length,
    passwordChangedAt: changedAt ?? undefined,
    now: deps.clock.now(),
    notice: noticeOf(queryText(request, "notice")),
  });
  return sendPage(deps, reply, view.nonce, page);
}

async function showPassword(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  who: SignedIn,
  failure: { errors?: FormErrors<string>; status?: number } = {},
): Promise<FastifyReply> {
  const links = linksOf(request);
  const view = await accountView(deps, request, reply, who, { path: links.password });
  if (!(await hasPassword(deps, request.tenant.id, who.session.userId))) {
    const recoverable = request.tenant.settings.signIn.recovery.length > 0;
    const recoverUrl = recoverable ? `${basePath(request)}/recover` : undefined;
    return sendPage(deps, reply, view.nonce, renderNoPasswordPage({ ...view, links, recoverUrl }));
  }
  const page = renderAccountPasswordPage({
    ...view,
    action: links.password,
    csrf: who.csrf,
    links,
    user: accountUser(await loadUser(deps, who)),
    password: request.tenant.settings.passwordPolicy,
    errors: failure.errors as AccountPasswordView["errors"],
  });
  return sendPage(deps, reply, view.nonce, page, { status: failure.status ?? 200 });
}

async function takePassword(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  who: SignedIn,
): Promise<FastifyReply> {
  const form = formOf(request);
  const { currentPassword = "", newPassword = "", newPasswordAgain = "" } = form;
  const absent = missingFields(form, PASSWORD_FIELDS);
  const differ = passwordsDiffer(newPassword, newPasswordAgain);
  const errors = Object.keys(absent).length > 0 ? absent : differ && { newPasswordAgain: differ };
  if (errors) return showPassword(deps, request, reply, who, { errors, status: 400 });
  try {
    await changePassword(deps, who.context, who.session.userId, currentPassword, newPassword, {
      keepSessionId: who.session.id,
    });
    return seeOther(reply, linksOf(request).home, { notice: "password-changed" });
  } catch (thrown) {
    const error = toIdentityError(thrown);
    const problems = problemsOf(error, PASSWORD_FIELDS);
    if (!problems) throw thrown;
    if (error.retryAfter !== undefined) reply.header("retry-after", String(Math.ceil(error.retryAfter)));
    return showPassword(deps, request, reply, who, { errors: problems, status: error.status });
  }
}
