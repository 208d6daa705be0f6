import { type Exchange, unanswerable } from "../exchange.ts";

/** Where to go afterwards must be registered, character by character (RP-Initiated Logout §3). */
export function checkPostLogoutRedirectUri({ parameters, application }: Exchange): void {
  const { post_logout_redirect_uri: uri } = parameters;
  if (uri === undefined) return;
  if (!application?.postLogoutRedirectUris.includes(uri)) {
    throw unanswerable("post_logout_redirect_uri is not registered");
  }
}
