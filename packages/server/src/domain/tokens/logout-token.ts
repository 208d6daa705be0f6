import type { JsonValue, Tenant } from "@ostiary/contracts";
import { numericDate } from "../../kernel/clock.ts";
import { newId } from "../../kernel/identifiers.ts";
import { type Application, findApplication } from "../applications/index.ts";
import type { Deps } from "../deps.ts";
import type { Sender } from "../outgoing/index.ts";
import type { Logout } from "../sessions/index.ts";
import { findTenantById } from "../tenants/index.ts";
import { signJwt } from "./sign-jwt.ts";

const EVENT = "http://schemas.openid.net/event/backchannel-logout";
/** Back-Channel Logout §2.4: preferably at most two minutes. Each attempt has a token of its own. */
const TOKEN_SECONDS = 120;
const TIMEOUT_MILLISECONDS = 10_000;

/** Tells an application that a session ended. @see https://openid.net/specs/openid-connect-backchannel-1_0.html */
export const LOGOUT_SENDER: Sender = {
  kind: "logout",
  lanes: 8,
  firstDelay: 2,
  send: tellApplication,
  describe: (payload) => {
    const { applicationId, sessionId } = payload as unknown as Logout;
    return { applicationId, sessionId };
  },
};

/** A 2xx answer means that the application has ended its session; §2.8 asks for 200, and 204 is common. */
async function tellApplication(deps: Deps, tenantId: string, payload: JsonValue): Promise<void> {
  const logout = payload as unknown as Logout;
  const tenant = await findTenantById(deps, tenantId);
  const application = await findApplication(deps, tenantId, logout.applicationId);
  if (!tenant || !application || application.backchannelLogoutUri === null) return;
  const token = await logoutToken(deps, tenant, application, logout);
  const answer = await deps.outgoing.send({
    method: "POST",
    url: application.backchannelLogoutUri,
    headers: { "content-type": "application/x-www-form-urlencoded", "user-agent": "Ostiary-Logout/1" },
    body: new URLSearchParams({ logout_token: token }).toString(),
    timeoutMilliseconds: TIMEOUT_MILLISECONDS,
    answerBytes: 512,
  });
  if (answer.status < 200 || answer.status > 299) throw new Error(`answered ${answer.status}`);
}

/** §2.4: no `nonce`, so that it cannot be taken for an ID token. */
function logoutToken(
  deps: Deps,
  tenant: Tenant,
  application: Application,
  { issuer, userId, sessionId }: Logout,
): string | Promise<string> {
  const now = deps.clock.now();
  const claims = {
    iss: issuer,
    sub: userId,
    aud: application.id,
    iat: numericDate(now),
    exp: numericDate(now) + TOKEN_SECONDS,
    jti: newId(now),
    sid: sessionId,
    events: { [EVENT]: {} },
  };
  const algorithm = application.settings.idTokenSignedResponseAlg ?? tenant.settings.tokens.signingAlgorithm;
  return signJwt(deps, tenant.id, "logout+jwt", claims, algorithm);
}
