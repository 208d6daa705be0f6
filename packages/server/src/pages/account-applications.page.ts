import { backToAccount } from "./account-home.page.ts";
import { form, hasErrors, messages } from "./form.ts";
import { html, type SafeHtml } from "./html.ts";
import { type Texts, textsFor } from "./i18n.ts";
import { renderDocument } from "./layout.ts";
import { scopeList } from "./scopes.ts";
import type { AccountApplicationsView, AllowedApplication } from "./views.ts";

function item(view: AccountApplicationsView, texts: Texts, application: AllowedApplication): SafeHtml {
  const { id, name, scopes, since } = application;
  const when = html`<time datetime="${since.toISOString()}" title="${texts.dateTime(since, view.timeZone)}">${texts.date(since, view.timeZone)}</time>`;
  return html`<li><div><h2><bdi>${name}</bdi></h2>
<p class="detail">${texts.rich("applications.since", { when })}</p>
${scopeList(texts, scopes)}</div>
${form(
  view,
  html`<button type="submit" class="button quiet small" name="application" value="${id}" data-busy="${texts.t("form.busy")}" aria-label="${texts.t("applications.revokeNamed", { name })}">${texts.t("applications.revoke")}</button>`,
)}</li>`;
}

/** What the person has allowed applications. Posts `application` = id of the one from which it is taken back. */
export function renderAccountApplicationsPage(view: AccountApplicationsView): string {
  const texts = textsFor(view.language);
  const none = view.applications.length === 0;
  return renderDocument(view, {
    title: texts.t("account.applications"),
    hasErrors: hasErrors(view.errors),
    body: html`${backToAccount(texts, view.links)}
<h1>${texts.t("account.applications")}</h1>
<p class="lead">${texts.t(none ? "applications.none" : "applications.lead")}</p>
${messages(view)}
${!none && html`<ul class="sessions">${view.applications.map((one) => item(view, texts, one))}</ul>`}`,
  });
}
