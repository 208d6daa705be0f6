import { sign } from "node:crypto";
import type { SigningAlgorithm } from "@ostiary/contracts";
import type { Deps } from "../deps.ts";
import { findActiveKey, type RingKey } from "./key-ring.ts";

/** `typ` of the protected header: RFC 9068 §2.1 for access tokens. */
export type JwtType = "at+jwt" | "JWT";

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
    // RFC 7518 §3.4: R and S side by side, not DER.
    const signature = sign("sha256", bytes, { key: privateKey, dsaEncoding: "ieee-p1363" });
    return `${input}.${signature.toString("base64url")}`;
  }
  if (key.algorithm === "EdDSA") return `${input}.${sign(null, bytes, privateKey).toString("base64url")}`;
  return new Promise((resolve, reject) => {
    sign("sha256", bytes, privateKey, (error, signature) =>
      error ? reject(error) : resolve(`${input}.${signature.toString("base64url")}`),
    );
  });
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
