// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the file's own variables
import { IdentityError } from "@ostiary/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkSupported, parseYaml, readLiterals, writeLiterals } from "./parse-configuration.ts";

function refusal(work: () => unknown): IdentityError {
  try {
    work();
  } catch (error) {
    if (error instanceof IdentityError) return error;
    throw error;
  }
  throw new Error("was not refused");
}

describe("the text of a configuration file", () => {
  it("is YAML 1.2, of which JSON is a part", () => {
    expect(parseYaml("a: yes\nb: 0o14\nc: ~\nd: [1, '2']\n")).toEqual({
      a: "yes",
      b: 12,
      c: null,
      d: [1, "2"],
    });
    expect(parseYaml('{"a": {"b": [true]}}')).toEqual({ a: { b: [true] } });
  });

  it("is refused with line and column where the syntax is wrong", () => {
    const { code, fields } = refusal(() => parseYaml("a: 1\na: 2\n"));
    expect(code).toBe("configuration.invalid");
    expect(fields?.[0]?.message).toBe("line 2, column 1: Map keys must be unique");
  });

  it.each([
    ["a tag", "a: !!js/function x"],
    ["two documents", "a: 1\n---\nb: 2"],
    ["infinity", "a: .inf"],
    ["an unknown anchor", "a: *nobody"],
    ["a key __proto__", "__proto__: {admin: true}"],
    ["a null character", '{"a": "\\u0000"}'],
    ["a lone surrogate", '{"a": "\\ud800"}'],
    ["a hundred thousand brackets", "[".repeat(100_000)],
    ["nesting deeper than 32", `${"[".repeat(40)}${"]".repeat(40)}`],
    [
      "a billion laughs",
      ["a: &a [x,x,x,x,x,x,x,x,x]", ..."bcdefghi"]
        .map((line, index) =>
          index === 0
            ? line
            : `${line}: &${line} [${Array(9)
                .fill(`*${"abcdefghi"[index - 1]}`)
                .join(",")}]`,
        )
        .join("\n"),
    ],
  ])("is refused with %s", (_what, text) => {
    expect(refusal(() => parseYaml(text)).status).toBe(400);
  });

  it("never fails otherwise than by a registered error, whatever it is", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.json()), (text) => {
        try {
          parseYaml(text);
        } catch (error) {
          expect(error).toBeInstanceOf(IdentityError);
        }
      }),
    );
  });
});

describe("variables", () => {
  it("are refused on the server, where the environment is not the sender's", () => {
    const { code, fields } = refusal(() => readLiterals({ users: [{ password: { plain: "${HOME}" } }] }));
    expect(code).toBe("configuration.variable_missing");
    expect(fields?.[0]?.path).toBe("/users/0/password/plain");
  });

  it("are only whole values", () => {
    const value = { a: "x${HOME}", b: "${HOME", c: "$HOME", d: "${}", "${HOME}": 1 };
    expect(readLiterals(value)).toEqual(value);
  });

  it("can be meant literally, and every value survives writing and reading", () => {
    expect(readLiterals("$${HOME}")).toBe("${HOME}");
    const texts = fc.oneof(fc.string(), fc.constantFrom("${A}", "$${A}", "$$${A_1}", "${", "$"));
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.array(texts)), (value) => {
        expect(readLiterals(writeLiterals(value))).toEqual(value);
      }),
    );
  });
});

describe("parts of the format that this version has not", () => {
  it("are refused by name", () => {
    const file = { tenants: [{ applications: [{ groups: [] }] }, { applications: [{}, { groups: [] }] }] };
    const { code, fields } = refusal(() => checkSupported(file));
    expect(code).toBe("configuration.invalid");
    expect(fields?.map(({ path }) => path)).toEqual([
      "/tenants/0/applications/0/groups",
      "/tenants/1/applications/1/groups",
    ]);
    expect(fields?.[0]?.message).toContain("not supported yet by this version");
  });

  it("are no matter of a thing that is no file at all", () => {
    for (const value of [null, 1, "x", [], { tenants: 1 }, { tenants: [null, 2] }]) {
      expect(() => checkSupported(value)).not.toThrow();
    }
  });
});
