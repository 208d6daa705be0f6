import { SUPPORTED_CLAIMS } from "../../../domain/tokens/index.ts";
import { isObject } from "../../../kernel/is-object.ts";
import { OAuthError } from "../errors.ts";
import type { Exchange } from "../exchange.ts";
import { leastOf } from "./check-acr-values.ts";

/** Characters; ours to bound, as it is kept with the authorization. */
const MAX_LENGTH = 4_096;

/**
 * The `claims` parameter: single claims for userinfo and ID token beside those of the scopes. Unknown claims and
 * members are ignored, and an essential claim that we do not have is no error (OpenID Connect Core §5.5.1). A value
 * for `sub` says who must be signed in.
 */
export function checkClaims(exchange: Exchange): void {
  const { claims: text } = exchange.parameters;
  if (text === undefined) return;
  const claims = parse(text);
  const userinfo = namesOf(claims.userinfo);
  const idToken = namesOf(claims.id_token);
  exchange.claims = {
    ...(userinfo.length > 0 ? { userinfo } : {}),
    ...(idToken.length > 0 ? { id_token: idToken } : {}),
  };
  const subject = isObject(claims.id_token) ? claims.id_token.sub : undefined;
  if (isObject(subject) && typeof subject.value === "string") exchange.demandedUserId = subject.value;
  if (isObject(claims.id_token)) demandAcr(exchange, claims.id_token.acr);
}

/**
 * `acr` as a claim with values: where it is essential the sign-in has one of them or fails (OpenID Connect Core §5.5.1.1).
 */
function demandAcr(exchange: Exchange, member: unknown): void {
  if (!isObject(member)) return;
  const values = [member.value, ...(Array.isArray(member.values) ? member.values : [])];
  const asked = values.filter((value) => typeof value === "string");
  const least = leastOf(asked);
  if (least) exchange.acr = least;
  else if (member.essential === true && asked.length > 0) {
    throw new OAuthError("unmet_authentication_requirements", "None of the acr values is supported");
  }
}

function parse(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = text.length <= MAX_LENGTH ? JSON.parse(text) : undefined;
  } catch {
    value = undefined;
  }
  if (!isObject(value)) throw new OAuthError("invalid_request", "claims must be a JSON object");
  return value;
}

function namesOf(member: unknown): string[] {
  return isObject(member) ? Object.keys(member).filter((name) => SUPPORTED_CLAIMS.includes(name)) : [];
}
