import { codeField, otherWays, recoveryCodeField, rememberBox, sendAgain, sentTo } from "./code-field.ts";
import type { SecondFactor, SecondFactorView } from "./factor-views.ts";
import { button, fieldsOf, form, hasErrors, messages } from "./form.ts";
import { html, type SafeHtml } from "./html.ts";
import { type MessageKey, textsFor } from "./i18n.ts";
import { renderDocument } from "./layout.ts";
import { passkeyForm } from "./passkey-form.ts";

const TITLES: Record<SecondFactor, readonly [title: MessageKey, lead: MessageKey]> = {
  totp: ["secondFactor.totp", "secondFactor.totpLead"],
  passkey: ["secondFactor.passkey", "secondFactor.passkeyLead"],
  email_code: ["secondFactor.send", "secondFactor.emailLead"],
  sms_code: ["secondFactor.send", "secondFactor.smsLead"],
  recovery_code: ["secondFactor.recoveryCode", "secondFactor.recoveryCodeLead"],
};

const STEPS = {
  totp: "give-totp",
  email_code: "give-code",
  sms_code: "give-code",
  recovery_code: "give-recovery-code",
} as const;

function question(view: SecondFactorView): SafeHtml {
  const texts = textsFor(view.language);
  const { factor, sent } = view;
  const remember = rememberBox(texts, view.rememberDays);
  if (factor === "passkey") {
    return passkeyForm(view, {
      ceremony: "get",
      options: view.passkey ?? {},
      label: "secondFactor.usePasskey",
      keep: { step: "use-passkey", method: factor },
      fields: remember,
    });
  }
  const keep = { method: factor };
  const mails = factor === "email_code" || factor === "sms_code";
  if (mails && !sent) {
    return form(
      view,
      button(texts, "secondFactor.sendCode", {
        name: "step",
        value: factor === "sms_code" ? "send-code sms" : "send-code email",
        busy: "code.sending",
      }),
      keep,
    );
  }
  const fields = fieldsOf(view);
  return form(
    view,
    html`${factor === "recovery_code" ? recoveryCodeField(fields) : codeField(fields)}
${remember}
${button(texts, "signIn.submit", { name: "step", value: STEPS[factor], busy: "signIn.busy" })}
${mails && sent && sendAgain(texts, sent, `send-code ${sent.channel}`, "code.resend")}`,
    keep,
  );
}

/** The second proof of a sign-in, one way at a time. */
export function renderSecondFactorPage(view: SecondFactorView): string {
  const texts = textsFor(view.language);
  const [titleKey, lead] = TITLES[view.factor];
  const { sent } = view;
  const title = sent
    ? texts.t(sent.channel === "email" ? "code.checkEmail" : "code.checkPhone")
    : texts.t(titleKey);
  return renderDocument(view, {
    title,
    hasErrors: hasErrors(view.errors),
    body: html`<h1>${title}</h1>
<p class="lead">${sent ? sentTo(texts, sent) : texts.t(lead)}</p>
${sent && html`<p class="lead">${texts.t("code.type")}</p>`}
${messages(view)}
${question(view)}
${otherWays(texts, view.otherWays)}`,
  });
}
