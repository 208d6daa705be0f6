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
  for (const [name, value] of pairsOf(body.toString("utf8"))) {
    checkText(name);
    checkText(value);
    if (name in values) throw new IdentityError("request.duplicate_key", { reason: `repeated ${name}` });
    values[name] = value;
  }
  return values;
}

/** Escapes are seldom; without them the pairs are where the separators are, at half the time. */
function pairsOf(text: string): Iterable<[string, string]> {
  if (/[%+]/.test(text)) return new URLSearchParams(text);
  return text
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const equals = pair.indexOf("=");
      return equals < 0 ? [pair, ""] : [pair.slice(0, equals), pair.slice(equals + 1)];
    });
}

/** Percent-encoded bytes that are no UTF-8 are decoded to U+FFFD; nobody types that character. */
function checkText(text: string): void {
  if (text.includes("\0") || text.includes("\uFFFD")) throw new IdentityError("request.invalid_text");
}
