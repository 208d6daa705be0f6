import { button, fieldsOf, form, hasErrors, messages } from "./form.ts";
import { html } from "./html.ts";
import { textsFor } from "./i18n.ts";
import { renderDocument } from "./layout.ts";
import type { AdministratorPasswordView } from "./views.ts";

/** Behind the one-time link of a fresh install. Fields: `password`, `passwordAgain`; hidden: `token`. */
export function renderAdministratorPasswordPage(view: AdministratorPasswordView): string {
  const texts = textsFor(view.language);
  const limits = { min: view.password.minLength, max: view.password.maxLength };
  const { field } = fieldsOf(view, { values: limits });
  const secret = { type: "password", required: true, autocomplete: "new-password" } as const;
  return renderDocument(view, {
    title: texts.t("setUp.title"),
    hasErrors: hasErrors(view.errors),
    body: html`<h1>${texts.t("setUp.title")}</h1>
<p class="lead">${texts.t("setUp.lead")}</p>
${messages(view, limits)}
${form(
  view,
  html`${field({ name: "username", label: "field.username", value: view.username, autocomplete: "username", readonly: true })}
${field({ ...secret, name: "password", label: "field.password", enterkeyhint: "next", help: { key: "password.help", values: limits } })}
${field({ ...secret, name: "passwordAgain", label: "field.passwordAgain", enterkeyhint: "go" })}
${button(texts, "setUp.submit", { busy: "form.saving" })}`,
  { token: view.token },
)}`,
  });
}
