import { button, fieldsOf, form, hasErrors, messages } from "./form.ts";
import { html } from "./html.ts";
import { textsFor } from "./i18n.ts";
import { renderDocument } from "./layout.ts";
import type { NewPasswordView } from "./views.ts";

/** The old password may not be used any longer, or is forgotten. Fields: `password`, `passwordAgain`. */
export function renderNewPasswordPage(view: NewPasswordView): string {
  const texts = textsFor(view.language);
  const limits = { min: view.password.minLength, max: view.password.maxLength };
  const { field } = fieldsOf(view, { values: limits });
  const secret = { type: "password", required: true, autocomplete: "new-password" } as const;
  return renderDocument(view, {
    title: texts.t("newPassword.title"),
    hasErrors: hasErrors(view.errors),
    body: html`<h1>${texts.t("newPassword.title")}</h1>
<p class="lead">${texts.t(view.forgotten ? "recover.choose" : "newPassword.lead")}</p>
${messages(view, limits)}
${form(
  view,
  html`${field({ name: "username", label: "field.username", value: view.identifier, autocomplete: "username", readonly: true })}
${field({ ...secret, name: "password", label: "field.newPassword", enterkeyhint: "next", help: { key: "password.help", values: limits } })}
${field({ ...secret, name: "passwordAgain", label: "field.newPasswordAgain", enterkeyhint: "go" })}
${button(texts, "newPassword.submit", { busy: "form.saving" })}`,
)}`,
  });
}
