import { createHmac, type KeyObject, sign, verify } from "node:crypto";
import { promisify } from "node:util";
import { IdentityError } from "@ostiary/contracts";
import { numericDate } from "../../kernel/clock.ts";
import { equalBytes } from "../../kernel/constant-time.ts";
import type { Deps } from "../deps.ts";
import type { DialectKeyPurpose } from "./dialect-key.ts";
import { type DialectKey, findActiveDialectKey, findDialectKeys } from "./dialect-key-ring.ts";
import { COMPACT, invalid, parseObject } from "./verify-jwt.ts";

/** Characters; ours are below 1,500. */
const MAX_LENGTH = 8_192;

const signOffTheLoop = promisify<string, Buffer, KeyObject, Buffer>(sign);

/** A JWT under the dialect's own key. `header` may name a `kid` that means something to the clients. */
export async function signDialectJwt(
  deps: Deps,
  tenantId: string,
  purpose: DialectKeyPurpose,
  header: object,
  claims: object,
): Promise<string> {
  const key = await findActiveDialectKey(deps, tenantId, purpose);
  if (!key.signingKey) throw new RangeError(`key ${key.kid} does not sign`);
  const input = `${encode({ alg: key.algorithm, typ: "JWT", kid: key.kid, ...header })}.${encode(claims)}`;
  const bytes = Buffer.from(input, "latin1");
  const signature =
    key.algorithm === "RS512"
      ? await signOffTheLoop("sha512", bytes, key.signingKey)
      : createHmac("sha512", key.signingKey).update(bytes).digest();
  return `${input}.${signature.toString("base64url")}`;
}

/**
 * Checks form, signature and times of one of the dialect's own JWTs. The algorithm is the key's, never the header's
 * choice (RFC 8725 §3.1). As `kid` may be the clients' word, every key that still verifies is tried: they are few.
 *
 * @throws IdentityError `token.invalid`, `token.expired`
 */
export async function verifyDialectJwt(
  deps: Deps,
  tenantId: string,
  purpose: DialectKeyPurpose,
  token: string,
): Promise<{ header: Record<string, unknown>; claims: Record<string, unknown> }> {
  if (token.length > MAX_LENGTH || !COMPACT.test(token)) throw invalid("not a compact JWS");
  const [head = "", body = "", tail = ""] = token.split(".");
  const header = parseObject(head);
  const ring = await findDialectKeys(deps, tenantId, purpose);
  const bytes = Buffer.from(`${head}.${body}`, "latin1");
  const signature = Buffer.from(tail, "base64url");
  // The last character may carry unused bits: one signature has one spelling only.
  if (signature.toString("base64url") !== tail) throw invalid("signature is not canonical");
  const keys = [...ring.byKid.values()].filter((key) => key.algorithm === header.alg);
  if (!keys.some((key) => isSignedBy(key, bytes, signature))) throw invalid("no key of ours signed it");
  const claims = parseObject(body);
  const now = numericDate(deps.clock.now());
  if (typeof claims.exp !== "number" || typeof claims.nbf !== "number") throw invalid("a time is missing");
  if (claims.exp <= now) throw new IdentityError("token.expired");
  if (claims.nbf > now) throw invalid("not valid yet");
  return { header, claims };
}

function isSignedBy(key: DialectKey, bytes: Buffer, signature: Buffer): boolean {
  if (key.algorithm === "RS512") return verify("sha512", bytes, key.verifyingKey, signature);
  return equalBytes(createHmac("sha512", key.verifyingKey).update(bytes).digest(), signature);
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
