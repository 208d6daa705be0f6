import type { GrantType } from "@ostiary/contracts";
import { OAuthError } from "../errors.ts";
import { type Exchange, found } from "../exchange.ts";

/** An application may use only the grant types it is registered for (RFC 7591 §2). */
export function checkGrantAllowed(exchange: Exchange): void {
  const { grant_type: grant = "authorization_code" } = exchange.parameters;
  if (!found(exchange.application).grantTypes.includes(grant as GrantType)) {
    throw new OAuthError("unauthorized_client", `This client may not use the grant type ${grant}`);
  }
}
