import { isUtf8 } from "node:buffer";
import { IdentityError } from "@ostiary/contracts";

/**
 * Parses `application/x-www-form-urlencoded` into an object without prototype. OAuth forbids repeated parameters
 * (RFC 6749 §3.1, §3.2) and our pages never send them, so a repeated name is refused everywhere.
 *
 * @throws IdentityError `request.invalid_text`, `request.duplicate_key`
 */
export function parseForm(body: Buffer | string): Record<string, string> {
  if (typeof body !== "string" && !isUtf8(body)) throw new IdentityError("request.invalid_text");
  const values: Record<string, string> = Object.create(null);
  for (const [name, value] of new URLSearchParams(body.toString("utf8"))) {
    checkText(name);
    checkText(value);
    if (name in values) throw new IdentityError("request.duplicate_key", { reason: `repeated ${name}` });
    values[name] = value;
  }
  return values;
}

/** Percent-encoded bytes that are no UTF-8 are decoded to U+FFFD; nobody types that character. */
function checkText(text: string): void {
  if (text.includes("\0") || text.includes("\uFFFD")) throw new IdentityError("request.invalid_text");
}
