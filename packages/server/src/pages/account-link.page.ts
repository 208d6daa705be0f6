import { backToAccount } from "./account-home.page.ts";
import { button, buttonLink, fieldsOf, form, hasErrors, messages } from "./form.ts";
import { html } from "./html.ts";
import { textsFor } from "./i18n.ts";
import { renderDocument } from "./layout.ts";
import type { LinkAccountView, MoveCodeView } from "./security-views.ts";

/** Takes over what signs the person in to another account: asks for the code that was made there. */
export function renderLinkAccountPage(view: LinkAccountView): string {
  const texts = textsFor(view.language);
  return renderDocument(view, {
    title: texts.t("link.account"),
    hasErrors: hasErrors(view.errors),
    body: html`${backToAccount(texts, view.links, "security")}
<h1>${texts.t("link.account")}</h1>
<p class="lead">${texts.t("link.accountLead")}</p>
<p class="lead">${texts.t("link.accountHow", { move: texts.t("move.open") })}</p>
${messages(view)}
${form(
  view,
  html`${fieldsOf(view).field({ name: "code", label: "field.moveCode", autocomplete: "off", enterkeyhint: "done", maxlength: 256, verbatim: true, required: true })}
${button(texts, "link.accountSubmit")}`,
)}`,
  });
}

/** The code that proves this account to another one; the answer to the form that asked for it, and not shown again. */
export function renderMoveCodePage(view: MoveCodeView): string {
  const texts = textsFor(view.language);
  return renderDocument(view, {
    title: texts.t("move.codeTitle"),
    body: html`${backToAccount(texts, view.links, "security")}
<h1>${texts.t("move.codeTitle")}</h1>
<p class="lead">${texts.t("move.codeLead", { link: texts.t("link.open") })}</p>
<p class="key"><code>${view.code}</code></p>
<div class="tools">
<button type="button" class="button quiet small" hidden data-copy="${view.code}" data-done="${texts.t("move.copied")}">${texts.t("recoveryCodes.copy")}</button>
</div>
<p class="below">${texts.t("move.codeSecret")}</p>
<div class="actions">${buttonLink(texts, view.links.signOut, "signOut.submit", true)}</div>`,
  });
}
