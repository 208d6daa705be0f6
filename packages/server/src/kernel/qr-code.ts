import { encodeQR } from "qr";

/**
 * A QR code (ISO/IEC 18004) as an SVG drawing of one path: black on white in every colour scheme, because many readers
 * cannot see the inverse, with the quiet zone of four modules. Nothing of the text is in the markup.
 *
 * @param text - at most some 2,000 characters; an `otpauth:` address has about 150.
 */
export function qrCode(text: string): string {
  const rows = encodeQR(text, "raw", { ecc: "medium", border: 4 });
  let path = "";
  for (const [y, row] of rows.entries()) {
    for (let x = 0; x < row.length; x++) {
      if (!row[x]) continue;
      const from = x;
      while (row[x + 1]) x++;
      path += `M${from} ${y}h${x - from + 1}v1H${from}z`;
    }
  }
  const size = rows.length;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h${size}v${size}H0z"/><path d="${path}"/></svg>`;
}
