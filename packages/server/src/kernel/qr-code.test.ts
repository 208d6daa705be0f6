import decodeQR from "qr/decode.js";
import { expect, it } from "vitest";
import { qrCode } from "./qr-code.ts";

/** Draws the path as a camera would see it: four pixels a module. */
function draw(svg: string) {
  const SCALE = 4;
  const size = Number(/viewBox="0 0 (\d+)/.exec(svg)?.[1]) * SCALE;
  const data = new Uint8ClampedArray(size * size * 4).fill(255);
  for (const [, x, y, width] of svg.matchAll(/M(\d+) (\d+)h(\d+)v1H\d+z/g)) {
    for (let row = 0; row < SCALE; row++)
      for (let column = 0; column < Number(width) * SCALE; column++) {
        const at = ((Number(y) * SCALE + row) * size + Number(x) * SCALE + column) * 4;
        data.fill(0, at, at + 3);
      }
  }
  return { width: size, height: size, data };
}

it.each([
  "otpauth://totp/Example%20Ltd:ann%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Example%20Ltd",
  "otpauth://totp/华测:张三?secret=JBSWY3DPEHPK3PXP",
])("a QR code says what was put in: %s", (text) => {
  expect(decodeQR(draw(qrCode(text)))).toBe(text);
});

it("a QR code holds nothing but numbers and the two colours", () => {
  expect(qrCode('"><script>')).toMatch(/^<svg [^<>]*><path [^<>]*\/><path d="[MhvHz\d ]+"\/><\/svg>$/);
});
