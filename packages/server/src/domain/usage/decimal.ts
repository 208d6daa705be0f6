const NUMBER = /^\+?(\d{1,40})(?:\.(\d{0,40}))?(?:[eE]([+-]?\d{1,2}))?$/;

/**
 * The exact decimal that a program wrote, an exponent too (Python writes 0.00005 as `5e-05`): at most 18 digits before
 * the point and 18 after it, without needless zeros.
 *
 * @returns null when it is no such number: negative, too long, or not a number.
 */
export function toDecimal(text: string): string | null {
  const [, whole = "", fraction = "", exponent = "0"] = NUMBER.exec(text.trim()) ?? [];
  if (whole === "") return null;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  const padded = point <= 0 ? "0".repeat(1 - point) + digits : digits.padEnd(point, "0");
  const at = Math.max(point, 1);
  const before = padded.slice(0, at).replace(/^0+(?=\d)/, "");
  const after = padded.slice(at).replace(/0+$/, "");
  if (before.length > 18 || after.length > 18) return null;
  return after === "" ? before : `${before}.${after}`;
}
