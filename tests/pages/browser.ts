import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Browser, chromium } from "playwright-core";
import { script, stylesheet } from "../../packages/server/src/pages/assets.ts";
import { NONCE } from "../../packages/server/src/pages/testing/samples.ts";

const CHROMIUM = process.env.OSTIARY_CHROMIUM ?? "/usr/bin/chromium";

export const BROWSER_AVAILABLE = existsSync(CHROMIUM);
if (!BROWSER_AVAILABLE)
  console.warn(`Skipped: no browser at ${CHROMIUM}. On Debian: apt-get install chromium fonts-noto-cjk`);

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** The content security policy that hosted pages get; `https://shop.example.com` is the samples' application. */
const POLICY = [
  "default-src 'none'",
  `style-src 'self' 'nonce-${NONCE}'`,
  `script-src 'self' 'nonce-${NONCE}'`,
  "img-src 'self' data: https:",
  "form-action 'self' https://shop.example.com",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join("; ");

/** Serves pages by path, with the headers they will have, and counts what is posted. A post is answered late, and so that the page stays. */
export async function servePages(pages: ReadonlyMap<string, string>) {
  const assets = new Map([stylesheet, script].map((asset) => [asset.path, asset]));
  const posts: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    if (request.method === "POST") {
      posts.push(path);
      response.statusCode = 204;
      setTimeout(() => response.end(), 1_500);
      return;
    }
    const asset = assets.get(path);
    const page = pages.get(path);
    response.setHeader("content-type", asset?.contentType ?? "text/html; charset=utf-8");
    if (asset) response.setHeader("cache-control", "public, max-age=31536000, immutable");
    else response.setHeader("content-security-policy", POLICY);
    response.statusCode = asset || page ? 200 : 404;
    response.end(asset?.body ?? page ?? "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    posts,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
