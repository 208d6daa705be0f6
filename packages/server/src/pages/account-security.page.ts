import { backToAccount } from "./account-home.page.ts";
import { button, fieldsOf, form, hasErrors, messages } from "./form.ts";
import { html, type SafeHtml } from "./html.ts";
import { type MessageKey, type Texts, textsFor } from "./i18n.ts";
import { nameOf, renderDocument } from "./layout.ts";
import type {
  AccountFactor,
  AccountSecurityView,
  ConfirmView,
  LinkedAccount,
  RememberedDevice,
  RenameFactorView,
} from "./security-views.ts";

type Kind = "passkey" | "totp";

function time(texts: Texts, moment: Date, words: string, timeZone: string | undefined): SafeHtml {
  return html`<time datetime="${moment.toISOString()}" title="${texts.dateTime(moment, timeZone)}">${words}</time>`;
}

function factorItem(view: AccountSecurityView, texts: Texts, factor: AccountFactor): SafeHtml {
  const { now, timeZone, links } = view;
  const { id, name, createdAt, lastUsedAt } = factor;
  const page = (path: string): string => `${links.security}/${path}?factor=${id}`;
  return html`<li><div>
<h3><bdi>${name}</bdi></h3>
<p class="detail">${texts.rich("security.added", { when: time(texts, createdAt, texts.date(createdAt, timeZone), timeZone) })}${
    lastUsedAt &&
    html` · ${texts.rich("security.used", { when: time(texts, lastUsedAt, texts.ago(lastUsedAt, now), timeZone) })}`
  }</p>
<p class="detail"><a href="${page("rename")}" aria-label="${texts.t("security.renameNamed", { name })}">${texts.t("security.rename")}</a> · <a href="${page("remove")}" aria-label="${texts.t("security.removeNamed", { name })}">${texts.t("security.remove")}</a></p>
</div></li>`;
}

function factors(
  view: AccountSecurityView,
  kind: Kind,
  items: readonly AccountFactor[],
  words: { title: MessageKey; none: MessageKey; add: MessageKey },
): SafeHtml {
  const texts = textsFor(view.language);
  return html`<section><h2>${texts.t(words.title)}</h2>
${
  items.length === 0
    ? html`<p class="detail">${texts.t(words.none)}</p>`
    : html`<ul class="sessions">${items.map((item) => factorItem(view, texts, item))}</ul>`
}
<p><a class="button quiet small" href="${view.links.security}/${kind}">${texts.t(words.add)}</a></p></section>`;
}

function recoveryCodes({ language, links, recoveryCodes: count }: AccountSecurityView): SafeHtml {
  const texts = textsFor(language);
  return html`<section><h2>${texts.t("security.recoveryCodes")}</h2>
<p class="detail">${count === 0 ? texts.t("security.noRecoveryCodes") : texts.t("security.recoveryCodesLeft", { count })}</p>
<p><a class="button quiet small" href="${links.security}/recovery-codes">${texts.t("security.makeRecoveryCodes")}</a></p></section>`;
}

function itemWithButton(
  view: AccountSecurityView,
  texts: Texts,
  item: { name: string; details: SafeHtml },
  action: { field: string; value: string; label: MessageKey; named: MessageKey },
): SafeHtml {
  return html`<li><div><h3><bdi>${item.name}</bdi></h3><p class="detail">${item.details}</p></div>
${form(
  view,
  html`<button type="submit" class="button quiet small" name="${action.field}" value="${action.value}" data-busy="${texts.t("form.busy")}" aria-label="${texts.t(action.named, { name: item.name })}">${texts.t(action.label)}</button>`,
)}</li>`;
}

function devices(view: AccountSecurityView, texts: Texts): SafeHtml {
  const item = ({ id, name, ip, lastSeenAt, until }: RememberedDevice): SafeHtml =>
    itemWithButton(
      view,
      texts,
      {
        name,
        details: html`${ip && html`<bdi>${ip}</bdi> · `}${texts.rich("security.used", {
          when: time(texts, lastSeenAt, texts.ago(lastSeenAt, view.now), view.timeZone),
        })} · ${texts.rich("security.until", { when: time(texts, until, texts.date(until, view.timeZone), view.timeZone) })}`,
      },
      { field: "forget", value: id, label: "security.forget", named: "security.forgetNamed" },
    );
  return html`<section><h2>${texts.t("security.devices")}</h2>
<p class="detail">${texts.t("security.devicesDetail")}</p>
<ul class="sessions">${view.devices.map(item)}</ul>
${
  view.devices.length > 1 &&
  form(view, button(texts, "security.forgetAll", { name: "forget", value: "all", quiet: true }))
}</section>`;
}

function linkedAccounts(view: AccountSecurityView, texts: Texts): SafeHtml {
  const item = ({ id, provider, name, linkedAt }: LinkedAccount): SafeHtml =>
    itemWithButton(
      { ...view, action: `${view.links.security}/unlink` },
      texts,
      {
        name: provider === "feishu" ? texts.t("provider.feishu") : provider,
        details: html`${name && html`<bdi>${name}</bdi> · `}${texts.rich("security.linkedSince", {
          when: time(texts, linkedAt, texts.date(linkedAt, view.timeZone), view.timeZone),
        })}`,
      },
      { field: "identity", value: id, label: "security.unlink", named: "security.unlinkNamed" },
    );
  return html`<section><h2>${texts.t("security.linked")}</h2>
${
  view.linked.length === 0
    ? html`<p class="detail">${texts.t("security.noLinked")}</p>`
    : html`<ul class="sessions">${view.linked.map(item)}</ul>`
}
<p><a class="button quiet small" href="${view.links.security}/link">${texts.t("link.open")}</a></p>
${view.linked.length > 0 && html`<p><a class="button quiet small" href="${view.links.security}/move">${texts.t("move.open")}</a></p>`}</section>`;
}

/** How this account is protected: everything with which one can sign in, and what may skip the second factor. */
export function renderAccountSecurityPage(view: AccountSecurityView): string {
  const texts = textsFor(view.language);
  return renderDocument(view, {
    title: texts.t("account.security"),
    hasErrors: hasErrors(view.errors),
    body: html`${backToAccount(texts, view.links)}
<h1>${texts.t("account.security")}</h1>
<p class="lead">${texts.t("security.lead")}</p>
${messages(view)}
<div class="sections">
${factors(view, "passkey", view.passkeys, { title: "security.passkeys", none: "security.noPasskeys", add: "security.addPasskey" })}
${factors(view, "totp", view.authenticators, { title: "security.totp", none: "security.noTotp", add: "security.addTotp" })}
${recoveryCodes(view)}
${view.devices.length > 0 && devices(view, texts)}
${linkedAccounts(view, texts)}
</div>`,
  });
}

/** Another name for a passkey or an app. */
export function renderRenameFactorPage(view: RenameFactorView): string {
  const texts = textsFor(view.language);
  const { field } = fieldsOf(view, { optional: true });
  return renderDocument(view, {
    title: texts.t("rename.title"),
    hasErrors: hasErrors(view.errors),
    body: html`${backToAccount(texts, view.links, "security")}
<h1>${texts.t("rename.title")}</h1>
${messages(view)}
${form(
  view,
  html`${field({ name: "name", label: "field.passkeyName", value: view.name, autocomplete: "off", enterkeyhint: "done", maxlength: 64, required: true })}
${button(texts, "rename.submit", { busy: "form.saving" })}`,
)}`,
  });
}

const QUESTIONS: Record<
  ConfirmView["question"],
  { title: MessageKey; text: MessageKey; submit: MessageKey; cancel: MessageKey }
> = {
  removePasskey: {
    title: "remove.title",
    text: "remove.passkeyText",
    submit: "remove.submit",
    cancel: "remove.cancel",
  },
  removeTotp: {
    title: "remove.title",
    text: "remove.totpText",
    submit: "remove.submit",
    cancel: "remove.cancel",
  },
  moveLinked: {
    title: "move.title",
    text: "move.text",
    submit: "move.submit",
    cancel: "move.cancel",
  },
  recoveryCodes: {
    title: "makeRecoveryCodes.title",
    text: "makeRecoveryCodes.text",
    submit: "makeRecoveryCodes.submit",
    cancel: "makeRecoveryCodes.cancel",
  },
};

/** A question before something that cannot be taken back. */
export function renderConfirmPage(view: ConfirmView): string {
  const texts = textsFor(view.language);
  const { title, text, submit, cancel } = QUESTIONS[view.question];
  const heading =
    view.name === undefined ? html`${texts.t(title)}` : texts.rich(title, { name: nameOf(view.name) });
  return renderDocument(view, {
    title: texts.t(title, { name: view.name ?? "" }),
    hasErrors: hasErrors(view.errors),
    body: html`${backToAccount(texts, view.links, "security")}
<h1>${heading}</h1>
<p class="lead">${texts.t(text)}</p>
${messages(view)}
${form(
  view,
  html`${button(texts, submit)}
<a class="button quiet" href="${view.links.security}">${texts.t(cancel)}</a>`,
)}`,
  });
}
