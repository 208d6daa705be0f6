import { button, form, hasErrors, messages } from "./form.ts";
import { html, type SafeHtml } from "./html.ts";
import { type MessageKey, type Texts, textsFor } from "./i18n.ts";
import { logo, nameOf, renderDocument } from "./layout.ts";
import type { ConsentView } from "./views.ts";

/** The scopes of OpenID Connect Core §5.4 and §11, and our own, in words. */
const SCOPES: Record<string, MessageKey> = {
  openid: "scope.openid",
  profile: "scope.profile",
  email: "scope.email",
  address: "scope.address",
  phone: "scope.phone",
  offline_access: "scope.offlineAccess",
  roles: "scope.roles",
  account: "scope.account",
  manage: "scope.manage",
};

function scopeLine(texts: Texts, scope: ConsentView["scopes"][number]): SafeHtml {
  const key = Object.hasOwn(SCOPES, scope.name) ? SCOPES[scope.name] : undefined;
  if (scope.description) return html`<li><bdi>${scope.description}</bdi></li>`;
  return key ? html`<li>${texts.t(key)}</li>` : html`<li><code>${scope.name}</code></li>`;
}

/** May this application have what it asks for? Posts `decision` = `allow` | `deny`. */
export function renderConsentPage(view: ConsentView): string {
  const texts = textsFor(view.language);
  const { application } = view;
  const title = texts.t("consent.title", { application: application.name });
  return renderDocument(view, {
    title,
    hasErrors: hasErrors(view.errors),
    body: html`<div class="asker">${logo(application)}</div>
<h1>${texts.rich("consent.title", { application: nameOf(application.name) })}</h1>
<p class="lead">${texts.rich("consent.as", { user: nameOf(view.userName) })}</p>
${messages(view)}
<h2>${texts.t("consent.scopes")}</h2>
<ul class="scopes">${view.scopes.map((scope) => scopeLine(texts, scope))}</ul>
${form(
  view,
  html`${button(texts, "consent.allow", { name: "decision", value: "allow" })}
${button(texts, "consent.deny", { name: "decision", value: "deny", quiet: true })}`,
)}
${view.returnHost && html`<p class="below">${texts.rich("consent.return", { host: nameOf(view.returnHost) })}</p>`}`,
  });
}
