import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accentStyle, CARD, contrast, parseColour } from "./accent.ts";
import { stylesheet } from "./assets.ts";

type Colour = NonNullable<ReturnType<typeof parseColour>>;

function colour(text: string | undefined): Colour {
  const parsed = parseColour(text);
  if (!parsed) throw new Error(`no colour: ${text}`);
  return parsed;
}

/** The custom properties of one rule. */
function properties(css: string): Record<string, string> {
  return Object.fromEntries(
    [...css.matchAll(/--([a-z-]+):(#[0-9a-f]{6})/g)].map(([, name, value]) => [name, value]),
  );
}

const anyColour = fc.integer({ min: 0, max: 0xffffff }).map((n) => `#${n.toString(16).padStart(6, "0")}`);

describe("a tenant's colours", () => {
  it("are known by the contrast that WCAG defines", () => {
    expect(contrast(colour("#fff"), colour("#000"))).toBeCloseTo(21);
    expect(contrast(colour("#777777"), colour("#ffffff"))).toBeCloseTo(4.48, 2);
  });

  it.each(["light", "dark"] as const)("are readable for every accent and background, %s", (scheme) => {
    fc.assert(
      fc.property(anyColour, anyColour, (accent, background) => {
        const made = properties(accentStyle({ name: "", accent, background, scheme }));
        const pairs = [
          [made.accent, made["on-accent"]],
          [made.link, CARD[scheme]],
          [made.page, made["on-page"]],
        ] as const;
        for (const [one, other] of pairs)
          expect(contrast(colour(one), colour(other)), `${one} on ${other}`).toBeGreaterThanOrEqual(4.5);
      }),
      { numRuns: 500 },
    );
  });

  it("are kept as they are on a light button", () => {
    expect(properties(accentStyle({ name: "", accent: "#FFD400", scheme: "light" })).accent).toBe("#ffd400");
  });

  it("follow the browser unless the tenant has decided", () => {
    expect(accentStyle({ name: "" })).toContain("prefers-color-scheme:dark");
    expect(accentStyle({ name: "", scheme: "light" })).not.toContain("@media");
    expect(accentStyle({ name: "", scheme: "dark" })).not.toContain("@media");
  });

  it("cannot carry anything but colours into the page", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (accent, background) => {
        expect(accentStyle({ name: "", accent, background })).toMatch(/^[-:;{}()@#a-z0-9]*$/);
      }),
    );
  });

  it("stand on the card that the style sheet paints", () => {
    const css = stylesheet.body.toString();
    expect(css).toContain(`--card: ${CARD.light}`);
    expect(css.split(`--card: ${CARD.dark}`)).toHaveLength(3); // forced dark and the browser's dark
  });
});
