import type { Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Principal } from "../access/index.ts";
import type { Application } from "../applications/index.ts";
import type { Deps } from "../deps.ts";
import type { Session } from "../sessions/index.ts";
import { createAuthorizationCode, type Issue, redeemCode } from "./authorization-code.ts";
import { type IssuedAccessToken, issueAccessToken } from "./issue-access-token.ts";

/** Says who a person is, and opens no API of ours. */
const SCOPES = ["openid", "profile"];

export interface IssuedTokens extends IssuedAccessToken {
  /** Undefined where the application may not use them. */
  refreshToken: string | undefined;
}

/**
 * Tokens of an application for a person whose session it has proven, without a browser's round trip. The rules are
 * those of an authorization code that is redeemed at once; the tokens end with the session.
 */
export async function issueForSession(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  input: { application: Application; session: Session; principal: Principal },
): Promise<IssuedTokens> {
  const { application, session, principal } = input;
  const code = await createAuthorizationCode(deps, context, tenant, {
    application,
    userId: session.userId,
    session,
    offline: false,
    scopes: SCOPES,
    details: { amr: [...session.amr] },
    redirectUri: null,
    codeChallenge: null,
  });
  const redemption = { application, code, redirectUri: null, codeVerifier: null };
  return issueOfFamily(
    deps,
    tenant,
    application,
    principal,
    await redeemCode(deps, context, tenant, redemption),
  );
}

/** The next access token of a family, with the refresh token of its new generation. */
export async function issueOfFamily(
  deps: Deps,
  tenant: Tenant,
  application: Application,
  principal: Principal,
  { family, refreshToken }: Issue,
): Promise<IssuedTokens> {
  const issued = await issueAccessToken(deps, {
    tenant,
    application,
    familyId: family.id,
    subject: family.userId,
    scopes: family.scopes,
    sessionId: family.sessionId ?? undefined,
    authenticatedAt: family.authenticatedAt,
    amr: family.details.amr,
    impersonatorId: family.details.impersonatorId,
    roles: principal.roles,
  });
  return { ...issued, refreshToken };
}
