import { createAuthorizationCode } from "../../../domain/tokens/index.ts";
import { answerTo } from "../answer-to.ts";
import { type Exchange, found } from "../exchange.ts";

/** Issues the code (RFC 6749 §4.1.2) and says who issued it (RFC 9207). */
export async function answerAuthorization(exchange: Exchange): Promise<void> {
  const { deps, context, tenant, issuer, session, parameters } = exchange;
  if (!session) throw new RangeError("a code without a session");
  const scopes = found(exchange.scopes);
  const replyTo = found(exchange.replyTo);
  const { nonce } = parameters;
  const code = await createAuthorizationCode(deps, context, tenant, {
    issuer,
    application: found(exchange.application),
    userId: session.userId,
    session,
    offline: scopes.includes("offline_access"),
    scopes,
    details: {
      amr: [...session.amr],
      ...(nonce === undefined ? {} : { nonce }),
      ...(exchange.claims === undefined ? {} : { claims: exchange.claims }),
    },
    redirectUri: parameters.redirect_uri === undefined ? null : replyTo.redirectUri,
    codeChallenge: found(exchange.codeChallenge),
  });
  exchange.answer = answerTo(exchange, replyTo, { code });
}
