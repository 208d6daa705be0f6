import type { ErrorCode } from "@ostiary/contracts";
import { buttonLink } from "./form.ts";
import { html } from "./html.ts";
import { type MessageKey, textsFor } from "./i18n.ts";
import { renderDocument } from "./layout.ts";
import type { ErrorKind, ErrorView } from "./views.ts";

/** What happened, and what to do. */
const TEXTS: Record<ErrorKind, readonly [title: MessageKey, text: MessageKey]> = {
  notFound: ["error.notFound.title", "error.notFound.text"],
  flowExpired: ["error.flowExpired.title", "error.flowExpired.text"],
  linkInvalid: ["error.linkInvalid.title", "error.linkInvalid.text"],
  impersonation: ["error.impersonation.title", "error.impersonation.text"],
  notWhileImpersonating: ["error.notWhileImpersonating.title", "error.notWhileImpersonating.text"],
  invitation: ["error.invitation.title", "error.invitation.text"],
  forged: ["error.forged.title", "error.forged.text"],
  forbidden: ["error.forbidden.title", "error.forbidden.text"],
  suspended: ["error.suspended.title", "error.suspended.text"],
  signUpClosed: ["error.signUpClosed.title", "error.signUpClosed.text"],
  badRequest: ["error.badRequest.title", "error.badRequest.text"],
  badApplicationRequest: ["error.badApplicationRequest.title", "error.badApplicationRequest.text"],
  tooManyRequests: ["error.tooManyRequests.title", "error.tooManyRequests.text"],
  unavailable: ["error.unavailable.title", "error.unavailable.text"],
  internal: ["error.internal.title", "error.internal.text"],
};

const KINDS: Partial<Record<ErrorCode, ErrorKind>> = {
  "flow.not_found": "flowExpired",
  "flow.wrong_step": "flowExpired",
  "flow.forged": "forged",
  "set_up.link_invalid": "linkInvalid",
  "impersonation.refused": "impersonation",
  "impersonation.not_allowed": "notWhileImpersonating",
  "invitation.refused": "invitation",
  "sign_up.closed": "signUpClosed",
  "user.suspended": "suspended",
  "authorization.invalid": "badApplicationRequest",
  "application.redirect_uri_invalid": "badApplicationRequest",
  "application.not_found": "badApplicationRequest",
  "credential.locked": "tooManyRequests",
};

/** Which error page fits a failure that no form can show. `status` is the HTTP status of the answer. */
export function errorKindOf(code: ErrorCode, status: number): ErrorKind {
  const kind = KINDS[code];
  if (kind) return kind;
  if (status === 401 || status === 403) return "forbidden";
  if (status === 404 || status === 405) return "notFound";
  if (status === 429) return "tooManyRequests";
  if (status === 503) return "unavailable";
  return status >= 500 ? "internal" : "badRequest";
}

const NEXT = { signIn: "error.toSignIn", account: "error.toAccount", retry: "error.retry" } as const;

/** The end of a road: what happened, what to do, and small below what to quote to an administrator. */
export function renderErrorPage(view: ErrorView): string {
  const texts = textsFor(view.language);
  const [title, text] = TEXTS[view.kind];
  return renderDocument(view, {
    title: texts.t(title),
    body: html`<h1>${texts.t(title)}</h1>
<p class="lead">${texts.t(text)}</p>
${view.next && html`<div class="actions">${buttonLink(texts, view.next.url, NEXT[view.next.to])}</div>`}
<dl class="trace"><div><dt>${texts.t("error.traceId")}</dt><dd><code>${view.traceId}</code></dd></div>${
      view.code && html`<div><dt>${texts.t("error.code")}</dt><dd><code>${view.code}</code></dd></div>`
    }</dl>`,
  });
}
