/** One language range of an Accept-Language header with its weight, 0 to 1. */
interface Range {
  tag: string;
  weight: number;
}

/** More ranges than any browser sends; the rest of a longer header is ignored. */
const MAX_RANGES = 20;

/**
 * Reads an Accept-Language header, best first; equal weights keep their order. Parts that are not well formed are
 * passed over, a range with `q=0` ("not acceptable") is dropped.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4
 */
export function parseAcceptLanguage(header: string): string[] {
  const ranges: Range[] = [];
  for (const part of header.slice(0, 1_000).split(",", MAX_RANGES)) {
    const match = /^\s*([a-z]{1,8}(?:-[a-z0-9]{1,8})*|\*)\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?$/i.exec(part);
    if (!match?.[1]) continue;
    const weight = match[2] === undefined ? 1 : Math.min(Number(match[2]), 1);
    if (weight > 0) ranges.push({ tag: match[1], weight });
  }
  return ranges.sort((one, other) => other.weight - one.weight).map((range) => range.tag);
}

/**
 * The supported language for one wanted tag: exact, then with the last subtags cut off (RFC 4647 §3.4), then any with
 * the same primary language, so that `zh-Hans-SG` and `zh` both find `zh-CN`. Null when there is none.
 */
function lookUp(wanted: string, supported: readonly string[]): string | null {
  const subtags = wanted.toLowerCase().split("-");
  for (let length = subtags.length; length > 0; length--) {
    const prefix = subtags.slice(0, length).join("-");
    const found = supported.find((tag) => tag.toLowerCase() === prefix);
    if (found) return found;
  }
  return supported.find((tag) => tag.toLowerCase().split("-")[0] === subtags[0]) ?? null;
}

export interface LanguageWishes {
  /** `ui_locales`: space-separated BCP 47 tags in order of preference (OpenID Connect Core §3.1.2.1). */
  uiLocales?: string | undefined;
  /** What the switch on an earlier page left behind. */
  cookie?: string | undefined;
  acceptLanguage?: string | undefined;
  /** The tenant's own language, for who wishes none that we have. */
  fallback?: string | undefined;
}

/** Chooses among `supported`: request parameter, cookie, Accept-Language, fallback, then the first supported. */
export function negotiateLanguage(wishes: LanguageWishes, supported: readonly string[]): string {
  const wanted = [
    ...(wishes.uiLocales ?? "").slice(0, 200).split(/\s+/).filter(Boolean),
    ...(wishes.cookie ? [wishes.cookie.slice(0, 35)] : []),
    ...parseAcceptLanguage(wishes.acceptLanguage ?? ""),
  ];
  for (const tag of wanted) {
    if (tag === "*") break;
    const found = lookUp(tag, supported);
    if (found) return found;
  }
  return (wishes.fallback && lookUp(wishes.fallback, supported)) || (supported[0] ?? "en");
}
