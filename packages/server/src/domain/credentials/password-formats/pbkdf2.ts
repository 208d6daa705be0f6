import { pbkdf2 } from "node:crypto";
import { promisify } from "node:util";
import { equalBytes } from "../../../kernel/constant-time.ts";
import { COST_LIMITS, decodeBase64, type PasswordFormat } from "./password-format.ts";

const derive = promisify(pbkdf2);

// Django: algorithm$iterations$salt$hash, the salt being text. https://docs.djangoproject.com/en/5.2/topics/auth/passwords/
const DJANGO = /^pbkdf2_(sha1|sha256)\$([1-9]\d{0,7})\$([^$\s]{1,128})\$([A-Za-z0-9+/]{22,172}={0,2})$/;
// passlib ($pbkdf2-sha256$29000$…) and the PHC string format ($pbkdf2-sha256$i=29000,l=32$…).
const PHC =
  /^\$pbkdf2(?:-(sha1|sha256|sha512))?\$(?:i=)?([1-9]\d{0,7})(?:,l=(\d{1,3}))?\$([A-Za-z0-9+/.]{0,172})\$([A-Za-z0-9+/.]{22,172})$/;

/**
 * All makers use the whole digest. A shorter hash would be the beginning of a longer one, and so still match; a longer
 * one costs all iterations again for each block (RFC 8018 §5.2 step 3).
 */
const DIGEST_BYTES: Readonly<Record<string, number>> = { sha1: 20, sha256: 32, sha512: 64 };

/** PBKDF2 (RFC 8018 §5.2) as Django, passlib and the PHC string format write it, over SHA-1, SHA-256 or SHA-512. */
export const pbkdf2Format: PasswordFormat = (text) => {
  const django = DJANGO.exec(text);
  if (django) {
    const [, digest = "", iterations, salt = "", hash = ""] = django;
    return parsed(digest, Number(iterations), Buffer.from(salt), decodeBase64(hash));
  }
  const phc = PHC.exec(text);
  if (!phc) return undefined;
  const [, digest = "sha1", iterations, length, salt = "", hash = ""] = phc;
  const expected = decodeBase64(hash);
  if (length !== undefined && Number(length) !== expected.length) return "unsafe";
  return parsed(digest, Number(iterations), decodeBase64(salt), expected);
};

function parsed(
  digest: string,
  iterations: number,
  salt: Buffer,
  expected: Buffer,
): ReturnType<PasswordFormat> {
  if (iterations > COST_LIMITS.pbkdf2Iterations) return "unsafe";
  if (expected.length !== DIGEST_BYTES[digest]) return "unsafe";
  return {
    format: `pbkdf2-${digest}`,
    verify: async (password) =>
      equalBytes(await derive(password, salt, iterations, expected.length, digest), expected),
  };
}
