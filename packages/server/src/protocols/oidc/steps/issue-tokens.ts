import {
  type IssuedAccessToken,
  issueAccessToken,
  issueIdToken,
  userClaims,
} from "../../../domain/tokens/index.ts";
import { newId } from "../../../kernel/identifiers.ts";
import { type Exchange, found } from "../exchange.ts";

/** The answer of the token endpoint (RFC 6749 §5.1). Client credentials need no row and, with ES256, no tick. */
export function issueTokens(exchange: Exchange): void | Promise<void> {
  return exchange.issue ? issueForUser(exchange) : issueForApplication(exchange);
}

function issueForApplication(exchange: Exchange): void | Promise<void> {
  const { deps, tenant, issuer } = exchange;
  const application = found(exchange.application);
  const scopes = found(exchange.scopes);
  const issued = issueAccessToken(deps, {
    tenant,
    issuer,
    application,
    familyId: newId(deps.clock.now()),
    subject: application.id,
    scopes,
  });
  const answer = (token: IssuedAccessToken) => {
    exchange.answer = { kind: "json", body: tokenBody(token, scopes) };
  };
  return issued instanceof Promise ? issued.then(answer) : answer(issued);
}

async function issueForUser(exchange: Exchange): Promise<void> {
  const { deps, tenant, issuer } = exchange;
  const { family, refreshToken } = found(exchange.issue);
  const application = found(exchange.application);
  const principal = found(exchange.principal);
  const scopes = exchange.scopes ?? family.scopes;
  const { authenticatedAt, details } = family;
  const common = {
    tenant,
    issuer,
    application,
    authenticatedAt,
    amr: details.amr,
    sessionId: family.sessionId ?? undefined,
    impersonatorId: details.impersonatorId,
  };
  const issued = await issueAccessToken(deps, {
    ...common,
    familyId: family.id,
    subject: family.userId,
    scopes,
    roles: principal.roles,
  });
  const idToken = scopes.includes("openid")
    ? await issueIdToken(deps, {
        ...common,
        sessionId: common.sessionId ?? details.sid,
        userId: family.userId,
        nonce: details.nonce,
        accessToken: issued.token,
        userClaims: userClaims(principal, details.claims?.id_token ?? []),
      })
    : undefined;
  const body = { ...tokenBody(issued, scopes), refresh_token: refreshToken, id_token: idToken };
  exchange.answer = { kind: "json", body };
}

function tokenBody({ token, expiresIn }: IssuedAccessToken, scopes: readonly string[]) {
  return { access_token: token, token_type: "Bearer", expires_in: expiresIn, scope: scopes.join(" ") };
}
