import { IdentityError } from "@ostiary/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseStrictJson } from "./strict-json.ts";

const parse = (text: string) => parseStrictJson(Buffer.from(text));
const refusal = (body: string | Buffer) => {
  try {
    parseStrictJson(Buffer.from(body));
    return undefined;
  } catch (error) {
    return error instanceof IdentityError ? error.code : error;
  }
};

describe("a JSON body", () => {
  it("is read as JSON.parse reads it, whatever valid value it is", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6, stringUnit: "binary" }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes("\\u0000") && !text.includes("__proto__"));
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it("may not name a key twice, at any depth and however it is escaped", () => {
    expect(refusal('{"a":1,"a":2}')).toBe("request.duplicate_key");
    expect(refusal('{"x":[{"b":{},"c":"}","b":1}]}')).toBe("request.duplicate_key");
    expect(refusal('{"a":1,"\\u0061":2}')).toBe("request.duplicate_key");
    expect(parse('{"a":{"a":["a","a"]},"b":"a"}')).toEqual({ a: { a: ["a", "a"] }, b: "a" });
    expect(parse('[{"a":1},{"a":2}]')).toEqual([{ a: 1 }, { a: 2 }]);
  });

  it("may be nested 32 deep and no deeper", () => {
    expect(parse("[".repeat(32) + "]".repeat(32))).toBeDefined();
    expect(refusal("[".repeat(33) + "]".repeat(33))).toBe("request.too_deep");
    expect(refusal(`${'{"a":'.repeat(40)}1${"}".repeat(40)}`)).toBe("request.too_deep");
  });

  it("may not hold what the database or another parser would read differently", () => {
    expect(refusal(Buffer.from([0x22, 0xff, 0x22]))).toBe("request.invalid_text");
    expect(refusal('"\\u0000"')).toBe("request.invalid_text");
    expect(refusal('{"\\u0000":1}')).toBe("request.invalid_text");
    expect(refusal('"\\ud800"')).toBe("request.invalid_text");
    expect(refusal('"\\udc00x"')).toBe("request.invalid_text");
    expect(refusal('{"__proto__":{}}')).toBe("request.invalid");
    expect(parse('"\\ud83d\\ude00 \\\\u0000"')).toBe("😀 \\u0000");
  });

  it("is refused as malformed when it is no JSON, and never throws anything else", () => {
    for (const text of ["{", "{'a':1}", "[1,]", "nul", '"\t"', "\uFEFF{}", "1 2"]) {
      expect(refusal(text)).toBe("request.malformed_json");
    }
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
        const code = refusal(Buffer.from(bytes));
        expect(code === undefined || typeof code === "string").toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
