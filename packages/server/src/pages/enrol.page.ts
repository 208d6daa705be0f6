import { qrCode } from "../kernel/qr-code.ts";
import { backToAccount } from "./account-home.page.ts";
import { codeField } from "./code-field.ts";
import type { EnrolChoiceView, NewPasskeyView, TotpView } from "./factor-views.ts";
import { button, fieldsOf, form, hasErrors, messages } from "./form.ts";
import { html, linkUrl, raw, type SafeHtml } from "./html.ts";
import { type MessageKey, textsFor } from "./i18n.ts";
import { renderDocument } from "./layout.ts";
import { passkeyForm } from "./passkey-form.ts";
import type { PageView } from "./views.ts";

const CHOICES: Record<"totp" | "passkey", readonly [title: MessageKey, detail: MessageKey]> = {
  passkey: ["enrol.passkey", "enrol.passkeyDetail"],
  totp: ["enrol.totp", "enrol.totpDetail"],
};

/** The sign-in goes on only with a second factor, and there is none yet. */
export function renderEnrolChoicePage(view: EnrolChoiceView): string {
  const texts = textsFor(view.language);
  const row = ({ factor, url }: EnrolChoiceView["ways"][number]): SafeHtml => {
    const [title, detail] = CHOICES[factor];
    return html`<li><a href="${linkUrl(url) ?? ""}"><span class="title">${texts.t(title)}</span> <span class="detail">${texts.t(detail)}</span></a></li>`;
  };
  return renderDocument(view, {
    title: texts.t("enrol.title"),
    body: html`<h1>${texts.t("enrol.title")}</h1>
<p class="lead">${texts.t("enrol.lead")}</p>
${messages(view)}
<nav aria-label="${texts.t("enrol.title")}"><ul class="rows">${view.ways.map(row)}</ul></nav>`,
  });
}

/** The way back to where one came from. */
function back(view: PageView & Pick<TotpView, "links" | "choiceUrl">): SafeHtml {
  const texts = textsFor(view.language);
  const choice = linkUrl(view.choiceUrl);
  if (view.links) return backToAccount(texts, view.links, "security");
  return html`${choice && html`<nav class="back" aria-label="${texts.t("account.breadcrumb")}"><a href="${choice}">${texts.t("enrol.other")}</a></nav>`}`;
}

/** The key in groups of four, as it is easiest to type. */
function keyOf(uri: string): string {
  const secret = /[?&]secret=([A-Z2-7]+)/.exec(uri)?.[1] ?? "";
  return secret.replace(/(.{4})(?=.)/g, "$1 ");
}

/** An authenticator app is set up: scan or type the key, then prove it with the first code. */
export function renderTotpPage(view: TotpView): string {
  const texts = textsFor(view.language);
  return renderDocument(view, {
    title: texts.t("totp.title"),
    hasErrors: hasErrors(view.errors),
    body: html`${back(view)}
<h1>${texts.t("totp.title")}</h1>
${messages(view)}
<ol class="steps">
<li>${texts.t("totp.scan")}
<div class="qr" role="img" aria-label="${texts.t("totp.qr")}">${raw(qrCode(view.uri))}</div>
<details><summary>${texts.t("totp.cannotScan")}</summary>
<p class="detail">${texts.t("totp.type")}</p><p><code class="key">${keyOf(view.uri)}</code></p>
<p><a href="${/^otpauth:/.test(view.uri) ? view.uri : ""}">${texts.t("totp.open")}</a></p></details></li>
<li>${texts.t("totp.enter")}
${form(
  view,
  html`${codeField(fieldsOf(view, { optional: true }))}
${button(texts, "totp.submit", { name: "step", value: "enrol-totp", busy: "form.saving" })}`,
  { method: "totp", id: view.id, uri: view.uri },
)}</li>
</ol>`,
  });
}

/** A passkey is made on this device, or on one that the browser reaches. */
export function renderNewPasskeyPage(view: NewPasskeyView): string {
  const texts = textsFor(view.language);
  const { field } = fieldsOf(view, { optional: true });
  return renderDocument(view, {
    title: texts.t("newPasskey.title"),
    hasErrors: hasErrors(view.errors),
    body: html`${back(view)}
<h1>${texts.t("newPasskey.title")}</h1>
<p class="lead">${texts.t("newPasskey.lead")}</p>
${messages(view)}
${passkeyForm(view, {
  ceremony: "create",
  options: view.passkey,
  label: "newPasskey.submit",
  keep: { ...view.keep, step: "enrol-passkey" },
  fields: field({
    name: "name",
    label: "field.passkeyName",
    value: view.name,
    autocomplete: "off",
    enterkeyhint: "go",
    maxlength: 64,
    required: true,
    help: "newPasskey.nameHelp",
  }),
})}`,
  });
}
