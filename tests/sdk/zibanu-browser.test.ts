import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { stripTypeScriptTypes } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type * as Sdk from "../../packages/sdk/src/zibanu/index.ts";
import { DJANGO_MISSING, startDjango } from "../dialects/zibanu/django.ts";
import { aZibanu, PASSWORD, type World } from "../dialects/zibanu/world.ts";
import { BROWSER_AVAILABLE, launchBrowser } from "../pages/browser.ts";
import { INSTALL_TIMEOUT } from "../python/environment.ts";
import { EXPECTED, everything } from "./zibanu-everything.ts";

const SOURCES = join(import.meta.dirname, "../../packages/sdk/src/zibanu");

const PAGE = `<!doctype html><title>front end</title>
<script type="module">import * as sdk from "/sdk/index.ts"; window.sdk = sdk;</script>`;

/** What the page puts on `window` for the steps of a test. */
interface Window {
  sdk: typeof Sdk;
  client: Sdk.ZibanuClient;
  heard: string[];
}
declare const window: Window;

/** Where the page's own origin leads to `/zibanu/`: as the original answers no other. */
let behind = "";

async function passOn(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { authorization, origin, "content-type": type } = request.headers;
  const answer = await fetch(behind + request.url, {
    method: "POST",
    headers: {
      ...(authorization === undefined ? {} : { authorization }),
      ...(origin === undefined ? {} : { origin }),
      ...(type === undefined ? {} : { "content-type": type }),
    },
    body: new Uint8Array(await buffer(request)),
  });
  const body = Buffer.from(await answer.arrayBuffer());
  const media = answer.headers.get("content-type");
  response.writeHead(answer.status, media === null ? {} : { "content-type": media }).end(body);
}

/** A front end of another origin: an empty page, and the client's own modules without their types. */
async function serveFrontEnd(): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    if (request.url?.startsWith("/zibanu/")) return void passOn(request, response);
    const name = /^\/sdk\/([a-z-]+\.ts)$/.exec(request.url ?? "")?.[1];
    response.setHeader("content-type", name ? "text/javascript" : "text/html");
    response.end(name ? stripTypeScriptTypes(readFileSync(join(SOURCES, name), "utf8")) : PAGE);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

describe.skipIf(!BROWSER_AVAILABLE)("the Zibanu client in a browser", () => {
  let world: World;
  let browser: Browser;
  let frontEnd: { server: Server; url: string };

  beforeAll(async () => {
    frontEnd = await serveFrontEnd();
    world = await aZibanu({ allowedOrigins: [new URL(frontEnd.url).origin] }, { listen: true });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    frontEnd?.server.close();
    await world?.[Symbol.asyncDispose]();
  });

  /** A tab with a client whose token all tabs share. */
  async function aTab(context: { newPage(): Promise<Page> }): Promise<Page> {
    const page = await context.newPage();
    await page.goto(frontEnd.url);
    await page.waitForFunction(() => window.sdk !== undefined);
    await page.evaluate((baseUrl) => {
      const { createZibanuClient, storageTokenStore } = window.sdk;
      const { localStorage } = globalThis as unknown as { localStorage: Sdk.StorageLike };
      window.client = createZibanuClient({ baseUrl, tokens: storageTokenStore(localStorage) });
      window.heard = [];
      for (const name of ["login", "logout", "refresh", "expired"] as const)
        window.client.on(name, () => window.heard.push(name));
    }, `${world.server.url}/zibanu/`);
    return page;
  }

  const firstName = (page: Page) =>
    page.evaluate(async () => (await window.client.profile.get())?.first_name);

  it("signs in across origins, survives a reload, and signs out in all tabs", async () => {
    const context = await browser.newContext();
    const one = await aTab(context);
    await one.evaluate(
      ([email, password]) => window.client.login({ email: String(email), password: String(password) }),
      ["plain@example.com", PASSWORD],
    );
    const two = await aTab(context);
    expect(await firstName(two)).toBe("Plain");
    await one.evaluate(() => window.client.logout());
    expect(await two.evaluate(async () => (await window.client.session()) === undefined)).toBe(true);
    const error = await two.evaluate(() =>
      window.client.profile.get().then(
        () => "",
        (failure: Sdk.ZibanuError) => failure.kind,
      ),
    );
    expect(error).toBe("token");
    await context.close();
  });

  it("exchanges a token once for two tabs that ask at the same moment", async () => {
    const context = await browser.newContext();
    const [one, two] = [await aTab(context), await aTab(context)];
    // The exchange lasts until all have asked.
    await context.route("**/zibanu/refresh/", (route) => void setTimeout(() => route.continue(), 300));
    await one.evaluate(
      ([email, password]) => window.client.login({ email: String(email), password: String(password) }),
      ["multi@example.com", PASSWORD],
    );
    const lateBy = 3_600_000 - 30_000; // half a minute before the end of the token
    for (const tab of [one, two])
      await tab.evaluate((late) => {
        const now = Date.now.bind(Date);
        Date.now = () => now() + late;
      }, lateBy);
    expect(await Promise.all([firstName(one), firstName(two), firstName(one)])).toEqual([
      "Multi",
      "Multi",
      "Multi",
    ]);
    const heard = await Promise.all([one, two].map((tab) => tab.evaluate(() => window.heard)));
    expect(heard.flat().filter((name) => name === "refresh")).toHaveLength(1);
    expect(heard.flat()).not.toContain("expired");
    await context.close();
  });

  it("is told in words why a sign-in failed", async () => {
    const context = await browser.newContext();
    const tab = await aTab(context);
    const facts = await tab.evaluate(() =>
      window.client.login({ email: "plain@example.com", password: "wrong" }).then(
        () => null,
        ({ kind, status, messages }: Sdk.ZibanuError) => ({ kind, status, messages }),
      ),
    );
    expect(facts).toEqual({
      kind: "credentials",
      status: 401,
      messages: ["No active account found with the given credentials"],
    });
    await context.close();
  });

  /** The same run as in Node, sent to the page as text. */
  async function runIn(page: Page): Promise<unknown> {
    await page.goto(frontEnd.url);
    await page.waitForFunction(() => window.sdk !== undefined);
    const server = { baseUrl: `${frontEnd.url}zibanu/`, password: PASSWORD, run: "chromium" };
    return page.evaluate(`(${everything.toString()})(window.sdk, ${JSON.stringify(server)})`);
  }

  it("does all that it has functions for", async () => {
    behind = world.server.url;
    const page = await browser.newPage();
    expect(await runIn(page)).toEqual(EXPECTED);
    await page.close();
  });

  it.skipIf(DJANGO_MISSING)(
    "does the same with zibanu-django-auth 1.1.8",
    async () => {
      await using django = await startDjango();
      behind = django.url;
      const page = await browser.newPage();
      expect(await runIn(page)).toEqual(EXPECTED);
      await page.close();
    },
    INSTALL_TIMEOUT,
  );
});
