import type { JsonValue } from "@ostiary/contracts";

/** Characters of everything that is kept of one call's headers, query and body. */
const BUDGET = 8_192;
const MAXIMUM_TEXT = 2_048;
const MAXIMUM_DEPTH = 8;
const MAXIMUM_ENTRIES = 100;

const HIDDEN = "[redacted]";
const CUT = "[cut]";

/** Names of fields and headers whose values nobody should see. */
const SECRET_NAME =
  /passw|pwd|secret|token|credential|authorization|cookie|signature|session|api[-_]?key|access[-_]?key|private[-_]?key|^otp$|^pin$|^code$/i;

/** A quick look, before the costly ones. */
const SUSPICIOUS = /bearer|basic|eyJ|ak_|passw|pwd|secret|token|key/i;
const CREDENTIALS: [RegExp, string][] = [
  [/\b(?:bearer|basic)\s+[^\s"',;]+/gi, HIDDEN],
  [/\beyJ[\w-]+(?:\.[\w-]+){1,4}/g, HIDDEN],
  [/\bak_[\w-]{8,}/g, HIDDEN],
  [
    /((?:passw(?:or)?d|pwd|secret|token|(?:api|access|private)[-_]?key)[\w-]{0,32}\\?["']?\s{0,4}[=:]\s{0,4}\\?["']?)[^&\s"',;}\\]+/gi,
    `$1${HIDDEN}`,
  ],
];

/** A text without credentials, null characters and lone surrogates, cut to `maximum` characters. */
export function redactText(text: string, maximum = MAXIMUM_TEXT): string {
  // A credential at the cut must not lose the end by which it is known: cut first, then look.
  let kept = (text.length > maximum ? text.slice(0, maximum) : text).toWellFormed();
  if (kept.includes("\0")) kept = kept.replaceAll("\0", "");
  if (!SUSPICIOUS.test(kept)) return kept;
  for (const [pattern, replacement] of CREDENTIALS) kept = kept.replace(pattern, replacement);
  return kept;
}

/**
 * What is kept of a call's parameters: the same value without credentials, bounded in size and depth. Runs before
 * anything is stored or logged.
 */
export function redact(value: JsonValue): JsonValue {
  return walk(value, { left: BUDGET }, 0);
}

function walk(value: JsonValue, budget: { left: number }, depth: number): JsonValue {
  if (budget.left <= 0 || depth > MAXIMUM_DEPTH) return CUT;
  if (typeof value === "string") {
    const kept = redactText(value, Math.min(MAXIMUM_TEXT, budget.left));
    budget.left -= kept.length + 2;
    return kept;
  }
  if (value === null || typeof value !== "object") {
    budget.left -= 8;
    return value;
  }
  if (Array.isArray(value)) {
    return value.slice(0, MAXIMUM_ENTRIES).map((item) => walk(item, budget, depth + 1));
  }
  const kept: Record<string, JsonValue> = {};
  let entries = 0;
  for (const name in value) {
    if (++entries > MAXIMUM_ENTRIES || budget.left <= 0) break;
    const item = value[name];
    if (item === undefined || name === "__proto__") continue;
    const shown = name.length > 128 ? redactText(name, 128) : redactText(name);
    budget.left -= shown.length + 4;
    kept[shown] = SECRET_NAME.test(name) && item !== null ? HIDDEN : walk(item, budget, depth + 1);
  }
  return kept;
}
