import { hash } from "node:crypto";
import { equalBytes } from "../../../kernel/constant-time.ts";
import { argon2Format } from "./argon2.ts";
import type { PasswordFormat } from "./password-format.ts";

/**
 * Authing does not publish the format of its own hashes, and its console exports none; what a user pool holds is
 * what the customer's "custom password function" wrote, or was imported with `keepPassword`. Its own examples are
 * bcrypt (see bcrypt.ts) and the bare hexadecimal MD5 of the password:
 * https://docs.authing.cn/v2/guides/extensibility/custom-password-script.html
 * SHA-1, SHA-256 and SHA-512 are read in the same manner, and Django's old `md5$salt$hex` and `sha1$salt$hex`.
 */
const BARE: Readonly<Record<number, Digest>> = { 32: "md5", 40: "sha1", 64: "sha256", 128: "sha512" };
const SALTED = /^(md5|sha1)\$([^$\s]{0,128})\$([0-9a-f]{32}|[0-9a-f]{40})$/;
const WRAPPED = /^wrapped\$(md5|sha1|sha256|sha512)\$([A-Za-z0-9_-]{0,512})(\$argon2id\$.{1,400})$/;

type Digest = "md5" | "sha1" | "sha256" | "sha512";

/** A single fast hash. It is no protection when the table is stolen, so `wrapDigest` is applied on import. */
export interface FastDigest {
  digest: Digest;
  salt: string;
  hex: string;
}

export function readFastDigest(text: string): FastDigest | undefined {
  const bare = /^(?:[0-9a-f]+|[0-9A-F]+)$/.test(text) ? BARE[text.length] : undefined;
  if (bare) return { digest: bare, salt: "", hex: text.toLowerCase() };
  const [, digest, salt = "", hex = ""] = SALTED.exec(text) ?? [];
  if (digest === "md5" && hex.length === 32) return { digest, salt, hex };
  if (digest === "sha1" && hex.length === 40) return { digest, salt, hex };
  return undefined;
}

/** Bare hexadecimal MD5, SHA-1, SHA-256, SHA-512; Django's `md5$salt$hex` and `sha1$salt$hex`. */
export const digestFormat: PasswordFormat = (text) => {
  const read = readFastDigest(text);
  if (!read) return undefined;
  return {
    format: read.digest,
    verify: async (password) =>
      equalBytes(Buffer.from(hexDigest(read.digest, read.salt, password)), Buffer.from(read.hex)),
  };
};

/**
 * Our own: `wrapped$md5$<salt, base64url>$argon2id$…` is argon2id over the lowercase hexadecimal digest, so that an
 * imported fast hash is never stored as it came.
 */
export const wrappedFormat: PasswordFormat = (text) => {
  const [, digest, salt = "", inner = ""] = WRAPPED.exec(text) ?? [];
  if (!digest) return undefined;
  const argon2 = argon2Format(inner);
  if (argon2 === undefined || argon2 === "unsafe") return argon2;
  const saltText = Buffer.from(salt, "base64url").toString();
  return {
    format: `wrapped-${digest}`,
    verify: (password) => argon2.verify(Buffer.from(hexDigest(digest, saltText, password))),
  };
};

/** @param argon2id an argon2id PHC string made over `read.hex` */
export function wrapDigest(read: FastDigest, argon2id: string): string {
  return `wrapped$${read.digest}$${Buffer.from(read.salt).toString("base64url")}${argon2id}`;
}

function hexDigest(digest: string, salt: string, password: Buffer): string {
  return hash(digest, Buffer.concat([Buffer.from(salt), password]), "hex");
}
