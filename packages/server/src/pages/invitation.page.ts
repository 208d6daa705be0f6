import { button, buttonLink, fieldsOf, form, hasErrors, messages } from "./form.ts";
import { html, linkUrl, type SafeHtml } from "./html.ts";
import { textsFor } from "./i18n.ts";
import { nameOf, renderDocument } from "./layout.ts";
import type { InvitationView } from "./security-views.ts";

function newAccount(view: InvitationView): SafeHtml {
  const texts = textsFor(view.language);
  const limits = { min: view.password.minLength, max: view.password.maxLength };
  const { field } = fieldsOf(view, { values: limits });
  const { values, email, asksEmail } = view;
  const next = "next" as const;
  const address = { name: "email", label: "field.email", autocomplete: "email" } as const;
  return html`${email !== undefined && field({ ...address, value: email, readonly: true })}
${field({ name: "username", label: "field.username", value: values.username, autocomplete: "username", enterkeyhint: next, maxlength: 64, verbatim: true, required: true })}
${asksEmail && field({ ...address, value: values.email, type: "email", inputmode: "email", enterkeyhint: next, maxlength: 254, required: asksEmail === "required" })}
${field({ name: "nickname", label: "field.nickname", value: values.nickname, autocomplete: "nickname", enterkeyhint: next, maxlength: 128, help: "signUp.nicknameHelp" })}
${field({ name: "password", label: "field.password", type: "password", autocomplete: "new-password", enterkeyhint: "go", required: true, help: { key: "password.help", values: limits } })}
${button(texts, "signUp.submit", { busy: "signUp.busy" })}`;
}

const LEADS = {
  nobody: "invitation.lead",
  member: "invitation.leadMember",
  other: "invitation.leadOther",
} as const;

/** Somebody was invited: who has an account joins with it, everybody else makes one. */
export function renderInvitationPage(view: InvitationView): string {
  const texts = textsFor(view.language);
  const limits = { min: view.password.minLength, max: view.password.maxLength };
  const { userName, who, token } = view;
  const signIn = linkUrl(view.signInUrl);
  return renderDocument(view, {
    title: texts.t("invitation.title"),
    hasErrors: hasErrors(view.errors),
    body: html`<h1>${texts.t("invitation.title")}</h1>
<p class="lead">${texts.rich(LEADS[who], { tenant: nameOf(view.tenant.name) })}</p>
${userName !== undefined && html`<p class="lead">${texts.rich("signedIn.as", { user: nameOf(userName) })}</p>`}
${messages(view, limits)}
${who !== "other" && form(view, who === "nobody" ? newAccount(view) : button(texts, "invitation.join"), { token })}
${who === "nobody" && signIn && html`<p class="below">${texts.t("invitation.haveAccount")} <a href="${signIn}">${texts.t("signUp.signIn")}</a></p>`}
${who === "other" && signIn && html`<div class="actions">${buttonLink(texts, signIn, "signIn.title")}</div>`}`,
  });
}
