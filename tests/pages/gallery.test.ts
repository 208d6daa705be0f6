/**
 * Every hosted page in every state, in a real browser: axe-core must find nothing, nothing may be wider than the screen,
 * the content security policy must not be broken, and all of it goes onto one contact sheet for someone to look at.
 */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  LONG,
  PLAIN,
  type SamplePage,
  samplePages,
} from "../../packages/server/src/pages/testing/samples.ts";
import { BROWSER_AVAILABLE, launchBrowser, servePages } from "./browser.ts";
import { inspect } from "./inspect.ts";

interface Setting {
  name: string;
  width: number;
  dark: boolean;
  pages: SamplePage[];
}

const EVERY_TIME: readonly Setting[] = [
  { name: "phone 320", width: 320, dark: false, pages: samplePages("en", PLAIN) },
  { name: "desktop 1440", width: 1440, dark: false, pages: samplePages("en", PLAIN) },
  { name: "phone dark zh", width: 390, dark: true, pages: samplePages("zh-CN", PLAIN) },
  { name: "long names 320", width: 320, dark: false, pages: samplePages("en", LONG) },
];

/** Any accent is readable by a property test; these are for the eye. */
const IN_FULL: readonly Setting[] = [
  {
    name: "yellow tenant, dark",
    width: 390,
    dark: true,
    pages: samplePages("en", PLAIN, { accent: "#ffd400", background: "#7b2d8b" }),
  },
  {
    name: "yellow tenant, light",
    width: 390,
    dark: true,
    pages: samplePages("zh-CN", PLAIN, { accent: "#ffd400", background: "#7b2d8b", scheme: "light" }),
  },
];

const SETTINGS = process.env.OSTIARY_FULL_TESTS ? [...EVERY_TIME, ...IN_FULL] : EVERY_TIME;

/** Lays the pictures out in columns and takes one picture of them all. */
async function contactSheet(
  browser: Browser,
  title: string,
  shots: { name: string; png: Buffer }[],
  width: number,
) {
  const shown = Math.min(width, 480);
  const figures = shots.map(
    ({ name, png }) =>
      `<figure><figcaption>${name}</figcaption><img src="data:image/png;base64,${png.toString("base64")}" width="${shown}"></figure>`,
  );
  const page = await browser.newPage({ viewport: { width: (shown + 16) * 6 + 16, height: 800 } });
  await page.setContent(`<!doctype html><style>body{margin:8px;font:14px system-ui;background:#888;columns:6;column-gap:16px}
figure{margin:0 0 16px;break-inside:avoid}figcaption{padding:2px 0}img{display:block}h1{column-span:all;margin:0}</style>
<h1>${title}</h1>${figures.join("")}`);
  const png = await page.screenshot({ fullPage: true });
  await page.close();
  return png;
}

describe.skipIf(!BROWSER_AVAILABLE)("hosted pages in a browser", () => {
  const directory = mkdtempSync(join(tmpdir(), "ostiary-gallery-"));
  const pages = new Map<string, string>();
  for (const [row, setting] of SETTINGS.entries())
    for (const [column, { page }] of setting.pages.entries()) {
      // The form that sends itself would leave the page: here it is looked at, so its script stays out.
      pages.set(`/${row}/${column}`, page.replace(/<script nonce="[^"]*">HTMLForm[^<]*<\/script>/, ""));
    }
  let server: Awaited<ReturnType<typeof servePages>>;
  let browser: Browser;

  beforeAll(async () => {
    server = await servePages(pages);
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
    console.info(`Contact sheets of the hosted pages: ${directory}`);
  });

  it.each(SETTINGS.map((setting, row) => ({ ...setting, row })))(
    "are in order: $name",
    async ({ name, width, dark, pages: samples, row }) => {
      const context = await browser.newContext({
        viewport: { width, height: width > 1_000 ? 900 : 640 },
        colorScheme: dark ? "dark" : "light",
      });
      const page = await context.newPage();
      const findings: string[] = [];
      let sample = "";
      page.on("console", (message) => {
        if (message.type() === "error") findings.push(`${sample}: ${message.text()}`);
      });
      const shots: { name: string; png: Buffer }[] = [];
      for (const [column, { name: sampleName }] of samples.entries()) {
        sample = sampleName;
        await page.goto(`${server.origin}/${row}/${column}`, { waitUntil: "load" });
        shots.push({ name: sampleName, png: await page.screenshot({ fullPage: true }) });
        // A wide screen changes nothing that axe-core looks at.
        const inspected = await inspect(page, { axe: width < 1_000 });
        findings.push(...inspected.map((finding) => `${sampleName}: ${finding}`));
      }
      await context.close();
      const file = join(directory, `${name.replaceAll(/\W+/g, "-")}.png`);
      writeFileSync(file, await contactSheet(browser, name, shots, width));
      expect(findings).toEqual([]);
    },
    300_000,
  );
});
