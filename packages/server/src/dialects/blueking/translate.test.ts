import { describe, expect, it } from "vitest";
import { toLanguage, toLoginRequired, toTimeZone, toUsername } from "./translate.ts";

const ID = "0123456789abcdef01234567";

describe("a username for BlueKing", () => {
  it("is the username, or the id of who has none: never empty", () => {
    expect(toUsername({ userId: ID, username: "zs" })).toBe("zs");
    expect(toUsername({ userId: ID, username: null })).toBe(ID);
    expect(toUsername({ userId: ID, username: "" })).toBe(ID);
  });

  it("is not one that looks like somebody else's id", () => {
    expect(toUsername({ userId: ID, username: "f".repeat(24) })).toBe(ID);
  });
});

describe("a time zone", () => {
  it.each([
    ["Europe/Berlin", "Europe/Berlin"],
    ["Asia/Calcutta", "Asia/Calcutta"],
    ["America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"],
    ["Etc/GMT+8", "Etc/GMT+8"],
    ["UTC", "UTC"],
    ["europe/berlin", "Asia/Shanghai"],
    ["/etc/passwd", "Asia/Shanghai"],
    ["../../etc/passwd", "Asia/Shanghai"],
    ["Europe//Berlin", "Asia/Shanghai"],
    ["+08:00", "Asia/Shanghai"],
    ["Moon/Base", "Asia/Shanghai"],
    ["", "Asia/Shanghai"],
    [null, "Asia/Shanghai"],
  ])("%j becomes %s", (wish, zone) => {
    expect(toTimeZone(wish, "Asia/Shanghai")).toBe(zone);
  });

  it("is UTC where the tenant's own is none", () => {
    expect(toTimeZone("nowhere", "nowhere")).toBe("UTC");
  });
});

it("has the two languages of BlueKing", () => {
  expect(toLanguage("zh-TW", "en")).toBe("zh-cn");
  expect(toLanguage("de", "zh-cn")).toBe("en");
  expect(toLanguage(null, "zh-cn")).toBe("zh-cn");
});

it("says to scripts where to sign in, slashes as they are", () => {
  expect(toLoginRequired("https://id/login/plain/", "https://app/a?b=c", "shop")).toEqual({
    login_url: "https://id/login/plain/?c_url=https%3A//app/a%3Fb%3Dc&app_code=shop",
    width: 460,
    height: 490,
    has_plain: true,
  });
  expect(toLoginRequired("https://id/login/plain/", undefined, "").login_url).toBe("https://id/login/plain/");
});
