import { ACR_VALUES } from "../../domain/sessions/index.ts";
import { SUPPORTED_CLAIMS } from "../../domain/tokens/index.ts";
import { ASSERTION_ALGORITHMS } from "./check-assertion.ts";
import { SUPPORTED_SCOPES } from "./scopes.ts";

const CLIENT_AUTH = ["client_secret_basic", "client_secret_post", "private_key_jwt"];

/**
 * The metadata document of an issuer, for OpenID Connect Discovery §3 and RFC 8414 §2 alike.
 *
 * @param issuer - without trailing slash.
 */
export function metadataOf(issuer: string): Record<string, unknown> {
  return {
    issuer,
    authorization_endpoint: `${issuer}/oauth/authorize`,
    token_endpoint: `${issuer}/oauth/token`,
    userinfo_endpoint: `${issuer}/oauth/userinfo`,
    jwks_uri: `${issuer}/oauth/jwks`,
    introspection_endpoint: `${issuer}/oauth/introspect`,
    revocation_endpoint: `${issuer}/oauth/revoke`,
    end_session_endpoint: `${issuer}/oauth/end-session`,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    scopes_supported: SUPPORTED_SCOPES,
    response_types_supported: ["code"],
    response_modes_supported: ["query", "fragment", "form_post"],
    grant_types_supported: ["authorization_code", "refresh_token", "client_credentials"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["ES256", "RS256", "EdDSA"],
    token_endpoint_auth_methods_supported: [...CLIENT_AUTH, "none"],
    token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    introspection_endpoint_auth_methods_supported: CLIENT_AUTH,
    introspection_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    revocation_endpoint_auth_methods_supported: [...CLIENT_AUTH, "none"],
    revocation_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    code_challenge_methods_supported: ["S256"],
    claim_types_supported: ["normal"],
    claims_supported: [
      ...SUPPORTED_CLAIMS,
      "iss",
      "aud",
      "exp",
      "iat",
      "auth_time",
      "nonce",
      "acr",
      "amr",
      "sid",
    ],
    acr_values_supported: ACR_VALUES,
    claims_parameter_supported: true,
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
    prompt_values_supported: ["none", "login", "consent", "select_account"],
    ui_locales_supported: ["en", "es", "zh-CN"],
    authorization_response_iss_parameter_supported: true,
  };
}
