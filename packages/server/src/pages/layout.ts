import { accentStyle } from "./accent.ts";
import { script, stylesheet } from "./assets.ts";
import { attributes, html, imageUrl, linkUrl, raw, type SafeHtml } from "./html.ts";
import { LANGUAGES, languageName, type Texts, textsFor } from "./i18n.ts";
import type { ApplicationLook, PageView } from "./views.ts";

/** First character as a person sees it: `é` or a flag made of several code points stays whole. */
function initial(name: string): string {
  const [first] = new Intl.Segmenter().segment(name.trim());
  return (first?.segment ?? "·").toUpperCase();
}

/** Logo, or the initial on a tile of the accent colour. Empty `alt`: the name stands beside it. */
export function logo(look: ApplicationLook): SafeHtml {
  const url = imageUrl(look.logoUrl);
  if (url) return html`<img class="logo" src="${url}" alt="" height="40">`;
  return html`<span class="logo monogram" aria-hidden="true">${initial(look.name)}</span>`;
}

/** A name from outside inside a sentence: isolated, so that a right-to-left name does not turn the sentence around. */
export function nameOf(name: string): SafeHtml {
  return html`<bdi class="name">${name}</bdi>`;
}

function languageSwitch(view: PageView, texts: Texts): SafeHtml {
  const { address } = view;
  if (!address) return raw("");
  const link = (tag: string): SafeHtml => {
    const query = new URLSearchParams({ ...address.query, ui_locales: tag });
    const current = tag === texts.language && "true";
    return html`<li><a href="${address.path}?${query.toString()}"${attributes({
      lang: tag,
      hreflang: tag,
      "aria-current": current,
    })}>${languageName(tag)}</a></li>`;
  };
  return html`<nav aria-label="${texts.t("layout.language")}"><ul class="languages">${LANGUAGES.map(link)}</ul></nav>`;
}

/** Somebody else acts as this person: on top of every page, with the way out. */
function impersonationBanner({ impersonation }: PageView, texts: Texts): SafeHtml {
  if (!impersonation) return raw("");
  const { administrator, user, reason, action, csrf } = impersonation;
  return html`<aside class="impersonation" aria-label="${texts.t("impersonation.label")}">
<p>${texts.rich("impersonation.text", { administrator: nameOf(administrator), user: nameOf(user) })}</p>
<p class="detail">${texts.rich("impersonation.reason", { reason: html`<bdi>${reason}</bdi>` })}</p>
<form method="post" action="${linkUrl(action) ?? ""}"><input type="hidden" name="csrf" value="${csrf}"><button type="submit" class="button quiet small" data-busy="${texts.t("form.busy")}">${texts.t("impersonation.end")}</button></form>
</aside>`;
}

export interface Page {
  title: string;
  /** Everything inside `main`, the `h1` included. */
  body: SafeHtml;
  /** Says so in the title, which a screen reader reads first. */
  hasErrors?: boolean;
}

/** The document around a page: one card, the tenant on top, a quiet line below. */
export function renderDocument(view: PageView, page: Page): string {
  const texts = textsFor(view.language);
  const title = page.hasErrors ? texts.t("layout.errorTitle", { title: page.title }) : page.title;
  const scheme = view.tenant.scheme ?? "auto";
  return html`<!doctype html>
<html${attributes({ lang: texts.language, dir: texts.direction, "data-scheme": scheme })}>
<head>
<meta charset="utf-8">
<title>${title} · ${view.tenant.name}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="${scheme === "auto" ? "light dark" : scheme}">
<meta name="robots" content="noindex">
<link rel="icon" href="${imageUrl(view.tenant.logoUrl) ?? "data:,"}">
<link rel="stylesheet" href="${stylesheet.path}">
<style nonce="${view.nonce}">${raw(accentStyle(view.tenant))}</style>
<script src="${script.path}" nonce="${view.nonce}" defer></script>
</head>
<body>
${impersonationBanner(view, texts)}<div class="card">
<header class="brand">${logo(view.tenant)}<bdi class="tenant">${view.tenant.name}</bdi></header>
<main>
${page.body}
</main>
</div>
<footer>${languageSwitch(view, texts)}<span class="product">Ostiary</span></footer>
</body>
</html>
`.toString();
}
