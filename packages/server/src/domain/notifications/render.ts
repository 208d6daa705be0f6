import type { RenderedMessage } from "@ostiary/contracts";
import { escapeHtml } from "../../kernel/escape-html.ts";
import { type MessageWords, wordOf } from "./words.ts";

export type MessageValues = Readonly<Record<string, string | number>>;

const PLACEHOLDER = /\{\{([a-z]+)\}\}/g;
/** Control characters would begin header lines; the others turn the order of what is read. */
const TREACHEROUS = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;
const LONGEST_VALUE = 200;
const LONGEST_LINK = 2_048;

/** What stands between `{{` and `}}` of a text. */
export function placeholdersIn(text: string): string[] {
  return [...text.matchAll(/\{\{(.*?)\}\}/gs)].map(([, name = ""]) => name);
}

/**
 * Puts values into words. Values are one line and bounded, whatever they are; in HTML they are escaped. Without HTML
 * of its own a mail gets that of its text: paragraphs, with `{{code}}` and `{{link}}` set apart where they stand alone.
 */
export function renderMessage(words: MessageWords, locale: string, values: MessageValues): RenderedMessage {
  const shown = new Map(Object.entries(values).map(([name, value]) => [name, show(locale, name, value)]));
  const fill = (text: string, quote: (value: string) => string) =>
    text.replaceAll(PLACEHOLDER, (_all, name: string) => quote(shown.get(name) ?? ""));
  const plain = (text: string) => fill(text, (value) => value);
  if (words.subject === null) return { subject: null, text: plain(words.text), html: null };
  const subject = plain(words.subject);
  const own = words.html === null ? undefined : fill(words.html, escapeHtml);
  const body = own ?? paragraphsOf(words.text, (text) => fill(escapeHtml(text), escapeHtml));
  const isDocument = own !== undefined && /^\s*<(?:!doctype|html)/i.test(own);
  return {
    subject,
    text: plain(words.text),
    html: isDocument ? own : documentOf(locale, subject, body),
  };
}

function show(locale: string, name: string, value: string | number): string {
  const text = name === "time" ? showTime(locale, String(value)) : wordOf(locale, String(value));
  const most = name === "link" || name === "site" ? LONGEST_LINK : LONGEST_VALUE;
  return text.replaceAll(TREACHEROUS, " ").trim().slice(0, most);
}

function showTime(locale: string, iso: string): string {
  const format = {
    day: "numeric",
    month: "long",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone: "UTC",
    timeZoneName: "short",
  } as const;
  return new Intl.DateTimeFormat(knownLocale(locale), format).format(new Date(iso));
}

/** A tenant may have words in a language whose tag has the form of one and is none. */
function knownLocale(tag: string): string {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? "en";
  } catch {
    return "en";
  }
}

const CODE_STYLE =
  "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:28px;letter-spacing:4px;margin:0 0 16px";

function paragraphsOf(text: string, fill: (text: string) => string): string {
  const paragraph = (part: string): string => {
    if (part === "--") return '<hr style="border:0;border-top:1px solid #d1d5db;margin:24px 0 16px">';
    const content = fill(part).replaceAll("\n", "<br>");
    if (part === "{{code}}") return `<p style="${CODE_STYLE}"><strong>${content}</strong></p>`;
    if (part === "{{link}}") {
      return `<p style="margin:0 0 16px;word-break:break-all"><a href="${content}">${content}</a></p>`;
    }
    return `<p style="margin:0 0 16px">${content}</p>`;
  };
  return text
    .split(/\n{2,}/)
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map(paragraph)
    .join("\n");
}

function documentOf(locale: string, title: string, body: string): string {
  return `<!doctype html>
<html lang="${escapeHtml(locale)}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title></head>
<body style="margin:0;padding:24px;font-family:system-ui,-apple-system,'Segoe UI',sans-serif;font-size:16px;line-height:1.5;color:#1f2937;background:#fff">
<div style="max-width:32rem;margin:0 auto">
${body}
</div></body></html>
`;
}
