import { html, type SafeHtml } from "./html.ts";
import type { MessageKey, Texts } from "./i18n.ts";

/** A scope, and the administrator's own text for one of his making. */
export interface ScopeView {
  name: string;
  description?: string | undefined;
}

/** The scopes of OpenID Connect Core §5.4 and §11, and our own, in words. */
const SCOPES: Record<string, MessageKey> = {
  openid: "scope.openid",
  profile: "scope.profile",
  email: "scope.email",
  address: "scope.address",
  phone: "scope.phone",
  offline_access: "scope.offlineAccess",
  roles: "scope.roles",
  account: "scope.account",
  manage: "scope.manage",
};

function scopeLine(texts: Texts, scope: ScopeView): SafeHtml {
  const key = Object.hasOwn(SCOPES, scope.name) ? SCOPES[scope.name] : undefined;
  if (scope.description) return html`<li><bdi>${scope.description}</bdi></li>`;
  return key ? html`<li>${texts.t(key)}</li>` : html`<li><code>${scope.name}</code></li>`;
}

/** What an application may do, one line each. */
export function scopeList(texts: Texts, scopes: readonly ScopeView[]): SafeHtml {
  return html`<ul class="scopes">${scopes.map((scope) => scopeLine(texts, scope))}</ul>`;
}
