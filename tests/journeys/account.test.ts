/** What people look after themselves, in a real browser: the names by which they sign in, and what signs them in. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { linkIdentity } from "../../packages/server/src/domain/sign-in/index.ts";
import { BROWSER_AVAILABLE } from "../pages/browser.ts";
import { heading, PASSWORD, PHONE, press, signIn, World } from "./world.ts";

describe.skipIf(!BROWSER_AVAILABLE)("who looks after the own account", () => {
  let world: World;

  beforeAll(async () => {
    world = await World.open("account");
  });
  afterAll(() => world[Symbol.asyncDispose]());

  /** Goes on with Tab until the element with this text has the focus. */
  async function tabTo(page: Page, text: string): Promise<void> {
    await page.getByText(text, { exact: true }).first().waitFor();
    for (let presses = 0; presses < 30; presses++) {
      await page.keyboard.press("Tab");
      // Not by a locator: that would wait where the focus has left the page for the browser's own controls.
      if ((await page.evaluate("document.activeElement?.textContent?.trim()")) === text) return;
    }
    throw new Error(`no focus on ${text}`);
  }

  it("takes another username by keyboard alone, and signs in with it", async () => {
    const { base, user } = await world.aTenant({ signIn: { changeUsername: true } });
    await user("ann");
    await user("bob");
    await world.inBrowser(PHONE, async (page) => {
      await page.goto(`${base}/account/contact`);
      await signIn(page, "ann", PASSWORD);
      await world.look(page, "names and addresses");
      await page.getByRole("link", { name: "Change: Username" }).focus();
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Change username" }).waitFor();
      await page.keyboard.type("bob"); // the field has the focus
      await page.keyboard.press("Enter");
      await page.getByRole("alert").getByText("This username is taken.").waitFor();
      expect(await page.inputValue("#value")).toBe("bob");
      await world.look(page, "username taken");
      await page.fill("#value", "annie");
      await page.keyboard.press("Enter");
      await page.getByText("Your username is changed.").waitFor();
      await world.look(page, "username changed");
      await page.goto(`${base}/sign-out`);
      await press(page, "Sign out");
      await page.goto(`${base}/account`);
      await signIn(page, "annie", PASSWORD);
      expect(await heading(page)).toBe("Ann");
    });
  }, 60_000);

  it("sees what an application may do, and takes it back, so that it must ask again", async () => {
    const { base, user } = await world.aTenant();
    await user("ann");
    await world.inBrowser(PHONE, async (page) => {
      await page.goto(`${base}/account/applications`);
      await signIn(page, "ann", PASSWORD);
      await page.getByText("You have not allowed any application anything.").waitFor();
      await page.goto(world.shop.origin);
      await press(page, "Allow");
      await page.getByText("Hello Ann").waitFor();
      await page.goto(`${base}/account`);
      await page.getByRole("link", { name: "Applications" }).click();
      await page.getByText("know which account is yours").waitFor();
      await world.look(page, "applications");
      await tabTo(page, "Take back");
      await page.keyboard.press("Enter");
      await page.getByText("Taken back.").waitFor();
      await world.look(page, "no applications");
      await page.goto(world.shop.origin);
      expect(await heading(page)).toBe("Shop asks for access");
    });
  }, 60_000);

  it.each([true, false])(
    "moves a linked account from one account to the other, each in its own browser; script allowed: %s",
    async (javaScriptEnabled) => {
      const { base, user, admin } = await world.aTenant();
      const work = await user("work");
      await user("home", { nickname: "Home" });
      const identity = { provider: "feishu", kind: "open_id", subject: "ou_1", realm: "Example Ltd" };
      await linkIdentity(world.server.deps, admin, work.id, identity);
      const options = { ...PHONE, javaScriptEnabled };
      await world.inBrowser(options, async (page) => {
        await page.goto(`${base}/account/security`);
        await signIn(page, "work", PASSWORD);
        await page.getByRole("link", { name: "Move to another account" }).click();
        await world.look(page, "move linked accounts", javaScriptEnabled);
        await press(page, "Get code");
        expect(await heading(page)).toBe("Your code");
        await world.look(page, "code for the other account", javaScriptEnabled);
        const code = (await page.locator(".key").textContent()) ?? "";
        await world.inBrowser(options, async (other) => {
          await other.goto(`${base}/account/security`);
          await signIn(other, "home", PASSWORD);
          await tabTo(other, "Bring from another account");
          await other.keyboard.press("Enter");
          await other.getByLabel("Code from the other account").waitFor();
          await world.look(other, "bring linked accounts", javaScriptEnabled);
          await other.keyboard.type(code); // the field has the focus
          await other.keyboard.press("Enter");
          await other.getByText("Linked. It signs you in to this account now.").waitFor();
          expect(await other.getByRole("button", { name: "Unlink Feishu" }).count()).toBe(1);
          await world.look(other, "linked", javaScriptEnabled);
        });
        await page.goto(`${base}/account/security`);
        await page.getByText("None. Accounts at other services").waitFor();
      });
    },
    60_000,
  );
});
