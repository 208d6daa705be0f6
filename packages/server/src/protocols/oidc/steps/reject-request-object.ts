import { OAuthError } from "../errors.ts";
import type { Exchange } from "../exchange.ts";

/** Parameters that would change the meaning of the request and that we do not read (OpenID Connect Core §3.1.2.6). */
export function rejectRequestObject({ parameters }: Exchange): void {
  if (parameters.request !== undefined) {
    throw new OAuthError("request_not_supported", "The parameter request is not supported");
  }
  if (parameters.request_uri !== undefined) {
    throw new OAuthError("request_uri_not_supported", "The parameter request_uri is not supported");
  }
  if (parameters.registration !== undefined) {
    throw new OAuthError("registration_not_supported", "The parameter registration is not supported");
  }
}
