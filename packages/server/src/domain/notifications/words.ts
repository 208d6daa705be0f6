import type { MessageChannel, MessageTemplateName } from "@ostiary/contracts";
import type { Catalogue } from "./texts/catalogue.ts";
import { en } from "./texts/en.ts";
import { es } from "./texts/es.ts";
import { zhCn } from "./texts/zh-cn.ts";

/** A message's words before its values are in them. */
export interface MessageWords {
  subject: string | null;
  text: string;
  /** Null: made of the text. */
  html: string | null;
}

const CATALOGUES: ReadonlyMap<string, Catalogue> = new Map([
  ["en", en],
  ["zh-CN", zhCn],
  ["es", es],
]);

export const BUILT_IN_LOCALES: readonly string[] = [...CATALOGUES.keys()];

/** Undefined: not in this language, or not for this channel. */
export function builtInWords(
  template: MessageTemplateName,
  channel: MessageChannel,
  locale: string,
): MessageWords | undefined {
  const catalogue = CATALOGUES.get(locale);
  const words = catalogue?.messages[template];
  if (!catalogue || !words) return undefined;
  if (channel === "sms") {
    return words.sms === undefined ? undefined : { subject: null, text: words.sms, html: null };
  }
  return { subject: words.subject, text: `${words.text}\n\n--\n\n${catalogue.footer}`, html: null };
}

/** A value that is a word itself (`totp`), in the language nearest to `locale`. */
export function wordOf(locale: string, value: string): string {
  const catalogue = CATALOGUES.get(chooseLocale([locale], BUILT_IN_LOCALES));
  return Object.hasOwn(catalogue?.words ?? {}, value) ? (catalogue?.words[value] ?? value) : value;
}

/** The first wish that is there exactly or in another region's form (`zh-TW` finds `zh-CN`); else English. */
export function chooseLocale(wishes: readonly (string | null)[], available: readonly string[]): string {
  const languageOf = (tag: string) => tag.toLowerCase().split("-", 1)[0];
  for (const wish of wishes) {
    if (wish === null) continue;
    const found =
      available.find((tag) => tag.toLowerCase() === wish.toLowerCase()) ??
      available.find((tag) => languageOf(tag) === languageOf(wish));
    if (found !== undefined) return found;
  }
  return "en";
}
