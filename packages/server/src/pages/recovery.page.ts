import type { RecoverView, RecoveryCodesView } from "./factor-views.ts";
import { button, buttonLink, fieldsOf, form, hasErrors, messages } from "./form.ts";
import { html, linkUrl } from "./html.ts";
import { textsFor } from "./i18n.ts";
import { renderDocument } from "./layout.ts";

/** The password was forgotten: a code to the mailbox opens the way to a new password. */
export function renderRecoverPage(view: RecoverView): string {
  const texts = textsFor(view.language);
  const signIn = linkUrl(view.signInUrl);
  const title = texts.t("recover.title");
  return renderDocument(view, {
    title,
    hasErrors: hasErrors(view.errors),
    body: html`<h1>${title}</h1>
<p class="lead">${texts.t("recover.lead")}</p>
${messages(view)}
${form(
  view,
  html`${fieldsOf(view).field({
    name: "identifier",
    label: "field.usernameEmailOrPhone",
    value: view.values.identifier,
    autocomplete: "username",
    enterkeyhint: "go",
    maxlength: 320,
    verbatim: true,
    required: true,
    readonly: view.fixed,
  })}
${button(texts, "recover.submit", { name: "step", value: "start-recovery", busy: "code.sending" })}`,
)}
${signIn && html`<p class="below"><a href="${signIn}">${texts.t("recover.back")}</a></p>`}`,
  });
}

/** Ten codes for the day on which everything else is lost; never shown again. */
export function renderRecoveryCodesPage(view: RecoveryCodesView): string {
  const texts = textsFor(view.language);
  // Codes are letters, digits and hyphens, but the name of an account may be anything.
  const file = [view.tenant.name, view.account, "", ...view.codes, ""].join("\r\n");
  return renderDocument(view, {
    title: texts.t("recoveryCodes.title"),
    body: html`<h1>${texts.t("recoveryCodes.title")}</h1>
<p class="lead">${texts.t("recoveryCodes.lead")}</p>
<ol class="codes">${view.codes.map((code) => html`<li><code>${code}</code></li>`)}</ol>
<div class="tools">
<a class="button quiet small" download="recovery-codes.txt" href="data:text/plain;charset=utf-8,${encodeURIComponent(file)}">${texts.t("recoveryCodes.download")}</a>
<button type="button" class="button quiet small" hidden data-copy="${view.codes.join("\n")}" data-done="${texts.t("recoveryCodes.copied")}">${texts.t("recoveryCodes.copy")}</button>
<button type="button" class="button quiet small" hidden data-print>${texts.t("recoveryCodes.print")}</button>
</div>
<div class="actions">${buttonLink(texts, view.nextUrl, "recoveryCodes.done")}</div>`,
  });
}
