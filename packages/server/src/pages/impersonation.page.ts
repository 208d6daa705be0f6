import { button, form, messages } from "./form.ts";
import { html, linkUrl } from "./html.ts";
import { textsFor } from "./i18n.ts";
import { nameOf, renderDocument } from "./layout.ts";
import type { ImpersonateView } from "./security-views.ts";

/** An administrator is about to act as somebody else. Posts `token`. */
export function renderImpersonatePage(view: ImpersonateView): string {
  const texts = textsFor(view.language);
  const { userName, reason, cancelUrl, token } = view;
  return renderDocument(view, {
    title: texts.t("impersonate.title", { user: userName }),
    body: html`<h1>${texts.rich("impersonate.title", { user: nameOf(userName) })}</h1>
<p class="lead">${texts.t("impersonate.text")}</p>
<p class="lead">${texts.rich("impersonation.reason", { reason: html`<bdi>${reason}</bdi>` })}</p>
${messages(view)}
${form(
  view,
  html`${button(texts, "impersonate.submit")}
<a class="button quiet" href="${linkUrl(cancelUrl) ?? ""}">${texts.t("impersonate.cancel")}</a>`,
  { token },
)}`,
  });
}
