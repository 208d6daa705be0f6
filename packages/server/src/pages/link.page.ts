import { otherWays, sendAgain, sentTo } from "./code-field.ts";
import type { LinkOpenedView, LinkSentView } from "./factor-views.ts";
import { button, buttonLink, form, hasErrors, messages } from "./form.ts";
import { html } from "./html.ts";
import { textsFor } from "./i18n.ts";
import { nameOf, renderDocument } from "./layout.ts";

/** A link was sent; it works in this browser only. */
export function renderLinkSentPage(view: LinkSentView): string {
  const texts = textsFor(view.language);
  return renderDocument(view, {
    title: texts.t("code.checkEmail"),
    hasErrors: hasErrors(view.errors),
    body: html`<h1>${texts.t("code.checkEmail")}</h1>
<p class="lead">${sentTo(texts, view.sent)}</p>
<p class="lead">${texts.t("link.sameBrowser")}</p>
${messages(view)}
${form(view, sendAgain(texts, view.sent, "send-link", "link.resend"))}
${otherWays(texts, view.otherWays)}`,
  });
}

/**
 * A link from a mail was opened. Opening does nothing yet, because programs open links too; a press of the button does.
 * In any browser but the one that asked there is no button.
 */
export function renderLinkOpenedPage(view: LinkOpenedView): string {
  const texts = textsFor(view.language);
  const { application, secret } = view;
  const title = texts.t(secret === undefined ? "link.elsewhere" : "link.here");
  return renderDocument(view, {
    title,
    hasErrors: hasErrors(view.errors),
    body: html`<h1>${title}</h1>
<p class="lead">${
      secret === undefined
        ? texts.t("link.elsewhereText")
        : application
          ? texts.rich("signIn.toApplication", { application: nameOf(application.name) })
          : texts.t("signIn.toAccount")
    }</p>
${messages(view)}
${secret === undefined && html`<div class="actions">${buttonLink(texts, view.signInUrl, "signIn.here", true)}</div>`}
${
  secret !== undefined &&
  form(view, button(texts, "signIn.submit", { name: "step", value: "open-link", busy: "signIn.busy" }), {
    secret,
  })
}`,
  });
}
