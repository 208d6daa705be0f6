import type { FastifyReply, FastifyRequest } from "fastify";
import type { Deps } from "../domain/deps.ts";
import { choosePassword } from "../domain/sign-in/index.ts";
import { toIdentityError } from "../platform/http/problems.ts";
import { type FlowPage, finishFlow } from "./flow-page.ts";
import { renderNewPasswordPage } from "./new-password.page.ts";
import { NEW_PASSWORD_FIELDS, newPasswordProblems, problemsOf } from "./problems.ts";
import { applicationLook, basePath, formOf, pageView, seeOther, sendPage } from "./respond.ts";
import { browserOf } from "./take-step.ts";
import type { FormErrors } from "./views.ts";

/** The step of `/sign-in` in which a password is changed. */
export async function takeNewPassword(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  page: FlowPage,
): Promise<FastifyReply> {
  const errors = newPasswordProblems(formOf(request));
  if (errors) return showNewPassword(deps, request, reply, page, { errors, status: 400 });
  try {
    const result = await choosePassword(deps, request.context, request.tenant, page.flow, {
      ...(await browserOf(deps, request)),
      password: formOf(request).password ?? "",
    });
    return await finishFlow(deps, request, reply, result);
  } catch (thrown) {
    const error = toIdentityError(thrown);
    // Another tab has moved on meanwhile: go where it has come to.
    if (error.code === "flow.not_found" || error.code === "flow.wrong_step") {
      return seeOther(reply, `${basePath(request)}/sign-in`, { flow: page.flow.id });
    }
    const problems = problemsOf(error, NEW_PASSWORD_FIELDS);
    if (!problems) throw thrown;
    return showNewPassword(deps, request, reply, page, { errors: problems, status: error.status });
  }
}

export function showNewPassword(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  { flow, application, csrf, formTargets }: FlowPage,
  failure: { errors?: FormErrors<string> | undefined; status?: number | undefined } = {},
): FastifyReply {
  const path = `${basePath(request)}/sign-in`;
  const view = pageView(deps, request, reply, { path, query: { flow: flow.id } });
  const page = renderNewPasswordPage({
    ...view,
    action: path,
    csrf,
    flow: flow.id,
    identifier: flow.identifier ?? "",
    password: request.tenant.settings.passwordPolicy,
    application: applicationLook(application),
    forgotten: flow.facts.newPassword === true,
    errors: failure.errors,
  });
  return sendPage(deps, reply, view.nonce, page, { status: failure.status ?? 200, formTargets });
}
