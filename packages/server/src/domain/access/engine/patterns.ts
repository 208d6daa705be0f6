/** Characters and stars that a pattern may have. */
const MAX_PATTERN_LENGTH = 256;
const MAX_PATTERN_STARS = 8;

/** Whether a text can be a pattern: 1 to 256 characters, at most 8 stars. For the doors through which they come in. */
export function isPattern(text: string): boolean {
  if (text.length === 0 || text.length > MAX_PATTERN_LENGTH) return false;
  return text.split("*").length - 1 <= MAX_PATTERN_STARS;
}

export function isLiteral(pattern: string): boolean {
  return !pattern.includes("*");
}

/**
 * Whether a pattern matches a whole text: `*` stands for any run of characters, also none and also colons; nothing
 * else is special. A star in the text is a character, so `books:*` matches the text `books:*`.
 *
 * Each piece between two stars is taken where it first occurs and never reconsidered, so no pattern explodes.
 */
export function matches(pattern: string, text: string): boolean {
  if (pattern === text || pattern === "*") return true;
  const first = pattern.indexOf("*");
  if (first === -1 || !text.startsWith(pattern.slice(0, first))) return false;
  const last = pattern.lastIndexOf("*");
  const end = text.length - (pattern.length - last - 1);
  if (end < first || !text.endsWith(pattern.slice(last + 1))) return false;
  let at = first;
  for (let star = first; star < last; ) {
    const next = pattern.indexOf("*", star + 1);
    const piece = pattern.slice(star + 1, next);
    const found = text.indexOf(piece, at);
    if (found === -1 || found + piece.length > end) return false;
    at = found + piece.length;
    star = next;
  }
  return true;
}

export function matchesAny(patterns: readonly string[], text: string): boolean {
  for (const pattern of patterns) if (matches(pattern, text)) return true;
  return false;
}
