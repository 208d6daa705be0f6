import type { webcrypto } from "node:crypto";

/** A client's own key for private_key_jwt, ES256. */
export interface ClientKey {
  privateKey: webcrypto.CryptoKey;
  kid: string;
  /** For the application's registration. */
  jwks: { keys: Record<string, string>[] };
  /** A compact JWS over these claims. */
  sign(claims: object): Promise<string>;
}

export async function aClientKey(kid = "1"): Promise<ClientKey> {
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  const { privateKey, publicKey } = await crypto.subtle.generateKey(curve, true, ["sign", "verify"]);
  const { kty = "", crv = "", x = "", y = "" } = await crypto.subtle.exportKey("jwk", publicKey);
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  return {
    privateKey,
    kid,
    jwks: { keys: [{ kty, crv, x, y, kid, alg: "ES256" }] },
    sign: async (claims) => {
      const input = `${encode({ alg: "ES256", kid })}.${encode(claims)}`;
      const algorithm = { name: "ECDSA", hash: "SHA-256" };
      const signature = await crypto.subtle.sign(algorithm, privateKey, Buffer.from(input));
      return `${input}.${Buffer.from(signature).toString("base64url")}`;
    },
  };
}
