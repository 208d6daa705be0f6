import { isUtf8 } from "node:buffer";
import { IdentityError } from "@ostiary/contracts";

/** Deeper than any body of ours (a tree of organizational units in one request is the deepest). */
const MAX_DEPTH = 32;

/**
 * Parses a JSON body and refuses what `JSON.parse` lets pass but two parsers would read differently (RFC 8259 §4,
 * §8.2; I-JSON, RFC 7493): invalid UTF-8, duplicate keys, lone surrogates; also null characters (PostgreSQL text
 * cannot hold them), the key `__proto__`, and nesting deeper than 32.
 *
 * @returns `undefined` for an empty body.
 * @throws IdentityError `request.malformed_json`, `request.duplicate_key`, `request.too_deep`, `request.invalid_text`
 */
export function parseStrictJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  if (!isUtf8(body)) throw new IdentityError("request.invalid_text", { reason: "body is not UTF-8" });
  const text = body.toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new IdentityError("request.malformed_json", { cause: error });
  }
  scan(text, text.includes("\\"));
  return value;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** One pass over text that is known to be valid JSON. Where nothing is escaped, a string ends at the next quote. */
function scan(text: string, hasEscapes: boolean): void {
  const stack: (Set<string> | null)[] = []; // the keys seen in each open object; null for an array
  let keys: Set<string> | null = null;
  let expectKey = false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === QUOTE) {
      const end = hasEscapes ? stringEnd(text, i) : text.indexOf('"', i + 1);
      if (expectKey && keys) checkKey(keys, text, i, end);
      expectKey = false;
      i = end;
    } else if (char === COMMA) {
      expectKey = keys !== null;
    } else if (char === OPEN_BRACE || char === OPEN_BRACKET) {
      if (stack.length === MAX_DEPTH) throw new IdentityError("request.too_deep");
      stack.push(keys);
      keys = char === OPEN_BRACE ? new Set() : null;
      expectKey = char === OPEN_BRACE;
    } else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) {
      keys = stack.pop() ?? null;
      expectKey = false;
    }
  }
}

/** The index of the closing quote of the string that opens at `start`. */
function stringEnd(text: string, start: number): number {
  for (let i = start + 1; ; i++) {
    const char = text.charCodeAt(i);
    if (char === QUOTE) return i;
    if (char === BACKSLASH) {
      if (text[i + 1] === "u") i = checkEscape(text, i);
      else i++;
    }
  }
}

/** Checks the `\uXXXX` at `at`; returns the index of its last character (of the pair's, for a surrogate pair). */
function checkEscape(text: string, at: number): number {
  const unit = Number.parseInt(text.slice(at + 2, at + 6), 16);
  if (unit === 0) throw new IdentityError("request.invalid_text", { reason: "null character" });
  if (unit < 0xd800 || unit > 0xdfff) return at + 5;
  const low = text.slice(at + 6, at + 8) === "\\u" ? Number.parseInt(text.slice(at + 8, at + 12), 16) : 0;
  if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff) {
    throw new IdentityError("request.invalid_text", { reason: "lone surrogate" });
  }
  return at + 11;
}

function checkKey(keys: Set<string>, text: string, start: number, end: number): void {
  const raw = text.slice(start + 1, end);
  const key = raw.includes("\\") ? String(JSON.parse(`"${raw}"`)) : raw;
  if (key === "__proto__") throw new IdentityError("request.invalid", { reason: "key __proto__" });
  if (keys.has(key)) throw new IdentityError("request.duplicate_key", { reason: "duplicate key" });
  keys.add(key);
}
