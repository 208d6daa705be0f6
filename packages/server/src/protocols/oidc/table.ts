import type { Step } from "./exchange.ts";
import { answerAuthorization } from "./steps/answer-authorization.ts";
import { answerIntrospection } from "./steps/answer-introspection.ts";
import { answerUserinfo } from "./steps/answer-userinfo.ts";
import { authenticateClient } from "./steps/authenticate-client.ts";
import { checkAccess } from "./steps/check-access.ts";
import { checkAcrValues } from "./steps/check-acr-values.ts";
import { checkClaims } from "./steps/check-claims.ts";
import { checkConsent } from "./steps/check-consent.ts";
import { checkGrantAllowed } from "./steps/check-grant-allowed.ts";
import { checkIdTokenHint } from "./steps/check-id-token-hint.ts";
import { checkMaxAge } from "./steps/check-max-age.ts";
import { checkOwner } from "./steps/check-owner.ts";
import { checkPkce } from "./steps/check-pkce.ts";
import { checkPostLogoutRedirectUri } from "./steps/check-post-logout-redirect-uri.ts";
import { checkPrompt } from "./steps/check-prompt.ts";
import { checkRedirectUri } from "./steps/check-redirect-uri.ts";
import { checkResponseMode } from "./steps/check-response-mode.ts";
import { checkResponseType } from "./steps/check-response-type.ts";
import { checkScope } from "./steps/check-scope.ts";
import { checkSignedIn } from "./steps/check-signed-in.ts";
import { endBrowserSession } from "./steps/end-browser-session.ts";
import { issueTokens } from "./steps/issue-tokens.ts";
import { loadBearer } from "./steps/load-bearer.ts";
import { loadClient } from "./steps/load-client.ts";
import { loadFlow } from "./steps/load-flow.ts";
import { loadLogoutHint } from "./steps/load-logout-hint.ts";
import { loadSession } from "./steps/load-session.ts";
import { redeemAuthorizationCode } from "./steps/redeem-authorization-code.ts";
import { rejectPublicClient } from "./steps/reject-public-client.ts";
import { rejectRequestObject } from "./steps/reject-request-object.ts";
import { revokePresentedToken } from "./steps/revoke-presented-token.ts";
import { rotatePresentedToken } from "./steps/rotate-presented-token.ts";
import { takeFlow } from "./steps/take-flow.ts";

/** What may be asked for; the token endpoint is one for each grant type. */
export type Endpoint =
  | "authorize"
  | "resume"
  | "authorization_code"
  | "refresh_token"
  | "client_credentials"
  | "introspect"
  | "revoke"
  | "userinfo"
  | "end-session";

const RFC = "https://www.rfc-editor.org/rfc/rfc";
const OIDC = "https://openid.net/specs/openid-connect-core-1_0.html#";
const MODES = "https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html";
const LOGOUT = "https://openid.net/specs/openid-connect-rpinitiated-1_0.html#";

/** Rows are rules in their order, columns the endpoints; each rule stands in one file with the clause it enforces. */
const TABLE: readonly (readonly [step: Step, columns: string, clause: string])[] = [
  [loadFlow, /*                  */ " B       ", `${RFC}9700#section-4.7`],
  [loadClient, /*                */ "AB       ", `${RFC}6749#section-4.1.2.1`],
  [checkRedirectUri, /*          */ "AB       ", `${RFC}9700#section-4.1.3`],
  [checkResponseMode, /*         */ "AB       ", `${MODES}#ResponseModes`],
  [rejectRequestObject, /*       */ "AB       ", `${OIDC}AuthError`],
  [checkResponseType, /*         */ "AB       ", `${RFC}6749#section-3.1.1`],
  [authenticateClient, /*        */ "  CRMIV  ", `${RFC}6749#section-2.3`],
  [rejectPublicClient, /*        */ "    MI   ", `${RFC}6749#section-4.4`],
  [checkGrantAllowed, /*         */ "ABCRM    ", `${RFC}7591#section-2`],
  [checkScope, /*                */ "AB  M    ", `${RFC}6749#section-3.3`],
  [checkPkce, /*                 */ "AB       ", `${RFC}9700#section-2.1.1`],
  [checkPrompt, /*               */ "AB       ", `${OIDC}AuthRequest`],
  [checkMaxAge, /*               */ "AB       ", `${OIDC}AuthRequest`],
  [checkAcrValues, /*            */ "AB       ", `${OIDC}AuthRequest`],
  [checkClaims, /*               */ "AB       ", `${OIDC}ClaimsParameter`],
  [checkIdTokenHint, /*          */ "AB       ", `${OIDC}AuthRequest`],
  [loadLogoutHint, /*            */ "        E", `${LOGOUT}RPLogout`],
  [checkPostLogoutRedirectUri, /**/ "        E", `${LOGOUT}RedirectionAfterLogout`],
  [loadSession, /*               */ "A       E", `${OIDC}AuthRequest`],
  [checkSignedIn, /*             */ "AB       ", `${OIDC}Authenticates`],
  [checkAccess, /*               */ "AB       ", `${RFC}6749#section-4.1.2.1`],
  [checkConsent, /*              */ "AB       ", `${OIDC}Consent`],
  [takeFlow, /*                  */ " B       ", `${RFC}9700#section-4.7`],
  [answerAuthorization, /*       */ "AB       ", `${RFC}6749#section-4.1.2`],
  [redeemAuthorizationCode, /*   */ "  C      ", `${RFC}6749#section-4.1.3`],
  [rotatePresentedToken, /*      */ "   R     ", `${RFC}9700#section-4.14.2`],
  [checkOwner, /*                */ "  CR     ", `${RFC}6749#section-5.2`],
  [issueTokens, /*               */ "  CRM    ", `${RFC}6749#section-5.1`],
  [loadBearer, /*                */ "       U ", `${RFC}6750#section-2`],
  [answerUserinfo, /*            */ "       U ", `${OIDC}UserInfo`],
  [answerIntrospection, /*       */ "     I   ", `${RFC}7662#section-2.2`],
  [revokePresentedToken, /*      */ "      V  ", `${RFC}7009#section-2`],
  [endBrowserSession, /*         */ "        E", `${LOGOUT}RPLogout`],
];

function column(letter: string): readonly Step[] {
  return TABLE.filter(([, columns]) => columns.includes(letter)).map(([step]) => step);
}

/** The steps of each endpoint, in the order of the table; the letters are the columns. */
export const STEPS_OF: Record<Endpoint, readonly Step[]> = {
  authorize: column("A"),
  resume: column("B"), // the way back from the hosted pages
  authorization_code: column("C"),
  refresh_token: column("R"),
  client_credentials: column("M"),
  introspect: column("I"),
  revoke: column("V"),
  userinfo: column("U"),
  "end-session": column("E"),
};
