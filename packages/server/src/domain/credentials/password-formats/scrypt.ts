import { scrypt } from "node:crypto";
import { equalBytes } from "../../../kernel/constant-time.ts";
import { COST_LIMITS, decodeBase64, type PasswordFormat } from "./password-format.ts";

// Django: scrypt$n$salt$r$p$hash, the salt being text.
const DJANGO =
  /^scrypt\$([1-9]\d{0,7})\$([^$\s]{1,128})\$([1-9]\d{0,2})\$([1-9]\d{0,2})\$([A-Za-z0-9+/]{22,172}={0,2})$/;
// passlib and the PHC string format; ln is the binary logarithm of N.
const PHC =
  /^\$scrypt\$ln=([1-9]\d?),r=([1-9]\d{0,2}),p=([1-9]\d{0,2})\$([A-Za-z0-9+/]{0,172})\$([A-Za-z0-9+/]{22,172})$/;

/** passlib's and Django's, in bytes. A shorter hash would be the beginning of a longer one, and so still match. */
const HASH_LENGTHS: readonly number[] = [32, 64];

interface Parameters {
  N: number;
  r: number;
  p: number;
}

/** scrypt (RFC 7914) as Django (`scrypt$…`), passlib and the PHC string format (`$scrypt$ln=…`) write it. */
export const scryptFormat: PasswordFormat = (text) => {
  const django = DJANGO.exec(text);
  if (django) {
    const [, N, salt = "", r, p, hash = ""] = django;
    return parsed({ N: Number(N), r: Number(r), p: Number(p) }, Buffer.from(salt), decodeBase64(hash));
  }
  const phc = PHC.exec(text);
  if (!phc) return undefined;
  const [, ln, r, p, salt = "", hash = ""] = phc;
  return parsed({ N: 2 ** Number(ln), r: Number(r), p: Number(p) }, decodeBase64(salt), decodeBase64(hash));
};

function parsed(parameters: Parameters, salt: Buffer, expected: Buffer): ReturnType<PasswordFormat> {
  if (!isSafe(parameters) || !HASH_LENGTHS.includes(expected.length)) return "unsafe";
  return {
    format: "scrypt",
    verify: async (password) =>
      equalBytes(await derive(password, salt, expected.length, parameters), expected),
  };
}

function isSafe({ N, r, p }: Parameters): boolean {
  const memoryKiB = (128 * N * r) / 1024; // RFC 7914 §5
  return (
    N > 1 &&
    Number.isInteger(Math.log2(N)) &&
    p <= COST_LIMITS.parallelism &&
    memoryKiB <= COST_LIMITS.memoryKiB &&
    2 * memoryKiB * p <= COST_LIMITS.memoryPassesKiB // ROMix writes it once and reads it once: RFC 7914 §5
  );
}

function derive(password: Buffer, salt: Buffer, length: number, { N, r, p }: Parameters): Promise<Buffer> {
  const maxmem = 128 * r * (N + p + 2) + 1024; // node's own default refuses N = 2^15 with r = 8
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, { N, r, p, maxmem }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
