import { backToAccount } from "./account-home.page.ts";
import { codeField, otherWays, sendAgain, sentTo } from "./code-field.ts";
import type { CodeView } from "./factor-views.ts";
import { button, fieldsOf, form, hasErrors, messages } from "./form.ts";
import { html } from "./html.ts";
import { type MessageKey, textsFor } from "./i18n.ts";
import { renderDocument } from "./layout.ts";

const SUBMIT: Record<CodeView["purpose"], readonly [label: MessageKey, busy: MessageKey]> = {
  "sign-in": ["signIn.submit", "signIn.busy"],
  recovery: ["code.continue", "form.busy"],
  verify: ["code.confirm", "form.busy"],
  confirm: ["code.confirm", "form.busy"],
};

const ELSEWHERE = {
  email: "code.toEmail",
  backup_email: "code.toBackupEmail",
  sms: "code.toPhone",
} as const;

/** A code was sent; the person types it. */
export function renderCodePage(view: CodeView): string {
  const texts = textsFor(view.language);
  const title = texts.t(view.sent.channel === "email" ? "code.checkEmail" : "code.checkPhone");
  const [submit, busy] = SUBMIT[view.purpose];
  return renderDocument(view, {
    title,
    hasErrors: hasErrors(view.errors),
    body: html`${view.links && backToAccount(texts, view.links, "contact")}
<h1>${title}</h1>
<p class="lead">${sentTo(texts, view.sent)}</p>
<p class="lead">${texts.t("code.type")}</p>
${messages(view)}
${form(
  view,
  html`${codeField(fieldsOf(view))}
${button(texts, submit, { name: "step", value: "give-code", busy })}
${sendAgain(texts, view.sent, view.resendStep ?? "send-code", "code.resend")}
${view.cancelStep !== undefined && button(texts, "change.cancel", { name: "step", value: view.cancelStep, quiet: true, novalidate: true })}
${view.elsewhere?.map(({ step, way }) => button(texts, ELSEWHERE[way], { name: "step", value: step, quiet: true, novalidate: true, busy: "code.sending" }))}`,
)}
${otherWays(texts, view.otherWays)}`,
  });
}
