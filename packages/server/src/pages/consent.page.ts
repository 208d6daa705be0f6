import { button, form, hasErrors, messages } from "./form.ts";
import { html } from "./html.ts";
import { textsFor } from "./i18n.ts";
import { logo, nameOf, renderDocument } from "./layout.ts";
import { scopeList } from "./scopes.ts";
import type { ConsentView } from "./views.ts";

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
${scopeList(texts, view.scopes)}
${form(
  view,
  html`${button(texts, "consent.allow", { name: "decision", value: "allow" })}
${button(texts, "consent.deny", { name: "decision", value: "deny", quiet: true })}`,
)}
${view.returnHost && html`<p class="below">${texts.rich("consent.return", { host: nameOf(view.returnHost) })}</p>`}`,
  });
}
