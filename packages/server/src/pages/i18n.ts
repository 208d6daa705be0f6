import { readdirSync, readFileSync } from "node:fs";
import { createInstance } from "i18next";
import { html, raw, type SafeHtml } from "./html.ts";
import { type LanguageWishes, negotiateLanguage } from "./languages.ts";
import type en from "./locales/en.json";

type PluralSuffix = "_zero" | "_one" | "_two" | "_few" | "_many" | "_other";
type WithoutSuffix<Key> = Key extends `${infer Base}${PluralSuffix}` ? Base : Key;

/** A key of the catalogue. English is the reference; a test compares the others with it. */
export type MessageKey = WithoutSuffix<keyof typeof en>;

/** `count` chooses the plural form; write `{{count, number}}` in the text. */
export type MessageValues = Record<string, string | number>;

/** A text with its values, for those that need some. */
export type Message = MessageKey | { key: MessageKey; values: MessageValues };

/** Texts, dates and numbers of one language. */
export interface Texts {
  /** BCP 47 tag, for `lang`. */
  readonly language: string;
  readonly direction: "ltr" | "rtl";
  t(message: Message, values?: MessageValues): string;
  /** Like `t`, with markup for the values: a name in `<bdi>`, say. The text itself is escaped. */
  rich(key: MessageKey, values: Record<string, SafeHtml>): SafeHtml;
  /** Day and minute with the zone's name. `timeZone` is an IANA name; an unknown one counts as UTC. */
  dateTime(moment: Date, timeZone?: string): string;
  date(moment: Date, timeZone?: string): string;
  /** "5 minutes ago"; the largest whole unit, nothing finer than a minute. */
  ago(moment: Date, now: Date): string;
}

// From the sources, as the style sheet and the script: the build compiles TypeScript and copies nothing.
const LOCALES = new URL("../../src/pages/locales/", import.meta.url);

function readCatalogues(): Map<string, Record<string, string>> {
  const files = readdirSync(LOCALES).filter((name) => name.endsWith(".json"));
  // English first: the first one is what a visitor gets who asks for none that exists.
  files.sort(
    (one, other) => Number(other === "en.json") - Number(one === "en.json") || (one < other ? -1 : 1),
  );
  return new Map(
    files.map((name) => [name.slice(0, -5), JSON.parse(readFileSync(new URL(name, LOCALES), "utf8"))]),
  );
}

const catalogues = readCatalogues();

/** Every language that has a catalogue; a new file in `locales/` is all it takes. */
export const LANGUAGES: readonly string[] = [...catalogues.keys()];

const i18n = createInstance({
  resources: Object.fromEntries([...catalogues].map(([tag, translation]) => [tag, { translation }])),
  supportedLngs: LANGUAGES,
  fallbackLng: "en",
  load: "currentOnly",
  keySeparator: false,
  nsSeparator: false,
  initAsync: false,
  interpolation: { escapeValue: false }, // `html` escapes, once and for all
});
await i18n.init();

export function chooseLanguage(wishes: LanguageWishes): string {
  return negotiateLanguage(wishes, LANGUAGES);
}

/** The language's name in itself, for the switch. */
export function languageName(tag: string): string {
  const language = catalogues.get(tag)?.["language.name"];
  return language ?? tag;
}

const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
] as const;

function ago(language: string, moment: Date, now: Date): string | null {
  const elapsed = now.getTime() - moment.getTime();
  const unit = UNITS.find(([, milliseconds]) => elapsed >= milliseconds);
  if (!unit) return null;
  const [name, milliseconds] = unit;
  return new Intl.RelativeTimeFormat(language).format(-Math.floor(elapsed / milliseconds), name);
}

const DATE = { day: "numeric", month: "short", year: "numeric" } as const;
const DATE_TIME = { ...DATE, hour: "numeric", minute: "2-digit", timeZoneName: "short" } as const;

function format(
  language: string,
  options: Intl.DateTimeFormatOptions,
  moment: Date,
  timeZone: string,
): string {
  try {
    return new Intl.DateTimeFormat(language, { ...options, timeZone }).format(moment);
  } catch (error) {
    if (!(error instanceof RangeError) || timeZone === "UTC") throw error;
    return format(language, options, moment, "UTC");
  }
}

/** Marks the place of a value while the text around it is escaped. Never in a text or a value: it is not a character. */
const MARK = "\uffff";

function makeTexts(language: string): Texts {
  const translate = i18n.getFixedT(language);
  const t = (message: Message, values: MessageValues = {}): string =>
    typeof message === "string"
      ? translate(message, values)
      : translate(message.key, { ...values, ...message.values });
  return {
    language,
    direction: i18n.dir(language) === "rtl" ? "rtl" : "ltr",
    t,
    rich(key, values) {
      const places = Object.keys(values).map((name) => [name, `${MARK}${name}${MARK}`] as const);
      const parts = t(key, Object.fromEntries(places)).split(MARK);
      return html`${parts.map((part, index) => (index % 2 === 1 ? (values[part] ?? raw("")) : part))}`;
    },
    date: (moment, timeZone = "UTC") => format(language, DATE, moment, timeZone),
    dateTime: (moment, timeZone = "UTC") => format(language, DATE_TIME, moment, timeZone),
    ago: (moment, now) => ago(language, moment, now) ?? t("time.justNow"),
  };
}

const texts = new Map(LANGUAGES.map((tag) => [tag, makeTexts(tag)]));

/** The texts of a language; of English when it has no catalogue. */
export function textsFor(language: string): Texts {
  return texts.get(language) ?? texts.get("en") ?? makeTexts("en");
}
