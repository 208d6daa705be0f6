import { button, hiddenInputs } from "./form.ts";
import { html, linkUrl } from "./html.ts";
import { textsFor } from "./i18n.ts";
import { renderDocument } from "./layout.ts";
import type { FormPostView } from "./views.ts";

/**
 * Hands the answer of an authorization to the application by a form that sends itself; without script, by a button.
 * The caller adds the origin of `redirectUri` to `form-action`, and forbids caching.
 *
 * @see https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html#FormPostResponseMode
 */
export function renderFormPostPage(view: FormPostView): string {
  const texts = textsFor(view.language);
  return renderDocument(view, {
    title: texts.t("formPost.title"),
    body: html`<h1>${texts.t("formPost.title")}</h1>
<p class="lead">${texts.t("formPost.text")}</p>
<form method="post" action="${linkUrl(view.redirectUri) ?? ""}" data-auto>
${hiddenInputs(view.parameters)}<noscript>${button(texts, "formPost.submit")}</noscript>
</form>
<script nonce="${view.nonce}">HTMLFormElement.prototype.submit.call(document.querySelector("form[data-auto]"))</script>`,
  });
}
