import type { BkOutcome } from "./bk-auth.ts";
import { quote } from "./transport.ts";
import { ACCESS_DENIED_CODE } from "./verify-ticket.ts";

/** An answer for the browser, free of any framework. */
export interface BkAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** The pages of a login service. */
export interface LoginPages {
  /** The full page, such as `https://login.example.com/login/`. */
  loginUrl: string;
  /** The page for a pop-up, such as `https://login.example.com/login/plain/`; leave it out when there is none. */
  plainUrl?: string;
  /** Where the pop-up goes after a login: a page of this application that closes it. Needed with `plainUrl`. */
  successUrl?: string;
  /** The application's name, for the page's heading. */
  appCode?: string;
}

export interface GuardOptions {
  /** Refuse who is not signed in. false (default) lets them go on as nobody. */
  required?: boolean;
  login?: LoginPages;
}

/** What an answer depends on besides the outcome. */
export interface AnswerContext {
  /** The absolute address being asked for: the user comes back to it. */
  currentUrl: string;
  /** Whether a script asks, which wants JSON and cannot follow to a login page. */
  isScript: boolean;
}

const POPUP = { width: 460, height: 490 };
const RETRY_AFTER_SECONDS = 5;

/**
 * What to answer instead of going on; undefined: go on. A denied user and a bad gateway JWT are always stopped, everybody
 * else who is not signed in only when `required`. While nobody can tell (503, 502) no login page is shown: signing in
 * once more would not help.
 */
export function answerTo(
  outcome: BkOutcome,
  context: AnswerContext,
  { required = false, login }: GuardOptions,
): BkAnswer | undefined {
  if (outcome.outcome === "ok") return undefined;
  if (outcome.outcome === "denied") return accessDenied(outcome.message);
  if (outcome.outcome === "invalid" && outcome.reason === "jwt")
    return json(401, { code: "jwt.invalid", detail: "The gateway token is not valid" });
  if (!required) return undefined;
  if (outcome.outcome === "unavailable")
    return json(
      503,
      { code: "service.unavailable", detail: "The login service cannot be reached" },
      { "retry-after": String(RETRY_AFTER_SECONDS) },
    );
  if (outcome.outcome === "misconfigured")
    return json(502, { code: "configuration", detail: "The login service refuses this application" });
  if (outcome.outcome === "invalid" && outcome.reason === "unknown_user")
    return accessDenied("This application has no such user");
  if (context.isScript || login === undefined) return loginRequired(login);
  return redirectToLogin(login, context.currentUrl);
}

/** 403 as bkpaas_auth 4.x answers it: the user is known and may not use this application. */
export function accessDenied(message: string): BkAnswer {
  return json(403, { code: ACCESS_DENIED_CODE, detail: message });
}

/** 401 for scripts: where to open a pop-up, and how large, or that there is none. */
export function loginRequired(login: LoginPages | undefined): BkAnswer {
  if (login?.plainUrl === undefined) return json(401, { has_plain: false });
  const url = withReturn(login.plainUrl, login.successUrl ?? "", login.appCode);
  return json(401, { login_url: url, ...POPUP, has_plain: true });
}

/** 302 to the login page, which sends the user back to `currentUrl`. */
export function redirectToLogin(login: LoginPages, currentUrl: string): BkAnswer {
  const location = withReturn(login.loginUrl, currentUrl, login.appCode);
  return { status: 302, headers: { location, "cache-control": "no-store" }, body: "" };
}

/** `c_url` and `app_code` as blueapps writes them: `/` stays readable. */
function withReturn(page: string, returnUrl: string, appCode: string | undefined): string {
  const separator = page.includes("?") ? "&" : "?";
  const back = `c_url=${quote(returnUrl).replaceAll("%2F", "/")}`;
  return `${page}${separator}${back}${appCode === undefined ? "" : `&app_code=${quote(appCode)}`}`;
}

function json(status: number, body: unknown, headers: Record<string, string> = {}): BkAnswer {
  return {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
    body: JSON.stringify(body),
  };
}
