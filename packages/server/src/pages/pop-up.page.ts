import { buttonLink } from "./form.ts";
import { html, linkUrl, raw } from "./html.ts";
import { textsFor } from "./i18n.ts";
import { renderDocument } from "./layout.ts";
import type { PopUpView } from "./views.ts";

/** Both pages are of this server, so they can tell each other that somebody is signed in. Nothing secret is told. */
const CHANNEL = '"BroadcastChannel" in window && new BroadcastChannel("ostiary-pop-up")';

/** The page that asks for a sign-in in a window of its own, and the page that ends that window. */
export function renderPopUpPage(view: PopUpView): string {
  return view.popUp.kind === "ask" ? renderAsk(view, view.popUp) : renderDone(view);
}

function renderAsk(
  view: PopUpView,
  urls: { signInUrl: string; directUrl: string; againUrl: string },
): string {
  const texts = textsFor(view.language);
  const title = texts.t("popUp.askTitle");
  // A page that is in no frame needs no other window.
  const script = `const channel = ${CHANNEL};
if (channel) channel.onmessage = () => location.reload();
if (window.top === window) {
  const link = document.querySelector("a.button");
  link.removeAttribute("target");
  link.href = link.dataset.direct;
}`;
  return renderDocument(view, {
    title,
    body: html`<h1>${title}</h1>
<p class="lead">${texts.t("popUp.askText")}</p>
<div class="actions"><a class="button" target="ostiary-sign-in" href="${linkUrl(urls.signInUrl) ?? ""}" data-direct="${linkUrl(urls.directUrl) ?? ""}"><span>${texts.t(
      "popUp.open",
    )}</span></a>
${buttonLink(texts, urls.againUrl, "popUp.again", true)}</div>
<script nonce="${view.nonce}">${raw(script)}</script>`,
  });
}

function renderDone(view: PopUpView): string {
  const texts = textsFor(view.language);
  const title = texts.t("popUp.doneTitle");
  const script = `const channel = ${CHANNEL};
if (channel) channel.postMessage("signed in");
window.close();`;
  return renderDocument(view, {
    title,
    body: html`<h1>${title}</h1>
<p class="lead">${texts.t("popUp.doneText")}</p>
<script nonce="${view.nonce}">${raw(script)}</script>`,
  });
}
