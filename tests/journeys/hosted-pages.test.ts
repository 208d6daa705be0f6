/** What a person does, in a real browser on a real server: every page that is passed is looked at by axe-core too. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSetUpLink } from "../../packages/server/src/domain/sign-in/index.ts";
import { BROWSER_AVAILABLE } from "../pages/browser.ts";
import { heading, NEW_PASSWORD, PASSWORD, PHONE, press, signIn, World } from "./world.ts";

describe.skipIf(!BROWSER_AVAILABLE)("a person in a browser", () => {
  let world: World;

  beforeAll(async () => {
    world = await World.open("journeys");
  });
  afterAll(() => world[Symbol.asyncDispose]());

  it.each([true, false])(
    "signs up, allows an application, looks after the account and leaves; script allowed: %s",
    async (javaScriptEnabled) => {
      const { base } = await world.aTenant();
      const options = { ...PHONE, javaScriptEnabled };
      await world.inBrowser(options, async (page) => {
        await page.goto(world.shop.origin);
        await world.look(page, "sign-in for an application", javaScriptEnabled);
        await page.getByRole("link", { name: "Create one" }).click();
        await page.fill("#username", "ann");
        await page.fill("#email", "ann@example.com");
        await page.fill("#nickname", "Ann");
        await page.fill("#password", "short");
        await press(page, "Create account");
        await page.getByRole("alert").getByText("too short").waitFor();
        expect(await page.inputValue("#nickname")).toBe("Ann");
        await world.look(page, "sign-up refused", javaScriptEnabled);
        await page.fill("#password", PASSWORD);
        await press(page, "Create account");
        expect(await heading(page)).toContain("Shop asks for access");
        await world.look(page, "consent", javaScriptEnabled);
        await press(page, "Allow");
        expect(await heading(page)).toBe("Hello Ann");

        await page.goto(world.shop.origin); // signed in and allowed: nothing is asked
        expect(await heading(page)).toBe("Hello Ann");

        await page.goto(`${base}/account`);
        await world.look(page, "account", javaScriptEnabled);
        await page.getByRole("link", { name: "Profile" }).click();
        await page.fill("#name", "Ann Example");
        await page.fill("#website", "ftp://ann.example.com"); // an address for the browser, but not for us
        await press(page, "Save profile");
        await page.getByRole("alert").waitFor();
        await world.look(page, "profile refused", javaScriptEnabled);
        await page.fill("#website", "https://ann.example.com");
        await press(page, "Save profile");
        await page.getByText("Your profile is saved.").waitFor();
        await world.look(page, "profile saved", javaScriptEnabled);

        await page.getByRole("link", { name: "Password" }).click();
        await world.look(page, "password", javaScriptEnabled);
        await page.fill("#currentPassword", PASSWORD);
        await page.fill("#newPassword", NEW_PASSWORD);
        await page.fill("#newPasswordAgain", NEW_PASSWORD);
        await press(page, "Change password");
        await page.getByText("Your password is changed.").waitFor();

        await world.inBrowser({ ...options, viewport: { width: 1440, height: 900 } }, async (other) => {
          await other.goto(`${base}/account`);
          await signIn(other, "ann", PASSWORD);
          await other.getByRole("alert").getByText("is not right").waitFor();
          expect(await other.inputValue("#identifier")).toBe("ann");
          await world.look(other, "wrong password", javaScriptEnabled);
          await signIn(other, "ANN@example.com", NEW_PASSWORD);
          expect(await heading(other)).toBe("Ann");
          await world.look(other, "account on a wide screen", javaScriptEnabled);

          await page.goto(`${base}/account/sessions`);
          await world.look(page, "sessions", javaScriptEnabled);
          await page.getByRole("button", { name: "Sign out Chrome" }).click();
          await page.getByText("That session has ended.").waitFor();
          await world.look(page, "sessions ended", javaScriptEnabled);
          await expect
            .poll(async () => other.goto(`${base}/account`).then(() => heading(other)))
            .toBe("Sign in");
        });

        await page.goto(`${base}/account`);
        await page.getByRole("link", { name: "Sign out" }).click();
        await world.look(page, "sign-out question", javaScriptEnabled);
        await press(page, "Sign out");
        expect(await heading(page)).toBe("You are signed out");
        await world.look(page, "signed out", javaScriptEnabled);
        await page.goto(world.shop.origin);
        expect(await heading(page)).toBe("Sign in");
      });
    },
    90_000,
  );

  it("leaves the application and the server together, and may refuse what an application asks", async () => {
    const { user } = await world.aTenant();
    await user("ann");
    await world.inBrowser(PHONE, async (page) => {
      await page.goto(world.shop.origin);
      await signIn(page, "ann", PASSWORD);
      await press(page, "Deny");
      expect(await heading(page)).toBe("Refused: access_denied");
      await page.goto(world.shop.origin);
      await press(page, "Allow");
      expect(await heading(page)).toBe("Hello Ann");
      await page.goto(`${world.shop.origin}/leave`);
      expect(await heading(page)).toBe("Goodbye");
      await page.goto(world.shop.origin);
      expect(await heading(page)).toBe("Sign in");
    });
  }, 60_000);

  it("is led on to another origin of the application, which is registered as its homepage", async () => {
    const { user } = await world.aTenant({}, { homepage: world.shop.front, consent: "implicit" });
    await user("ann");
    world.shop.goOn = true;
    await world.inBrowser(PHONE, async (page) => {
      await page.goto(world.shop.origin);
      await signIn(page, "ann", PASSWORD);
      await page.getByText("Hello Ann in front").waitFor();
    });
    world.shop.goOn = false;
  }, 60_000);

  it("hands a posted answer over, with script and without", async () => {
    const { user } = await world.aTenant({}, { consent: "implicit" });
    await user("ann");
    for (const javaScriptEnabled of [true, false]) {
      await world.inBrowser({ ...PHONE, javaScriptEnabled }, async (page) => {
        await page.goto(`${world.shop.origin}/?response_mode=form_post`);
        await signIn(page, "ann", PASSWORD);
        if (!javaScriptEnabled) {
          await world.look(page, "answer by a form", false);
          await press(page, "Continue");
        }
        await page.getByText("Hello Ann").waitFor();
      });
    }
  }, 60_000);

  it("goes back, reloads, presses twice and uses two tabs without getting lost", async () => {
    const { base, user } = await world.aTenant({ signInForm: "identifier_first" }, { consent: "implicit" });
    await user("ann");
    await world.inBrowser(PHONE, async (page) => {
      await page.goto(world.shop.origin);
      await world.look(page, "identifier first");
      await page.fill("#identifier", "somebody");
      await press(page, "Next");
      await page.locator("#password").waitFor();
      await world.look(page, "then the password");
      await page.reload();
      expect(await page.inputValue("#identifier")).toBe("somebody");
      await page.goBack();
      await page.goto(page.url());
      await page.getByRole("link", { name: /Not you/ }).click();
      await page.fill("#identifier", "ann");
      await press(page, "Next");

      const tab = await page.context().newPage();
      await tab.goto(page.url());
      await page.fill("#password", PASSWORD);
      await page.getByRole("button", { name: "Sign in", exact: true }).dblclick();
      await page.getByText("Hello Ann").waitFor();

      await tab.fill("#password", PASSWORD); // its flow is finished
      await press(tab, "Sign in");
      expect(await heading(tab)).toBe("This sign-in has expired");
      await world.look(tab, "finished in another tab");
      await tab.getByRole("link", { name: "Go to your account" }).click();
      expect(await heading(tab)).toBe("Ann");
      await tab.goto(`${base}/sign-in`);
      expect(await heading(tab)).toBe("You are signed in already");
      await world.look(tab, "signed in already");
      await page.goBack();
      expect(await page.locator("h1").count()).toBe(1);
    });
  }, 60_000);

  it("reads the pages in Chinese and in the dark, and changes the language", async () => {
    const { base, user } = await world.aTenant();
    await user("ann");
    await world.inBrowser({ ...PHONE, locale: "zh-CN", colorScheme: "dark" }, async (page) => {
      await page.goto(`${base}/account`);
      expect(await page.locator("html").getAttribute("lang")).toBe("zh-CN");
      await page.fill("#identifier", "ann");
      await page.fill("#password", "wrong");
      await page.locator("main form button[type=submit]").click();
      await page.getByRole("alert").waitFor();
      await world.look(page, "Chinese, dark, wrong password");
      await page.getByRole("link", { name: "English" }).click();
      await signIn(page, "ann", PASSWORD);
      expect(await heading(page)).toBe("Ann");
      expect(await page.locator("html").getAttribute("lang")).toBe("en");
    });
  }, 60_000);

  it("who installs the server sets the first password by the link", async () => {
    const link = (await createSetUpLink(world.server.deps)) ?? "";
    await world.inBrowser({ viewport: { width: 1440, height: 900 } }, async (page) => {
      await page.goto(link);
      await world.look(page, "set-up");
      await page.fill("#password", PASSWORD);
      await page.fill("#passwordAgain", PASSWORD);
      await press(page, "Set password");
      await page.getByText("The password is set. Sign in with it.").waitFor();
      expect(await page.inputValue("#identifier")).toBe("administrator");
      await world.look(page, "after the set-up");
      await page.fill("#password", PASSWORD);
      await press(page, "Sign in");
      expect(await heading(page)).toBe("administrator");
      await page.goto(link);
      expect(await heading(page)).toBe("This link no longer works");
      await world.look(page, "the link again");
      await page.goto(`${world.server.url}/nothing/here`);
      expect(await heading(page)).toBe("There is no page here");
      await world.look(page, "no page");
    });
  }, 60_000);
});
