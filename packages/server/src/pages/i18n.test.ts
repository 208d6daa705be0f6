import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { html } from "./html.ts";
import { LANGUAGES, languageName, textsFor } from "./i18n.ts";

const HERE = new URL(".", import.meta.url);
const SUFFIX = /_(zero|one|two|few|many|other)$/;

function catalogue(language: string): Record<string, string> {
  return JSON.parse(readFileSync(new URL(`locales/${language}.json`, HERE), "utf8"));
}

function baseKeys(texts: Record<string, string>): string[] {
  return [...new Set(Object.keys(texts).map((key) => key.replace(SUFFIX, "")))].sort();
}

/** The values a text wants: `{{name}}` and `{{name, number}}` alike. */
function places(text: string): string[] {
  return [...text.matchAll(/\{\{\s*(\w+)/g)].map(([, name]) => name ?? "").sort();
}

const english = catalogue("en");

/** The sources of the pages, without tests. */
const sources = readdirSync(HERE)
  .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
  .map((name) => readFileSync(new URL(name, HERE), "utf8"))
  .join("\n");

describe.each(LANGUAGES)("the catalogue %s", (language) => {
  const texts = catalogue(language);

  it("has every key and no other", () => {
    expect(baseKeys(texts)).toEqual(baseKeys(english));
  });

  it("has exactly the plural forms of its language", () => {
    const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories.map(String).sort();
    const plurals = Object.keys(texts).filter((key) => SUFFIX.test(key));
    for (const base of new Set(plurals.map((key) => key.replace(SUFFIX, "")))) {
      const own = plurals.filter((key) => key.replace(SUFFIX, "") === base);
      expect(own.map((key) => SUFFIX.exec(key)?.[1]).sort(), base).toEqual(forms);
    }
  });

  it("uses the same values as English", () => {
    for (const [key, text] of Object.entries(texts)) {
      const model = english[key] ?? english[key.replace(SUFFIX, "_other")] ?? "";
      // A singular may leave the number out: "in a minute".
      if (!SUFFIX.test(key)) expect(places(text), key).toEqual(places(model));
      else expect(places(model), key).toEqual(expect.arrayContaining(places(text)));
    }
  });

  it("is calm and complete", () => {
    for (const [key, text] of Object.entries(texts)) {
      expect(text.trim(), key).toBe(text);
      expect(text, key).not.toMatch(/^$|[!！]/);
    }
  });
});

it("has no text that no page uses", () => {
  const unused = baseKeys(english).filter(
    // `field.${name}` is the label of the field of that name, and each of these stands at its field too.
    (key) => !sources.includes(`"${key}"`) && !sources.includes(`\`${key}\``),
  );
  // Read for the language switch by its own name, from each catalogue.
  expect(unused).toEqual([]);
});

describe("texts", () => {
  it("come with numbers and plurals of the language", () => {
    const message = (count: number) => ({ key: "problem.wait", values: { count } }) as const;
    expect(textsFor("en").t(message(1))).toContain("in a minute");
    expect(textsFor("en").t(message(1_500))).toContain("1,500 minutes");
    expect(textsFor("zh-CN").t(message(15))).toContain("15 分钟");
  });

  it("put a field's label into the sentence about it", () => {
    const message = { key: "problem.required", values: { field: "field.password" } } as const;
    expect(textsFor("en").t(message)).toBe("Fill in “Password”.");
    expect(textsFor("zh-CN").t(message)).toBe("请填写“密码”。");
  });

  it("never interpret what stands in a value", () => {
    const hostile = "{{tenant}}$t(signIn.title)<b>";
    expect(textsFor("en").t("layout.errorTitle", { title: hostile })).toBe(`Error: ${hostile}`);
  });

  it("take markup as a value and escape the rest", () => {
    expect(
      textsFor("en")
        .rich("signIn.toApplication", { application: html`<b>${"<"}</b>` })
        .toString(),
    ).toBe("to continue to <b>&lt;</b>");
  });

  it("write moments in the person's zone, and in UTC when the zone is nonsense", () => {
    const moment = new Date("2026-01-02T20:00:00Z");
    expect(textsFor("en").date(moment, "Asia/Shanghai")).toBe("Jan 3, 2026");
    expect(textsFor("zh-CN").date(moment, "No/Where")).toBe("2026年1月2日");
    expect(textsFor("en").dateTime(moment)).toMatch(/Jan 2, 2026.*UTC/);
  });

  it("say how long ago, in the largest unit", () => {
    const now = new Date("2026-01-02T20:00:00Z");
    const before = (minutes: number) => new Date(now.getTime() - minutes * 60_000);
    const { ago } = textsFor("en");
    expect(ago(before(0.5), now)).toBe("just now");
    expect(ago(before(-5), now)).toBe("just now"); // another server's clock
    expect(ago(before(59), now)).toBe("59 minutes ago");
    expect(ago(before(60), now)).toBe("1 hour ago");
    expect(ago(before(3 * 1_440), now)).toBe("3 days ago");
  });

  it("fall back to English for a language without a catalogue", () => {
    expect(textsFor("xx").language).toBe("en");
    expect(languageName("zh-CN")).toBe("简体中文");
  });
});
