/** What the pages' script adds, and that nothing is lost without it. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PLAIN, samplePages } from "../../packages/server/src/pages/testing/samples.ts";
import { BROWSER_AVAILABLE, launchBrowser, servePages } from "./browser.ts";

const pages = new Map(
  samplePages("en", PLAIN).map(({ name, page }) => [`/${name.replaceAll(" ", "-")}`, page]),
);

describe.skipIf(!BROWSER_AVAILABLE)("hosted pages in use", () => {
  let browser: Browser;
  let server: Awaited<ReturnType<typeof servePages>>;

  beforeAll(async () => {
    server = await servePages(pages);
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  async function open(path: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    await page.goto(server.origin + path);
    return page;
  }

  it("show the password on request, and hide it again before it is sent", async () => {
    const page = await open("/sign-in");
    const password = page.locator("#password");
    await page.fill("#identifier", "zs");
    await password.fill("correct horse");
    await page.getByRole("button", { name: "Show password" }).click();
    expect(await password.getAttribute("type")).toBe("text");
    expect(await page.locator(".reveal").getAttribute("aria-pressed")).toBe("true");
    await page.locator("form button[type=submit]").click({ noWaitAfter: true });
    expect(await password.getAttribute("type")).toBe("password");
    await page.context().close();
  });

  it("send a form once however often the button is pressed, and say after a moment what is going on", async () => {
    const page = await open("/sign-in");
    const before = server.posts.length;
    await page.fill("#identifier", "zs");
    await page.fill("#password", "correct horse");
    const button = page.locator("form button[type=submit]");
    await button.click({ noWaitAfter: true });
    await expect.poll(() => server.posts.length - before).toBe(1);
    await button.click({ noWaitAfter: true });
    await page.getByText("Signing in…").waitFor();
    expect(await button.isEnabled()).toBe(true);
    expect(server.posts.length - before).toBe(1);
    await page.context().close();
  });

  it.each([true, false])(
    "give the focus to the summary of errors; script allowed: %s",
    async (javaScriptEnabled) => {
      const page = await open("/sign-up-errors", { javaScriptEnabled });
      expect(await page.locator(".summary:focus").count()).toBe(1);
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter"); // the first line leads to the field
      expect(new URL(page.url()).hash).toBe("#username");
      await page.context().close();
    },
  );

  it("can be signed in with by keyboard alone, without script", async () => {
    const page = await open("/sign-in", { javaScriptEnabled: false });
    const before = server.posts.length;
    await page.keyboard.type("zs"); // the first field has the focus
    await page.keyboard.press("Tab");
    await page.keyboard.type("correct horse");
    expect(await page.inputValue("#password")).toBe("correct horse");
    expect(await page.locator(".reveal").isVisible()).toBe(false);
    await page.keyboard.press("Enter");
    await expect.poll(() => server.posts.length - before).toBe(1);
    await page.context().close();
  });

  it("offer the browser's time zones", async () => {
    const page = await open("/account-profile");
    expect(await page.locator('datalist option[value="Asia/Shanghai"]').count()).toBe(1);
    await page.context().close();
  });

  it.each([true, false])(
    "hand the answer to the application by post; script allowed: %s",
    async (javaScriptEnabled) => {
      const context = await browser.newContext({ javaScriptEnabled });
      const page = await context.newPage();
      let body: string | null = null;
      await page.route("https://shop.example.com/**", async (route) => {
        body = route.request().postData();
        await route.fulfill({ body: "thanks" });
      });
      await page.goto(`${server.origin}/form-post`);
      if (!javaScriptEnabled) await page.getByRole("button", { name: "Continue" }).click();
      await page.getByText("thanks").waitFor();
      expect(new URLSearchParams(body ?? "").get("code")).toBe(PLAIN.value);
      await context.close();
    },
  );
});
