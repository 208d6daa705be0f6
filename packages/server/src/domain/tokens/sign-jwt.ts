import { sign } from "node:crypto";
import type { SigningAlgorithm } from "@ostiary/contracts";
import type { Deps } from "../deps.ts";
import { findActiveKey, type RingKey } from "./key-ring.ts";

/** `typ` of the protected header: RFC 9068 §2.1 for access tokens, Back-Channel Logout §2.4 for logout tokens. */
export type JwtType = "at+jwt" | "JWT" | "logout+jwt";

/**
 * A signed JWT, made directly on node:crypto: `jose` reaches a quarter to two thirds of it (architecture.md §5).
 * ES256 and EdDSA sign in place, as handing over to a thread costs more than the signature; RS256 is ten times as
 * much work and signs off the event loop.
 *
 * @returns a plain value where the key is in the cache and the algorithm is quick.
 */
export function signJwt(
  deps: Deps,
  tenantId: string,
  typ: JwtType,
  claims: object,
  algorithm: SigningAlgorithm,
): string | Promise<string> {
  const key = findActiveKey(deps, tenantId, algorithm);
  return key instanceof Promise
    ? key.then((loaded) => signWith(loaded, typ, claims))
    : signWith(key, typ, claims);
}

function signWith(key: RingKey, typ: JwtType, claims: object): string | Promise<string> {
  const { privateKey } = key;
  if (!privateKey) throw new RangeError(`key ${key.kid} does not sign`);
  const input = headerOf(key, typ) + Buffer.from(JSON.stringify(claims)).toString("base64url");
  const bytes = Buffer.from(input, "latin1");
  if (key.algorithm === "ES256") {
    return `${input}.${sideBySide(sign("sha256", bytes, privateKey)).toString("base64url")}`;
  }
  if (key.algorithm === "EdDSA") return `${input}.${sign(null, bytes, privateKey).toString("base64url")}`;
  return new Promise((resolve, reject) => {
    sign("sha256", bytes, privateKey, (error, signature) =>
      error ? reject(error) : resolve(`${input}.${signature.toString("base64url")}`),
    );
  });
}

/** Bytes of each of the two numbers of a P-256 signature. */
const NUMBER_BYTES = 32;

/**
 * R and S side by side (RFC 7518 §3.4), from DER: SEQUENCE { INTEGER r, INTEGER s }, each without leading zeros and
 * with one where its first bit is set. Asking node:crypto for this form (`dsaEncoding`) means passing the key in an
 * object, which costs as much as the signature: 46 µs for both, 22 µs for DER (Node 24.21).
 */
function sideBySide(der: Buffer): Buffer {
  const signature = Buffer.alloc(2 * NUMBER_BYTES);
  let at = 3; // the length of r: all lengths of P-256 fit one byte
  for (const end of [NUMBER_BYTES, 2 * NUMBER_BYTES]) {
    const length = der.readUInt8(at);
    const surplus = Math.max(0, length - NUMBER_BYTES);
    der.copy(signature, end - length + surplus, at + 1 + surplus, at + 1 + length);
    at += 1 + length + 1; // past the number and the tag of the next one
  }
  return signature;
}

function headerOf(key: RingKey, typ: JwtType): string {
  let header = key.headers.get(typ);
  if (header === undefined) {
    const json = JSON.stringify({ alg: key.algorithm, typ, kid: key.kid });
    header = `${Buffer.from(json).toString("base64url")}.`;
    key.headers.set(typ, header);
  }
  return header;
}
