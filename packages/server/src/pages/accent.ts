import type { TenantLook } from "./views.ts";

/** sRGB, each channel 0 to 255. */
type Colour = readonly [red: number, green: number, blue: number];

const DEFAULT_ACCENT = "#0f6b66";

const WHITE: Colour = [255, 255, 255];
const BLACK: Colour = [0, 0, 0];

/** The card's own colours; `assets/ostiary.css` uses the same two, and a test compares them. */
export const CARD = { light: "#ffffff", dark: "#191e1f" } as const;
/** The quiet background when the tenant sets none. */
const PAGE = { light: "#eff3f2", dark: "#0e1213" } as const;

/** Contrast that WCAG 2.2 asks of text (success criterion 1.4.3, level AA). */
const AA = 4.5;

/** Reads `#rgb` or `#rrggbb`; null for anything else, so that a tenant's setting can never carry CSS into the page. */
export function parseColour(text: string | undefined): Colour | null {
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(text ?? "");
  const long = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text ?? "");
  const digits = short?.slice(1).map((digit) => digit + digit) ?? long?.slice(1);
  const [red, green, blue] = (digits ?? []).map((pair) => Number.parseInt(pair, 16));
  return red === undefined || green === undefined || blue === undefined ? null : [red, green, blue];
}

function hex(colour: Colour): string {
  return `#${colour.map((channel) => Math.round(channel).toString(16).padStart(2, "0")).join("")}`;
}

/** Relative luminance, 0 (black) to 1 (white): WCAG 2.2, definition "relative luminance". */
function luminance(colour: Colour): number {
  const [red, green, blue] = colour.map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0);
}

/** Contrast ratio, 1 to 21: WCAG 2.2, definition "contrast ratio". */
export function contrast(one: Colour, other: Colour): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

function mix(from: Colour, to: Colour, share: number): Colour {
  const channel = (index: 0 | 1 | 2): number => from[index] + (to[index] - from[index]) * share;
  return [channel(0), channel(1), channel(2)];
}

/** Moves a colour toward `target` in steps of a fiftieth until `done`; the target itself when nothing before it does. */
function shift(colour: Colour, target: Colour, done: (candidate: Colour) => boolean): Colour {
  for (let step = 0; step < 50; step++) {
    // What the browser gets is rounded, so the rounded colour must pass.
    const [red, green, blue] = mix(colour, target, step / 50);
    const candidate: Colour = [Math.round(red), Math.round(green), Math.round(blue)];
    if (done(candidate)) return candidate;
  }
  return target;
}

/** Lightens as long as possible without losing colour: first all channels in proportion, only then toward white. */
function lighten(colour: Colour, done: (candidate: Colour) => boolean): Colour {
  const strongest = Math.max(...colour);
  if (strongest === 0) return shift(colour, WHITE, done);
  const brightest = mix(BLACK, colour, 255 / strongest);
  const vivid = shift(colour, brightest, done);
  return done(vivid) ? vivid : shift(brightest, WHITE, done);
}

/** White if it can be read on the colour, else black; one of the two always reaches 4.58. */
function textOn(colour: Colour): Colour {
  return contrast(WHITE, colour) >= AA ? WHITE : BLACK;
}

/**
 * The colours of one scheme, as CSS custom properties.
 * `accent`/`on-accent`: button and its text; `link`: accent made readable on the card and so good for focus rings;
 * `page`/`on-page`: background outside the card and the small text there.
 */
function schemeColours(look: TenantLook, scheme: "light" | "dark"): Record<string, string> {
  const card = parseColour(CARD[scheme]) ?? WHITE;
  const wanted = parseColour(look.accent) ?? parseColour(DEFAULT_ACCENT) ?? BLACK;
  const readable = (colour: Colour): boolean => contrast(colour, card) >= AA + 0.4;
  const link = scheme === "light" ? shift(wanted, BLACK, readable) : lighten(wanted, readable);
  // In the dark a deep accent would sink into the card, so the button takes the lightened one.
  const accent = scheme === "light" ? wanted : link;
  const background = parseColour(look.background) ?? parseColour(PAGE[scheme]) ?? WHITE;
  // A tenant sets one background; in the dark scheme its hue is kept and its glare taken away.
  const page =
    scheme === "light" ? background : shift(background, BLACK, (colour) => luminance(colour) <= 0.03);
  const text = textOn(page);
  const quiet = shift(mix(text, page, 0.4), text, (colour) => contrast(colour, page) >= AA + 0.4);
  return {
    accent: hex(accent),
    "on-accent": hex(textOn(accent)),
    link: hex(link),
    page: hex(page),
    "on-page": hex(quiet),
  };
}

function declarations(colours: Record<string, string>): string {
  return Object.entries(colours)
    .map(([name, value]) => `--${name}:${value}`)
    .join(";");
}

/** The tenant's colours as a style sheet of some 300 bytes. Made of computed hex digits only: safe inside `<style>`. */
export function accentStyle(look: TenantLook): string {
  const dark = declarations(schemeColours(look, "dark"));
  if (look.scheme === "dark") return `:root{${dark}}`;
  const light = `:root{${declarations(schemeColours(look, "light"))}}`;
  return look.scheme === "light" ? light : `${light}@media(prefers-color-scheme:dark){:root{${dark}}}`;
}
