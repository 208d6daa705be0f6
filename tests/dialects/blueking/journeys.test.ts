/** What a person sees: a Django application, the hosted sign-in, the pop-up and the way out, in a real browser. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BROWSER_AVAILABLE, launchBrowser } from "../../pages/browser.ts";
import { inspect } from "../../pages/inspect.ts";
import { INSTALL_TIMEOUT } from "../../python/environment.ts";
import { type Django, missingFor, startDjango } from "./django.ts";
import { PASSWORD, Scene } from "./scene.ts";

const RELEASE = "4.4.0";

describe.skipIf(!BROWSER_AVAILABLE || missingFor(RELEASE) !== undefined)("a person in a browser", () => {
  let scene: Scene;
  let browser: Browser;
  let django: Django;

  beforeAll(async () => {
    [scene, browser] = await Promise.all([Scene.open(), launchBrowser()]);
    django = await startDjango({ release: RELEASE, settings: scene.djangoSettings() });
  }, INSTALL_TIMEOUT);
  afterAll(async () => {
    await browser?.close();
    await django?.stop();
    await scene?.[Symbol.asyncDispose]();
  });

  async function inBrowser(visit: (page: Page) => Promise<void>, locale = "en"): Promise<void> {
    const context = await browser.newContext({ locale });
    const page = await context.newPage();
    const complaints: string[] = [];
    context.on("console", (message) => {
      if (message.type() === "error" && !message.text().includes("status of 4"))
        complaints.push(message.text());
    });
    await visit(page);
    expect(complaints).toEqual([]);
    await context.close();
  }

  async function fillIn(page: Page, username: string): Promise<void> {
    await page.fill("input[name=identifier]", username);
    await page.fill("input[name=password]", PASSWORD);
    await page.click("main form button[type=submit]:not(.reveal)");
  }

  it("comes back to the application's page after signing in, and is known there", () =>
    inBrowser(async (page) => {
      await page.goto(`${django.url}/private?a=1`);
      expect(page.url()).toContain("/sign-in?flow=");
      await fillIn(page, "admin");
      await page.waitForURL(`${django.url}/private?a=1`);
      expect(await page.textContent("h1")).toBe("Hello admin");
      const cookies = await page.context().cookies(django.url);
      const ticket = cookies.find(({ name }) => name === "bk_token");
      expect(ticket).toMatchObject({ httpOnly: true, sameSite: "Lax", path: "/" });
      const day = Date.now() / 1_000 + 86_400;
      expect(Math.abs(Number(ticket?.expires) - day)).toBeLessThan(120);
      expect(cookies.find(({ name }) => name === "blueking_language")).toMatchObject({
        value: "en",
        httpOnly: false,
      });

      // Whoever is signed in here is not asked again by another application.
      await page.context().clearCookies({ name: "bk_token" });
      await page.context().clearCookies({ name: "sessionid" });
      await page.goto(`${django.url}/private`);
      expect(await page.textContent("h1")).toBe("Hello admin");
    }));

  it("is asked for the password again after the way out", () =>
    inBrowser(async (page) => {
      await page.goto(`${django.url}/private`);
      await fillIn(page, "bob");
      await page.waitForURL(`${django.url}/private`);
      await page.goto(`${scene.server.url}/blueking/login/?is_from_logout=1&c_url=${django.url}/private`);
      expect(page.url()).toContain("/sign-in?flow=");
      const names = (await page.context().cookies(django.url)).map(({ name }) => name);
      expect(names).not.toContain("bk_token");
      expect(names).not.toContain("ostiary_session");
      await page.goto(`${django.url}/private`);
      expect(page.url()).toContain("/sign-in?flow=");
      await fillIn(page, "admin");
      await page.waitForURL(`${django.url}/private`);
      expect(await page.textContent("h1")).toBe("Hello admin");

      await page.goto(`${scene.server.url}/blueking/login/logout/?c_url=${django.url}/private`);
      expect(page.url()).toContain("/sign-in?flow=");
    }));

  it("never lands at an address that nobody allowed", () =>
    inBrowser(async (page) => {
      await page.goto(`${scene.server.url}/blueking/login/?c_url=http://evil.example/`);
      await fillIn(page, "admin");
      await page.waitForURL(`${scene.server.url}/account`);
    }));

  it("signs in in a window of its own from a page that frames the small login page, and the page goes on", () =>
    inBrowser(async (page) => {
      await page.goto(`${django.url}/embedding`);
      const frame = page.frameLocator("iframe");
      const opened = page.waitForEvent("popup");
      await frame.locator("a.button").first().click();
      const popup = await opened;
      await popup.waitForURL(/\/sign-in\?flow=/);
      const closed = popup.waitForEvent("close");
      await fillIn(popup, "admin");
      await closed;
      await page.locator("#state", { hasText: "signed in" }).waitFor();
    }));

  it("may frame the small login page only from allowed hosts, and the sign-in from nowhere", async () => {
    const policy = async (path: string) =>
      (await fetch(scene.server.url + path)).headers.get("content-security-policy") ?? "";
    expect(await policy("/blueking/login/plain/")).toContain("frame-ancestors 'self' 127.0.0.1:*;");
    const done = await fetch(`${scene.server.url}/blueking/login/plain/done/`);
    expect(done.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(done.headers.get("x-frame-options")).toBe("DENY");
    const signIn = await fetch(`${scene.server.url}/blueking/login/`);
    expect(signIn.url).toContain("/sign-in?flow=");
    expect(signIn.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
  });

  it.each([
    ["en", "Sign in to go on", "You are signed in"],
    ["zh-CN", "请登录后继续", "登录成功"],
  ])("reads the small pages in %s, and everybody can use them", (locale, ask, done) =>
    inBrowser(async (page) => {
      await page.goto(`${scene.server.url}/blueking/login/plain/done/`);
      expect(await page.textContent("h1")).toBe(done);
      expect(await inspect(page)).toEqual([]);
      await page.goto(`${django.url}/embedding`);
      expect(await page.frameLocator("iframe").locator("h1").textContent()).toBe(ask);
    }, locale),
  );
});
