import { backToAccount } from "./account-home.page.ts";
import { button, type FieldOptions, fieldsOf, form, hasErrors, messages } from "./form.ts";
import { html, linkUrl, type SafeHtml } from "./html.ts";
import { type MessageKey, type Texts, textsFor } from "./i18n.ts";
import { renderDocument } from "./layout.ts";
import type { AccountContactView, ChangeIdentifierView, IdentifierKind } from "./security-views.ts";

const LABELS: Record<IdentifierKind, MessageKey> = {
  email: "field.email",
  phone: "field.phone",
  username: "field.username",
  backup_email: "field.backupEmail",
};

type Entry = AccountContactView["entries"][number];

/** A change that was begun, and can go on where it stands. */
function waiting(texts: Texts, { value, url }: NonNullable<Entry["pending"]>, label: string): SafeHtml {
  const what =
    value === undefined
      ? html`${texts.t("contact.waitsRemoval")}`
      : texts.rich("contact.waits", { value: html`<bdi class="name">${value}</bdi>` });
  return html`<p class="detail">${what} <a href="${linkUrl(url) ?? ""}" aria-label="${texts.t("contact.goOnNamed", { name: label })}">${texts.t("contact.goOn")}</a></p>`;
}

/** What the person signs in with, and where codes may go. Posts `verify` = kind. */
export function renderAccountContactPage(view: AccountContactView): string {
  const texts = textsFor(view.language);
  const item = ({ kind, value, verified, changeUrl, pending }: Entry): SafeHtml => {
    const label = texts.t(LABELS[kind]);
    const change = linkUrl(changeUrl);
    return html`<li><div><h2>${label}</h2>
<p class="detail">${value === undefined ? texts.t("contact.none") : html`<bdi>${value}</bdi>`}</p>
${value !== undefined && verified !== undefined && html`<p class="badge${!verified && " open"}">${texts.t(verified ? "contact.verified" : "contact.unverified")}</p>`}
${pending && waiting(texts, pending, label)}
${change && html`<p class="detail"><a href="${change}" aria-label="${texts.t(value === undefined ? "contact.addNamed" : "contact.changeNamed", { name: label })}">${texts.t(value === undefined ? "contact.add" : "contact.change")}</a></p>`}
</div>${
      value !== undefined &&
      verified === false &&
      form(
        view,
        html`<button type="submit" class="button quiet small" name="verify" value="${kind}" data-busy="${texts.t("code.sending")}" aria-label="${texts.t("contact.verifyNamed", { name: label })}">${texts.t("contact.verify")}</button>`,
      )
    }</li>`;
  };
  return renderDocument(view, {
    title: texts.t("account.contact"),
    hasErrors: hasErrors(view.errors),
    body: html`${backToAccount(texts, view.links)}
<h1>${texts.t("account.contact")}</h1>
<p class="lead">${texts.t("contact.lead")}</p>
${messages(view)}
<ul class="sessions">${view.entries.map(item)}</ul>`,
  });
}

const FIELDS: Record<
  IdentifierKind,
  Omit<FieldOptions, "name" | "label"> & { label: MessageKey; title: MessageKey; lead: MessageKey }
> = {
  email: {
    title: "change.email",
    lead: "change.emailLead",
    label: "field.newEmail",
    type: "email",
    autocomplete: "email",
    inputmode: "email",
    maxlength: 254,
  },
  phone: {
    title: "change.phone",
    lead: "change.phoneLead",
    label: "field.newPhone",
    type: "tel",
    autocomplete: "tel",
    inputmode: "tel",
    maxlength: 32,
  },
  username: {
    title: "change.username",
    lead: "change.usernameLead",
    label: "field.newUsername",
    autocomplete: "username",
    maxlength: 128,
    verbatim: true,
  },
  backup_email: {
    title: "change.backupEmail",
    lead: "change.backupEmailLead",
    label: "field.newBackupEmail",
    type: "email",
    autocomplete: "off",
    inputmode: "email",
    maxlength: 254,
  },
};

/** A new identifier; codes to the old and to the new one confirm it afterwards. */
export function renderChangeIdentifierPage(view: ChangeIdentifierView): string {
  const texts = textsFor(view.language);
  const { title, lead, ...options } = FIELDS[view.kind];
  return renderDocument(view, {
    title: texts.t(title),
    hasErrors: hasErrors(view.errors),
    body: html`${backToAccount(texts, view.links, "contact")}
<h1>${texts.t(title)}</h1>
<p class="lead">${texts.t(lead)}</p>
${view.current !== undefined && html`<p class="lead">${texts.rich("change.current", { value: html`<bdi class="name">${view.current}</bdi>` })}</p>`}
${messages(view)}
${form(
  view,
  html`${fieldsOf(view).field({ ...options, name: "value", value: view.value, enterkeyhint: "done", required: true })}
${view.kind === "username" ? button(texts, "change.usernameSubmit", { busy: "form.saving" }) : button(texts, "change.submit", { name: "step", value: "begin", busy: "code.sending" })}
${view.removable && button(texts, "change.remove", { name: "remove", value: "1", quiet: true, novalidate: true })}`,
  { kind: view.kind },
)}`,
  });
}
