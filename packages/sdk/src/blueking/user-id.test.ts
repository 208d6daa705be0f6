import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BkAuthError } from "./errors.ts";
import { ProviderType } from "./providers.ts";
import { decodeUserId, encodeUserId } from "./user-id.ts";

/** Identical in bkpaas_auth 2.0.3 and 4.4.0. */
const VECTORS: [ProviderType, string, string][] = [
  [ProviderType.UIN, "3", "0167"],
  [ProviderType.RTX, "r", "0226"],
  [ProviderType.UIN, "blueking", "0136c4ff90974290a7"],
  [ProviderType.DATABASE, "admin", "0935cce79c92"],
  [ProviderType.BK, "admin", "0335cce79c92"],
  [ProviderType.RTX, "user1", "0221dbef87cd"],
  [ProviderType.UIN, "12345678", "01659ab9c1c91dc9f8"],
  [ProviderType.RTX, "tom", "0220c7e7"],
  [ProviderType.BK, "张三", "03b1142a1144a2"],
  [ProviderType.BK, "😀", "03a4371275"],
  [ProviderType.BK, "nteuuhzxlh0jcanw", "033adcef80894384b8c7f686f8ff0aabbf"],
  [
    ProviderType.BK,
    "5461b239-5ef2-4c81-a682-5907dbd5f394",
    "03619cbcc49e19cdf986abd3f4ae46f1ab725b4b6b07cc0c8e37bcb26ef9ec1d360390fba5",
  ],
  [ProviderType.BK, "first.last@example.com", "0332c1f886880592a1d8eaf6f7e40aa8b8260f48695e99"],
  [ProviderType.BK, "", "03"],
];

const refusal = (attempt: () => unknown): string => {
  try {
    attempt();
  } catch (error) {
    if (error instanceof BkAuthError) return error.code;
    throw error;
  }
  return "nothing was thrown";
};

describe("the user id", () => {
  it.each(VECTORS)("of provider %i and %j is %s, both ways", (provider, username, id) => {
    expect(encodeUserId(provider, username)).toBe(id);
    expect(decodeUserId(id)).toEqual({ provider, username });
    expect(decodeUserId(id.toUpperCase())).toEqual({ provider, username });
  });

  it("is a fixed key stream over the bytes", () => {
    const zeros = encodeUserId(ProviderType.BK, "\0".repeat(32));
    expect(zeros.slice(2)).toBe("54a88af5fc2bfec0ab9eb6929c6bc5c84a6a660a31f43ea3028582599d8e7903");
  });

  it("comes back as it went in, for every username that fits", () => {
    const username = fc
      .string({ unit: "grapheme", maxLength: 60 })
      .filter((text) => text.isWellFormed() && new TextEncoder().encode(text).length <= 126);
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(ProviderType)), username, (provider, name) => {
        expect(decodeUserId(encodeUserId(provider, name))).toEqual({ provider, username: name });
      }),
    );
  });

  it.each([
    "",
    "0",
    "3",
    "033",
    "0335c",
    "03zz",
    "0a35",
    "-135",
    "+335",
    " 335",
    "0035cce79c92",
    "0435",
    "03ff\n",
  ])("is refused as %j", (id) => expect(refusal(() => decodeUserId(id))).toBe("user_id.invalid"));

  it("is refused when its bytes are no UTF-8, or too many", () => {
    expect(refusal(() => decodeUserId("03aa"))).toBe("user_id.invalid");
    expect(refusal(() => decodeUserId(`03${"35".repeat(127)}`))).toBe("user_id.invalid");
    expect(refusal(() => encodeUserId(ProviderType.BK, "a".repeat(127)))).toBe("user_id.invalid");
    expect(refusal(() => encodeUserId(ProviderType.BK, "\ud800"))).toBe("user_id.invalid");
    expect(encodeUserId(ProviderType.BK, "a".repeat(126))).toHaveLength(254);
  });
});
