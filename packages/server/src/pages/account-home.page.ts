import { buttonLink, messages } from "./form.ts";
import { html, imageUrl, linkUrl, type SafeHtml } from "./html.ts";
import { type Texts, textsFor } from "./i18n.ts";
import { logo, renderDocument } from "./layout.ts";
import type { AccountHomeView, AccountLinks } from "./views.ts";

const BACK = { home: "account.back", security: "account.security", contact: "account.contact" } as const;

/** The way back that every account page but the first has on top. */
export function backToAccount(texts: Texts, links: AccountLinks, to: keyof typeof BACK = "home"): SafeHtml {
  return html`<nav class="back" aria-label="${texts.t("account.breadcrumb")}"><a href="${links[to]}">${texts.t(BACK[to])}</a></nav>`;
}

function row(url: string | undefined, title: string, detail: string): SafeHtml {
  const href = linkUrl(url);
  return html`${href && html`<li><a href="${href}"><span class="title">${title}</span> <span class="detail">${detail}</span></a></li>`}`;
}

/** The account at a glance, and the ways to its pages. */
export function renderAccountHomePage(view: AccountHomeView): string {
  const texts = textsFor(view.language);
  const { user, links } = view;
  const identifiers = [user.username, user.email, user.phone].filter(
    (value) => value !== undefined && value !== user.displayName,
  );
  const changed = view.passwordChangedAt
    ? texts.t("account.passwordChanged", { when: texts.ago(view.passwordChangedAt, view.now) })
    : texts.t("account.passwordDetail");
  return renderDocument(view, {
    title: texts.t("account.title"),
    body: html`<div class="person">${logo({ name: user.displayName, logoUrl: imageUrl(user.pictureUrl) ?? undefined })}
<div><h1><bdi>${user.displayName}</bdi></h1>
${identifiers.map((value) => html`<p class="identifier"><bdi>${value}</bdi></p>`)}</div></div>
${messages(view)}
<nav aria-label="${texts.t("account.title")}"><ul class="rows">
${row(links.profile, texts.t("account.profile"), texts.t("account.profileDetail"))}
${row(links.contact, texts.t("account.contact"), texts.t("account.contactDetail"))}
${row(links.password, texts.t("account.password"), changed)}
${row(links.security, texts.t("account.security"), texts.t("account.securityDetail"))}
${row(links.applications, texts.t("account.applications"), texts.t("account.applicationsDetail"))}
${row(links.sessions, texts.t("account.sessions"), texts.t("account.sessionCount", { count: view.sessionCount }))}
${row(links.console, texts.t("account.console"), texts.t("account.consoleDetail"))}
</ul></nav>
<div class="actions">${buttonLink(texts, links.signOut, "signOut.submit", true)}</div>`,
  });
}
