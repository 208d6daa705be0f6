import { backToAccount } from "./account-home.page.ts";
import { button, form, hasErrors, messages } from "./form.ts";
import { html, type SafeHtml } from "./html.ts";
import { type Texts, textsFor } from "./i18n.ts";
import { renderDocument } from "./layout.ts";
import type { AccountSession, AccountSessionsView } from "./views.ts";

function time(texts: Texts, moment: Date, words: string, timeZone: string | undefined): SafeHtml {
  return html`<time datetime="${moment.toISOString()}" title="${texts.dateTime(moment, timeZone)}">${words}</time>`;
}

function sessionItem(view: AccountSessionsView, texts: Texts, session: AccountSession): SafeHtml {
  const device = session.device ?? texts.t("sessions.unknownDevice");
  const where = [session.place, session.ip].filter((part) => part !== undefined);
  const seen = session.current ? texts.t("sessions.now") : texts.ago(session.lastSeenAt, view.now);
  return html`<li><div>
<h2 id="session-${session.id}"><bdi>${device}</bdi></h2>
${session.current && html`<p class="badge">${texts.t("sessions.current")}</p>`}
${where.length > 0 && html`<p class="detail"><bdi>${where.join(" · ")}</bdi></p>`}
<p class="detail">${texts.rich("sessions.lastSeen", { when: time(texts, session.lastSeenAt, seen, view.timeZone) })}</p>
<p class="detail">${texts.rich("sessions.since", {
    when: time(texts, session.signedInAt, texts.date(session.signedInAt, view.timeZone), view.timeZone),
  })}</p>
</div>
${
  !session.current &&
  form(
    view,
    html`<button type="submit" class="button quiet small" name="session" value="${session.id}" data-busy="${texts.t("signOut.busy")}" aria-label="${texts.t("sessions.revokeNamed", { device })}">${texts.t("sessions.revoke")}</button>`,
  )
}</li>`;
}

/** Where the account is signed in. Posts `session` = id of the one to end, or `others` = `1` for all but this one;
 * `keep` = `1` or `0`: whether later ones outlive the browser. */
export function renderAccountSessionsPage(view: AccountSessionsView): string {
  const texts = textsFor(view.language);
  const keeps = view.keepsLoggedIn;
  const others = view.sessions.some((session) => !session.current);
  return renderDocument(view, {
    title: texts.t("account.sessions"),
    hasErrors: hasErrors(view.errors),
    body: html`${backToAccount(texts, view.links)}
<h1>${texts.t("account.sessions")}</h1>
<p class="lead">${texts.t(others ? "sessions.lead" : "sessions.onlyThis")}</p>
${messages(view)}
<ul class="sessions">${view.sessions.map((session) => sessionItem(view, texts, session))}</ul>
${others && form(view, button(texts, "sessions.revokeOthers", { name: "others", value: "1", quiet: true, busy: "signOut.busy" }))}
<div class="sections"><section><h2>${texts.t("sessions.keep")}</h2>
<p class="detail">${texts.t(keeps ? "sessions.keeps" : "sessions.ends")}</p>
${form(view, html`<div class="tools"><button type="submit" class="button quiet small" name="keep" value="${keeps ? "0" : "1"}" data-busy="${texts.t("form.saving")}">${texts.t(keeps ? "sessions.keepOff" : "sessions.keepOn")}</button></div>`)}</section></div>`,
  });
}
