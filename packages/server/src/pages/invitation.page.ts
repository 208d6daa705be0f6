import { button, fieldsOf, form, hasErrors, messages } from "./form.ts";
import { html, type SafeHtml } from "./html.ts";
import { textsFor } from "./i18n.ts";
import { nameOf, renderDocument } from "./layout.ts";
import type { InvitationView } from "./security-views.ts";

function newAccount(view: InvitationView): SafeHtml {
  const texts = textsFor(view.language);
  const limits = { min: view.password.minLength, max: view.password.maxLength };
  const { field } = fieldsOf(view, { values: limits });
  return html`${view.email !== undefined && field({ name: "email", label: "field.email", value: view.email, autocomplete: "email", readonly: true })}
${field({ name: "username", label: "field.username", value: view.values.username, autocomplete: "username", enterkeyhint: "next", maxlength: 64, verbatim: true, required: true })}
${field({ name: "nickname", label: "field.nickname", value: view.values.nickname, autocomplete: "nickname", enterkeyhint: "next", maxlength: 128, help: "signUp.nicknameHelp" })}
${field({ name: "password", label: "field.password", type: "password", autocomplete: "new-password", enterkeyhint: "go", required: true, help: { key: "password.help", values: limits } })}
${button(texts, "signUp.submit", { busy: "signUp.busy" })}`;
}

/** Somebody was invited: who has an account joins with it, everybody else makes one. */
export function renderInvitationPage(view: InvitationView): string {
  const texts = textsFor(view.language);
  const limits = { min: view.password.minLength, max: view.password.maxLength };
  const { userName } = view;
  const tenant = nameOf(view.tenant.name);
  return renderDocument(view, {
    title: texts.t("invitation.title"),
    hasErrors: hasErrors(view.errors),
    body: html`<h1>${texts.t("invitation.title")}</h1>
<p class="lead">${texts.rich(userName === undefined ? "invitation.lead" : "invitation.leadMember", {
      tenant,
    })}</p>
${userName !== undefined && html`<p class="lead">${texts.rich("signedIn.as", { user: nameOf(userName) })}</p>`}
${messages(view, limits)}
${form(view, userName === undefined ? newAccount(view) : button(texts, "invitation.join"), { token: view.token })}`,
  });
}
