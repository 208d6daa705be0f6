import { IdentityError } from "@ostiary/contracts";
import { argon2Format } from "./argon2.ts";
import { bcryptFormat } from "./bcrypt.ts";
import { digestFormat, wrappedFormat } from "./digest.ts";
import type { ParsedPasswordHash, PasswordFormat } from "./password-format.ts";
import { pbkdf2Format } from "./pbkdf2.ts";
import { scryptFormat } from "./scrypt.ts";
import { shaCryptFormat } from "./sha-crypt.ts";

/** Every family that is understood; the first that recognises the text decides. */
const FORMATS: readonly PasswordFormat[] = [
  argon2Format,
  bcryptFormat,
  pbkdf2Format,
  scryptFormat,
  shaCryptFormat,
  wrappedFormat,
  digestFormat,
];

/** No supported format needs more; the patterns are never run on longer text. In UTF-16 code units. */
const MAXIMUM_LENGTH = 1_024;

/**
 * Reads a password hash of any supported format, without computing anything.
 *
 * @throws IdentityError `credential.unsupported_hash` for an unknown format, and for parameters whose verification
 *   would cost too much memory or time (see COST_LIMITS) or protect nothing.
 */
export function parsePasswordHash(text: string): ParsedPasswordHash {
  if (text.length <= MAXIMUM_LENGTH) {
    for (const format of FORMATS) {
      const parsed = format(text);
      if (parsed === "unsafe") {
        throw new IdentityError("credential.unsupported_hash", { reason: "parameters out of bounds" });
      }
      if (parsed) return parsed;
    }
  }
  throw new IdentityError("credential.unsupported_hash", { reason: "unknown format" });
}
