import { button, buttonLink, form, hasErrors, messages } from "./form.ts";
import { html, linkUrl } from "./html.ts";
import { textsFor } from "./i18n.ts";
import { nameOf, renderDocument } from "./layout.ts";
import type { SignedOutView, SignOutView } from "./views.ts";

/** Asks before signing out, since a link from anywhere may lead here (OpenID Connect RP-Initiated Logout §2). */
export function renderSignOutPage(view: SignOutView): string {
  const texts = textsFor(view.language);
  const title = texts.t("signOut.title");
  return renderDocument(view, {
    title,
    hasErrors: hasErrors(view.errors),
    body: html`<h1>${title}</h1>
<p class="lead">${view.userName && texts.rich("signOut.as", { user: nameOf(view.userName) })} ${
      view.application &&
      texts.rich("signOut.fromApplication", { application: nameOf(view.application.name) })
    }</p>
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
  return renderDocument(view, {
    title,
    body: html`<h1>${title}</h1>
<p class="lead">${texts.t("signedOut.text")}</p>
<div class="actions">${
      back &&
      html`<p><a href="${back}">${
        view.application
          ? texts.rich("signedOut.toApplication", { application: nameOf(view.application.name) })
          : texts.t("signedOut.back")
      }</a></p>`
    }
${buttonLink(texts, view.signInUrl, "signedOut.signIn")}</div>`,
  });
}
