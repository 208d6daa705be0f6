import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Deps } from "../domain/deps.ts";
import {
  checkFormToken,
  checkSetUpLink,
  completeSetUp,
  FIRST_ADMINISTRATOR,
  formToken,
} from "../domain/sign-in/index.ts";
import { cookieScope, ensureBrowser, readOwnCookie } from "../platform/http/cookies.ts";
import { toIdentityError } from "../platform/http/problems.ts";
import { renderAdministratorPasswordPage } from "./administrator-password.page.ts";
import { startAccountFlow } from "./flow-page.ts";
import { NEW_PASSWORD_FIELDS, newPasswordProblems, problemsOf } from "./problems.ts";
import { basePath, formOf, pageView, queryText, refuseCrossSite, seeOther, sendPage } from "./respond.ts";
import type { FormErrors } from "./views.ts";

/** The one-time link of a fresh install: the first administrator sets a password. */
export function setUpRoutes(app: FastifyInstance, deps: Deps): void {
  app.get("/set-up", async (request, reply): Promise<FastifyReply> => {
    const token = queryText(request, "token") ?? "";
    await checkSetUpLink(deps, request.context, token);
    return show(deps, request, reply, token);
  });

  app.post("/set-up", async (request, reply): Promise<FastifyReply> => {
    const { token = "", csrf, password = "" } = formOf(request);
    refuseCrossSite(deps, request);
    const browser = readOwnCookie(deps, request, "flow");
    checkFormToken(deps, token, browser, csrf);
    await checkSetUpLink(deps, request.context, token);
    const errors = newPasswordProblems(formOf(request));
    if (errors) return show(deps, request, reply, token, { errors, status: 400 });
    try {
      const { username } = await completeSetUp(deps, request.context, token, password);
      const flow = await startAccountFlow(deps, request, reply, { identifier: username });
      return seeOther(reply, `${basePath(request)}/sign-in`, { flow: flow.id, notice: "password-set" });
    } catch (thrown) {
      const error = toIdentityError(thrown);
      const problems = problemsOf(error, NEW_PASSWORD_FIELDS);
      if (!problems) throw thrown;
      return show(deps, request, reply, token, { errors: problems, status: error.status });
    }
  });
}

function show(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  token: string,
  failure: { errors?: FormErrors<string>; status?: number } = {},
): FastifyReply {
  const path = `${basePath(request)}/set-up`;
  const view = pageView(deps, request, reply, { path, query: { token } });
  const browser = ensureBrowser(request, reply, cookieScope(deps, request));
  const page = renderAdministratorPasswordPage({
    ...view,
    action: path,
    csrf: formToken(deps, token, browser),
    token,
    username: FIRST_ADMINISTRATOR,
    password: request.tenant.settings.passwordPolicy,
    errors: failure.errors,
  });
  return sendPage(deps, reply, view.nonce, page, { status: failure.status ?? 200 });
}
