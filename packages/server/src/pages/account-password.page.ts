import { backToAccount } from "./account-home.page.ts";
import { button, buttonLink, fieldsOf, form, hasErrors, messages } from "./form.ts";
import { html } from "./html.ts";
import { textsFor } from "./i18n.ts";
import { renderDocument } from "./layout.ts";
import type { AccountPasswordView, NoPasswordView } from "./views.ts";

/** Changing one's own password. Fields: `currentPassword`, `newPassword`, `newPasswordAgain`. */
export function renderAccountPasswordPage(view: AccountPasswordView): string {
  const texts = textsFor(view.language);
  const limits = { min: view.password.minLength, max: view.password.maxLength };
  const { field } = fieldsOf(view, { values: limits });
  const { user } = view;
  const identifier = user.username ?? user.email ?? user.phone ?? user.displayName;
  const secret = { type: "password", required: true } as const;
  return renderDocument(view, {
    title: texts.t("password.title"),
    hasErrors: hasErrors(view.errors),
    body: html`${backToAccount(texts, view.links)}
<h1>${texts.t("password.title")}</h1>
<p class="lead">${texts.t("password.lead")}</p>
${messages(view, limits)}
${form(
  view,
  // The identifier tells a password manager whose entry to renew; a person need not see it.
  html`<input type="text" name="identifier" value="${identifier}" autocomplete="username" readonly hidden>
${field({ ...secret, name: "currentPassword", label: "field.currentPassword", autocomplete: "current-password", enterkeyhint: "next" })}
${field({
  ...secret,
  name: "newPassword",
  label: "field.newPassword",
  autocomplete: "new-password",
  enterkeyhint: "next",
  help: { key: "password.help", values: limits },
})}
${field({ ...secret, name: "newPasswordAgain", label: "field.newPasswordAgain", autocomplete: "new-password", enterkeyhint: "done" })}
${button(texts, "password.submit", { busy: "form.saving" })}`,
)}`,
  });
}

/** Who signs in by other means has no password, and may want one. */
export function renderNoPasswordPage(view: NoPasswordView): string {
  const texts = textsFor(view.language);
  const { recoverUrl } = view;
  return renderDocument(view, {
    title: texts.t("password.none"),
    body: html`${backToAccount(texts, view.links)}
<h1>${texts.t("password.none")}</h1>
<p class="lead">${texts.t(recoverUrl === undefined ? "password.noneAsk" : "password.noneLead")}</p>
${recoverUrl !== undefined && html`<div class="actions">${buttonLink(texts, recoverUrl, "code.continue")}</div>`}`,
  });
}
