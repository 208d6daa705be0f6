import { IdentityError } from "@ostiary/contracts";
import { type VerifiedToken, verifyAccessToken } from "../../../domain/tokens/index.ts";
import { OAuthError } from "../errors.ts";
import type { Exchange } from "../exchange.ts";

const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i;

/** The access token of the request: header, or form body of a POST; never the address (RFC 6750 §2, RFC 9700 §4.3.2). */
export function loadBearer(exchange: Exchange): void | Promise<void> {
  const token = presentedToken(exchange);
  const keep = (verified: VerifiedToken) => {
    exchange.verified = verified;
  };
  try {
    const verified = verifyAccessToken(exchange.deps, exchange.tenant, token);
    return verified instanceof Promise ? verified.then(keep, refuse) : keep(verified);
  } catch (error) {
    refuse(error);
  }
}

/** Whatever makes it worthless, to its bearer the token is invalid (RFC 6750 §3.1). */
function refuse(error: unknown): never {
  if (!(error instanceof IdentityError) || error.status >= 500) throw error;
  throw new OAuthError("invalid_token", error.message, { reason: error.reason ?? error.code, cause: error });
}

function presentedToken({ wire, parameters }: Exchange): string {
  const inBody = wire.method === "POST" ? parameters.access_token : undefined;
  if (wire.authorization !== undefined) {
    if (inBody !== undefined) throw new OAuthError("invalid_request", "Send the access token once");
    const token = BEARER.exec(wire.authorization)?.[1];
    if (token !== undefined) return token;
  }
  if (inBody !== undefined) return inBody;
  throw new OAuthError("invalid_token", "An access token is required", { reason: "no token" });
}
