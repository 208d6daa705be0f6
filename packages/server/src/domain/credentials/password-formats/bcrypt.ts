import { createHash } from "node:crypto";
import { verify } from "@node-rs/bcrypt";
import { COST_LIMITS, type PasswordFormat } from "./password-format.ts";

// Provos and Mazières, "A Future-Adaptable Password Scheme" (1999). 2a, 2b and 2y differ only in mistakes of old
// implementations that no longer exist; 2x marks hashes made by a broken one and is refused. The last characters of
// salt and hash carry four and two bits that must be zero; text where they are not would never verify.
const PATTERN =
  /^(?:bcrypt\$|(bcrypt_sha256\$))?(\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26])$/;

/**
 * `$2a$`, `$2b$`, `$2y$`; Django's `bcrypt$$2b$…`, and `bcrypt_sha256$$2b$…` which hashes the lowercase hexadecimal
 * SHA-256 of the password and so has no length limit.
 */
export const bcryptFormat: PasswordFormat = (text) => {
  const match = PATTERN.exec(text);
  if (!match) return undefined;
  const [, digestFirst, encoded = "", cost] = match;
  if (Number(cost) < 4 || Number(cost) > COST_LIMITS.bcryptCost) return "unsafe";
  if (digestFirst) {
    return {
      format: "bcrypt-sha256",
      verify: (password) => verify(createHash("sha256").update(password).digest("hex"), encoded),
    };
  }
  return {
    format: "bcrypt",
    significantBytes: 72,
    verify: (password) => verify(password, encoded),
  };
};
