import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { negotiateLanguage, parseAcceptLanguage } from "./languages.ts";

const SUPPORTED = ["en", "zh-CN"];

describe("parseAcceptLanguage", () => {
  it("puts the best first, keeps the order of equals and drops what is not acceptable", () => {
    expect(parseAcceptLanguage("en;q=0.5, zh-CN, fr;q=0.5, de;q=0, es;q=0.9")).toEqual([
      "zh-CN",
      "es",
      "en",
      "fr",
    ]);
  });

  it("passes over what is not well formed", () => {
    expect(parseAcceptLanguage("en;q=high, ;, zh-TW ; q=0.8 ,, ../etc")).toEqual(["zh-TW"]);
  });

  it("takes any text without failing", () => {
    fc.assert(fc.property(fc.string(), (header) => Array.isArray(parseAcceptLanguage(header))));
  });
});

describe("negotiateLanguage", () => {
  it("asks ui_locales first, then the cookie, then the header", () => {
    const wishes = { uiLocales: "zh-CN", cookie: "en", acceptLanguage: "en" };
    expect(negotiateLanguage(wishes, SUPPORTED)).toBe("zh-CN");
    expect(negotiateLanguage({ ...wishes, uiLocales: "fr de" }, SUPPORTED)).toBe("en");
    expect(negotiateLanguage({ acceptLanguage: "fr, zh;q=0.8, en;q=0.5" }, SUPPORTED)).toBe("zh-CN");
  });

  it.each([
    ["zh", "zh-CN"],
    ["ZH-cn", "zh-CN"],
    ["zh-Hans-SG", "zh-CN"],
    ["en-GB", "en"],
    ["fr", "en"],
    ["*", "en"],
    ["", "en"],
  ])("answers %j with %s", (uiLocales, expected) => {
    expect(negotiateLanguage({ uiLocales }, SUPPORTED)).toBe(expected);
  });
});
