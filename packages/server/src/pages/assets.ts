import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** A file that pages load. Its name carries a hash of its content, so browsers may keep it for ever. */
export interface PageAsset {
  /** Path on this server. */
  path: string;
  contentType: string;
  body: Buffer;
}

function load(name: "ostiary.css" | "ostiary.js", contentType: string): PageAsset {
  const body = readFileSync(new URL(`../../src/pages/assets/${name}`, import.meta.url));
  const hash = createHash("sha256").update(body).digest("hex").slice(0, 12);
  return { path: `/pages/${name.replace(".", `.${hash}.`)}`, contentType, body };
}

export const stylesheet = load("ostiary.css", "text/css; charset=utf-8");
export const script = load("ostiary.js", "text/javascript; charset=utf-8");
