import { type FieldError, IdentityError } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { checkNoEscalation } from "../access/index.ts";
import type { ApplicationValues } from "./application.store.ts";
import { isRedirectUri, isReturnOrigin } from "./redirect-uri.ts";

/**
 * An application that can act as the tenant's administrator, or as whoever signs in to it (scope `manage`), may be
 * made, changed and given secrets only by who may do everything himself.
 *
 * @throws IdentityError `permission.escalation`
 */
export function checkMayControl(
  context: RequestContext,
  application: Pick<ApplicationValues, "administers" | "scopes">,
): void {
  if (application.administers !== null || application.scopes.includes("manage")) {
    checkNoEscalation(context, ["*"]);
  }
}

/** Whether its way of authentication uses a secret. */
export function usesSecret(application: Pick<ApplicationValues, "tokenEndpointAuthMethod">): boolean {
  return application.tokenEndpointAuthMethod.startsWith("client_secret_");
}

/**
 * The rules that a schema cannot say.
 *
 * @throws IdentityError `application.redirect_uri_invalid`, `application.return_origin_invalid`,
 *   `application.authentication_invalid`
 */
export function checkApplication(values: ApplicationValues): void {
  refuse("application.redirect_uri_invalid", [
    ...wrong("/redirectUris", values.redirectUris, isRedirectUri),
    ...wrong("/postLogoutRedirectUris", values.postLogoutRedirectUris, isRedirectUri),
  ]);
  const { backchannelLogoutUri: uri } = values;
  if (uri !== null && !(isRedirectUri(uri) && /^https?:/.test(uri))) {
    throw new IdentityError("application.redirect_uri_invalid", {
      fields: [{ path: "/backchannelLogoutUri", message: "is not acceptable" }],
    });
  }
  refuse("application.return_origin_invalid", [
    ...wrong("/allowedReturnOrigins", values.allowedReturnOrigins, isReturnOrigin),
  ]);
  refuse("application.authentication_invalid", [...wrongAuthentication(values)]);
}

function refuse(
  code: `application.${"redirect_uri" | "return_origin" | "authentication"}_invalid`,
  fields: FieldError[],
) {
  if (fields.length > 0) throw new IdentityError(code, { fields });
}

function* wrong(
  path: string,
  texts: readonly string[],
  isRight: (text: string) => boolean,
): Generator<FieldError> {
  for (const [index, text] of texts.entries()) {
    if (!isRight(text)) yield { path: `${path}/${index}`, message: "is not acceptable" };
  }
}

/** RFC 7518 §6.2.2, §6.3.2, §6.4.1: members that only private and symmetric keys have. */
const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
const KEY_TYPES: readonly unknown[] = ["RSA", "EC", "OKP"];

function* wrongAuthentication(values: ApplicationValues): Generator<FieldError> {
  const isPublic = values.tokenEndpointAuthMethod === "none";
  if (isPublic && values.grantTypes.includes("client_credentials")) {
    // RFC 6749 §4.4: only confidential clients
    yield { path: "/grantTypes", message: "a public client cannot use client_credentials" };
  }
  if (isPublic && values.administers !== null) {
    yield { path: "/administers", message: "a public client cannot administer" };
  }
  if (values.tokenEndpointAuthMethod === "private_key_jwt" && values.jwks === null) {
    yield { path: "/jwks", message: "private_key_jwt needs public keys" };
  }
  for (const [index, key] of values.jwks?.keys.entries() ?? []) {
    const path = `/jwks/keys/${index}`;
    if (!KEY_TYPES.includes(key.kty)) yield { path, message: "kty must be RSA, EC or OKP" };
    if (PRIVATE_MEMBERS.some((member) => member in key)) yield { path, message: "must be a public key" };
  }
}
