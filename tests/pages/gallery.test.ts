/**
 * Every hosted page in every state, in a real browser: axe-core must find nothing, nothing may be wider than the screen,
 * the content security policy must not be broken, and all of it goes onto one contact sheet for someone to look at.
 */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  LONG,
  PLAIN,
  type SamplePage,
  samplePages,
} from "../../packages/server/src/pages/testing/samples.ts";
import { BROWSER_AVAILABLE, launchBrowser, servePages } from "./browser.ts";
import { inspect, withAxe } from "./inspect.ts";

interface Look {
  name: string;
  width: number;
  dark?: boolean;
  /** A wide screen changes nothing that axe-core looks at. */
  axe?: boolean;
}

/** Pages that are loaded once and looked at in some ways. */
interface Group {
  name: string;
  pages: SamplePage[];
  looks: readonly Look[];
}

const PHONE = { width: 320, axe: true };

const EVERY_TIME: readonly Group[] = [
  {
    name: "in English",
    pages: samplePages("en", PLAIN),
    looks: [
      { name: "phone 320", ...PHONE },
      { name: "desktop 1440", width: 1440 },
    ],
  },
  {
    name: "in Chinese",
    pages: samplePages("zh-CN", PLAIN),
    looks: [{ name: "phone dark zh", width: 390, dark: true, axe: true }],
  },
  { name: "in Spanish", pages: samplePages("es", PLAIN), looks: [{ name: "phone es", ...PHONE }] },
  { name: "with long names", pages: samplePages("en", LONG), looks: [{ name: "long names 320", ...PHONE }] },
];

const YELLOW = { accent: "#ffd400", background: "#7b2d8b" };

/** Any accent is readable by a property test; these are for the eye. */
const IN_FULL: readonly Group[] = [
  {
    name: "of a yellow tenant",
    pages: samplePages("en", PLAIN, YELLOW),
    looks: [{ name: "yellow tenant, dark", width: 390, dark: true, axe: true }],
  },
  {
    name: "of a yellow tenant that is always light",
    pages: samplePages("zh-CN", PLAIN, { ...YELLOW, scheme: "light" }),
    looks: [{ name: "yellow tenant, light", width: 390, dark: true, axe: true }],
  },
  {
    name: "on a dark desktop",
    pages: samplePages("es", PLAIN),
    looks: [{ name: "desktop dark es", width: 1440, dark: true, axe: true }],
  },
];

const GROUPS = process.env.OSTIARY_FULL_TESTS ? [...EVERY_TIME, ...IN_FULL] : EVERY_TIME;

/**
 * Tabs at work side by side: while one waits for the browser another is inspected. Each in a context of its own, because
 * the page that ends a pop-up tells the page that waits for it, wherever that is.
 */
const TABS = 3;

interface Shot {
  name: string;
  picture: Buffer;
}

/** Lays the pictures out in columns and takes one picture of them all. */
async function contactSheet(browser: Browser, title: string, shots: readonly Shot[], width: number) {
  const shown = Math.min(width, 480);
  const figures = shots.map(
    ({ name, picture }) =>
      `<figure><figcaption>${name}</figcaption><img src="data:image/jpeg;base64,${picture.toString("base64")}" width="${shown}"></figure>`,
  );
  const page = await browser.newPage({ viewport: { width: (shown + 16) * 6 + 16, height: 800 } });
  await page.setContent(`<!doctype html><style>body{margin:8px;font:14px system-ui;background:#888;columns:6;column-gap:16px}
figure{margin:0 0 16px;break-inside:avoid}figcaption{padding:2px 0}img{display:block}h1{column-span:all;margin:0}</style>
<h1>${title}</h1>${figures.join("")}`);
  const sheet = await page.screenshot({ fullPage: true, type: "jpeg", quality: 80 });
  await page.close();
  return sheet;
}

describe.skipIf(!BROWSER_AVAILABLE)("hosted pages in a browser", () => {
  const directory = mkdtempSync(join(tmpdir(), "ostiary-gallery-"));
  const pages = new Map<string, string>();
  for (const [row, group] of GROUPS.entries())
    for (const [column, { page }] of group.pages.entries()) {
      // The form that sends itself would leave the page: here it is looked at, so its script stays out.
      pages.set(`/${row}/${column}`, page.replace(/<script nonce="[^"]*">HTMLForm[^<]*<\/script>/, ""));
    }
  let server: Awaited<ReturnType<typeof servePages>>;
  let browser: Browser;
  let contexts: BrowserContext[];

  beforeAll(async () => {
    server = await servePages(pages);
    browser = await launchBrowser();
    contexts = await Promise.all(
      Array.from({ length: TABS }, async () => withAxe(await browser.newContext())),
    );
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
    console.info(`Contact sheets of the hosted pages: ${directory}`);
  });

  it.each(GROUPS.map((group, row) => ({ ...group, row })))(
    "are in order: $name",
    async ({ pages: samples, looks, row }) => {
      const findings: string[] = [];
      const shots = new Map(looks.map((look) => [look, new Array<Shot>(samples.length)]));
      const waiting = [...samples.entries()];
      const work = async (context: BrowserContext) => {
        const page = await context.newPage();
        let at = "";
        page.on("console", (message) => {
          if (message.type() === "error") findings.push(`${at}: ${message.text()}`);
        });
        for (let next = waiting.shift(); next; next = waiting.shift()) {
          const [column, { name }] = next;
          at = name;
          const [first] = looks;
          if (first) await dress(page, first);
          await page.goto(`${server.origin}/${row}/${column}`, { waitUntil: "load" });
          for (const look of looks) {
            if (look !== first) await dress(page, look);
            const picture = await pictureOf(page, look);
            shots.get(look)?.splice(column, 1, { name, picture });
            const inspected = await inspect(page, { axe: look.axe ?? false });
            findings.push(...inspected.map((finding) => `${name}, ${look.name}: ${finding}`));
          }
        }
        await page.close();
      };
      await Promise.all(contexts.map(work));
      for (const [look, pictures] of shots) {
        expect(pictures.filter(Boolean)).toHaveLength(samples.length);
        const file = join(directory, `${look.name.replaceAll(/\W+/g, "-")}.jpg`);
        writeFileSync(file, await contactSheet(browser, look.name, pictures, look.width));
      }
      expect(findings).toEqual([]);
    },
    300_000,
  );
});

/** The card and what is around it: the rest of a wide screen is empty, and costs as much as all the pages. */
async function pictureOf(page: Page, { width }: Look): Promise<Buffer> {
  const height = (await page.evaluate("document.documentElement.scrollHeight")) as number;
  const shown = Math.min(width, 640);
  const clip = { x: (width - shown) / 2, y: 0, width: shown, height };
  return page.screenshot({ fullPage: true, clip, type: "jpeg", quality: 80 });
}

async function dress(page: Page, { width, dark }: Look): Promise<void> {
  await page.setViewportSize({ width, height: width > 1_000 ? 900 : 640 });
  await page.emulateMedia({ colorScheme: dark ? "dark" : "light" });
}
