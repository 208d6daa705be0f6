import { button, buttonLink, form, hasErrors, messages } from "./form.ts";
import { html, linkUrl } from "./html.ts";
import { textsFor } from "./i18n.ts";
import { nameOf, renderDocument } from "./layout.ts";
import type { SignedOutView, SignOutView } from "./views.ts";

/** Asks before signing out, since a link from anywhere may lead here (OpenID Connect RP-Initiated Logout §2). */
export function renderSignOutPage(view: SignOutView): string {
  const texts = textsFor(view.language);
  const title = texts.t("signOut.title");
  const asker =
    view.application && texts.rich("signOut.fromApplication", { application: nameOf(view.application.name) });
  const user = view.userName && texts.rich("signOut.as", { user: nameOf(view.userName) });
  return renderDocument(view, {
    title,
    hasErrors: hasErrors(view.errors),
    body: html`<h1>${title}</h1>
${asker && html`<p class="lead">${asker}</p>`}
${user && html`<p class="lead">${user}</p>`}
${messages(view)}
${form(
  view,
  html`${button(texts, "signOut.submit", { busy: "signOut.busy" })}
${buttonLink(texts, view.stayUrl, "signOut.stay", true)}`,
  view.keep,
)}`,
  });
}

/** Nobody is signed in any more. */
export function renderSignedOutPage(view: SignedOutView): string {
  const texts = textsFor(view.language);
  const title = texts.t("signedOut.title");
  const back = linkUrl(view.continueUrl);
  const where = view.application
    ? texts.rich("signedOut.toApplication", { application: nameOf(view.application.name) })
    : texts.t("signedOut.back");
  return renderDocument(view, {
    title,
    body: html`<h1>${title}</h1>
<p class="lead">${texts.t("signedOut.text")}</p>
<div class="actions">${back && html`<a class="button" href="${back}"><span>${where}</span></a>`}
${buttonLink(texts, view.signInUrl, "signedOut.signIn", back !== null)}</div>`,
  });
}
