import { verify } from "node:crypto";
import { IdentityError } from "@ostiary/contracts";
import { isObject } from "../../kernel/is-object.ts";
import type { Deps } from "../deps.ts";
import { findKeyById, type RingKey } from "./key-ring.ts";
import type { JwtType } from "./sign-jwt.ts";

/** Characters; ours are below 2,000. */
export const MAX_LENGTH = 16_384;

export const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

export type JwtClaims = Record<string, unknown>;

export function invalid(reason: string): IdentityError {
  return new IdentityError("token.invalid", { reason });
}

/**
 * Checks form, type and signature of one of this tenant's own JWTs; not its claims. The algorithm is the key's, never
 * the header's choice (RFC 8725 §3.1), so `none` and HMAC with a public key cannot pass.
 *
 * @returns a plain value when the tenant's keys are in the cache.
 * @throws IdentityError `token.invalid`
 */
export function verifyJwt(
  deps: Deps,
  tenantId: string,
  typ: JwtType,
  token: string,
): JwtClaims | Promise<JwtClaims> {
  if (token.length > MAX_LENGTH || !COMPACT.test(token)) throw invalid("not a compact JWS");
  const dot = token.indexOf(".");
  const { kid, alg, typ: given, crit } = parseObject(token.slice(0, dot));
  if (typeof kid !== "string") throw invalid("no kid");
  if (typeof given !== "string" || given.toLowerCase() !== typ.toLowerCase())
    throw invalid(`not of type ${typ}`);
  if (crit !== undefined) throw invalid("crit is not supported"); // RFC 7515 §4.1.11
  const key = findKeyById(deps, tenantId, kid);
  return key instanceof Promise
    ? key.then((loaded) => verifyWith(loaded, alg, token))
    : verifyWith(key, alg, token);
}

function verifyWith(key: RingKey | undefined, algorithm: unknown, token: string): JwtClaims {
  if (!key) throw invalid("unknown key");
  if (algorithm !== key.algorithm) throw invalid("not the key's algorithm");
  const end = token.lastIndexOf(".");
  const bytes = Buffer.from(token.slice(0, end), "latin1");
  const signature = Buffer.from(token.slice(end + 1), "base64url");
  // The last character may carry unused bits: one signature has one spelling only.
  if (signature.toString("base64url") !== token.slice(end + 1)) throw invalid("signature is not canonical");
  const { publicKey } = key;
  const good =
    key.algorithm === "ES256"
      ? verify("sha256", bytes, { key: publicKey, dsaEncoding: "ieee-p1363" }, signature)
      : verify(key.algorithm === "EdDSA" ? null : "sha256", bytes, publicKey, signature);
  if (!good) throw invalid("wrong signature");
  return parseObject(token.slice(token.indexOf(".") + 1, end));
}

export function parseObject(segment: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(segment, "base64url").toString("utf8"));
  } catch {
    throw invalid("not JSON");
  }
  if (!isObject(value)) throw invalid("not a JSON object");
  return value;
}
