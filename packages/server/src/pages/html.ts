import { escapeHtml } from "../kernel/escape-html.ts";

/**
 * Text that may stand in a page as it is. Only this file makes one, so a string from outside cannot pass
 * for markup: the constructor is not exported, and `html` escapes whatever is not an instance.
 */
class Markup {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

export type SafeHtml = Markup;

/** What may stand in a hole of the template. `false`, `null` and `undefined` give nothing, so `x && html…` works. */
export type HtmlValue = SafeHtml | string | number | false | null | undefined | readonly HtmlValue[];

function render(value: HtmlValue): string {
  if (value === false || value === null || value === undefined) return "";
  if (value instanceof Markup) return value.toString();
  if (typeof value === "string") return escapeHtml(value);
  if (typeof value === "number") return String(value);
  return value.map(render).join("");
}

/** Template tag: every hole is escaped. An attribute's hole must stand in quotes; a test reads the sources for that. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): SafeHtml {
  let text = strings[0] ?? "";
  for (const [index, value] of values.entries()) text += render(value) + (strings[index + 1] ?? "");
  return new Markup(text);
}

/** Takes text as markup without escaping. Only for constants of our own; never for anything from a request or a database. */
export function raw(trusted: string): SafeHtml {
  return new Markup(trusted);
}

/** Attributes of one element, with a leading space. `true` gives the bare name; `false` and `undefined` nothing. */
export function attributes(values: Record<string, string | number | boolean | undefined>): SafeHtml {
  let text = "";
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === false) continue;
    text += value === true ? ` ${name}` : ` ${name}="${escapeHtml(String(value))}"`;
  }
  return new Markup(text);
}

const HERE = "https://page.invalid";

function parse(text: string): URL | null {
  return URL.canParse(text, HERE) ? new URL(text, HERE) : null;
}

/** The address if a link may lead there: `http`, `https` or a path of this server; otherwise null. `javascript:` is refused. */
export function linkUrl(text: string | undefined): string | null {
  const url = text === undefined ? null : parse(text);
  return url && (url.protocol === "https:" || url.protocol === "http:") ? (text ?? null) : null;
}

/** The address if the content security policy lets an image come from there: `https`, `data:image/` or a path of this server. */
export function imageUrl(text: string | undefined): string | null {
  const url = text === undefined ? null : parse(text);
  if (!url) return null;
  return url.protocol === "https:" || /^data:image\//i.test(url.href) ? (text ?? null) : null;
}
