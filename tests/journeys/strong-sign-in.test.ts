/** How people prove who they are, in a real browser: passkeys, codes, links, second factors, and what helps when they are lost. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allowImpersonation } from "../../packages/server/src/domain/sign-in/index.ts";
import { shownByApp } from "../../packages/server/src/testing/authenticator-app.ts";
import { BROWSER_AVAILABLE } from "../pages/browser.ts";
import { heading, NEW_PASSWORD, PASSWORD, PHONE, press, signIn, World } from "./world.ts";

const MAIL = "ann@example.com";
const VERIFIED = { email: MAIL, emailVerified: true };

describe.skipIf(!BROWSER_AVAILABLE)("who signs in with more than a password", () => {
  let world: World;

  beforeAll(async () => {
    world = await World.open("strong", { host: "localhost" });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  /** Chromium's own authenticator, which is always there and knows its holder. */
  async function authenticator(page: Page) {
    const session = await page.context().newCDPSession(page);
    await session.send("WebAuthn.enable");
    const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    return {
      present: (enabled: boolean) =>
        session.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled }),
      count: async () =>
        (await session.send("WebAuthn.getCredentials", { authenticatorId })).credentials.length,
    };
  }

  /** What the app shows; each call half a minute later, because no code is taken twice. */
  function shown(secret: string): string {
    world.server.clock.advance(30);
    return shownByApp(secret, world.server.clock.now());
  }

  const keyOn = async (page: Page) => ((await page.locator(".key").textContent()) ?? "").replaceAll(" ", "");

  it("adds a passkey, names it, and signs in with it without typing anything", async () => {
    const { base, user } = await world.aTenant();
    await user("ann");
    await world.inBrowser(PHONE, async (page) => {
      const device = await authenticator(page);
      await page.goto(`${base}/account`);
      await signIn(page, "ann", PASSWORD);
      await page.getByRole("link", { name: "Security" }).click();
      await world.look(page, "security, nothing yet");
      await page.getByRole("link", { name: "Add passkey" }).click();
      await world.look(page, "new passkey");
      await page.fill("#name", "Work laptop");
      await press(page, "Add passkey");
      await page.getByText("Your passkey is added.").waitFor();
      expect(await device.count()).toBe(1);
      await world.look(page, "security with a passkey");
      await page.getByRole("link", { name: "Add passkey" }).click();
      await press(page, "Add passkey");
      await page.getByText("This device has a passkey for your account already.").waitFor();

      await page.goto(`${base}/sign-out`);
      await press(page, "Sign out");
      await device.present(false);
      await page.goto(`${base}/account`);
      await world.look(page, "sign-in with a passkey");
      await device.present(true);
      await press(page, "Sign in with a passkey");
      await page.getByRole("heading", { name: "Ann", exact: true }).waitFor();
      await page.goto(`${base}/sign-out`);
      await press(page, "Sign out");
      await page.goto(`${base}/account`);
      // What the browser offers in its list of names, this authenticator takes at once.
      await page.getByRole("heading", { name: "Ann", exact: true }).waitFor();
    });
  }, 60_000);

  it.each([true, false])(
    "sets up an authenticator app because it must, uses it, and is remembered; script allowed: %s",
    async (javaScriptEnabled) => {
      const { base, user } = await world.aTenant(
        { signIn: { secondFactor: "always" } },
        { consent: "implicit" },
      );
      await user("ann");
      const options = { ...PHONE, javaScriptEnabled };
      let secret = "";
      await world.inBrowser(options, async (page) => {
        await page.goto(world.shop.origin);
        await signIn(page, "ann", PASSWORD);
        await world.look(page, "a second factor must be set up", javaScriptEnabled);
        await page.getByRole("link", { name: /Authenticator app/ }).click();
        await page.locator("summary").click();
        secret = await keyOn(page);
        await world.look(page, "set up an app", javaScriptEnabled);
        await page.fill("#code", "000000");
        await press(page, "Finish");
        await page.getByRole("alert").getByText("not right").waitFor();
        await page.locator("summary").click();
        expect(await keyOn(page)).toBe(secret);
        await page.fill("#code", shown(secret));
        await press(page, "Finish");
        await page.getByText("Hello Ann").waitFor();

        await page.goto(`${base}/account/security/recovery-codes`);
        await press(page, "Make codes");
        await world.look(page, "recovery codes", javaScriptEnabled);
        expect(await page.locator(".codes li").count()).toBe(10);
      });
      await world.inBrowser(options, async (page) => {
        await page.goto(world.shop.origin);
        await signIn(page, "ann", PASSWORD);
        await world.look(page, "second factor", javaScriptEnabled);
        await page.fill("#code", "123 456");
        await press(page, "Sign in");
        await page.getByRole("alert").waitFor();
        await page.fill("#code", shown(secret));
        await press(page, "Sign in");
        await page.getByText("Hello Ann").waitFor();
      });
    },
    60_000,
  );

  it("is not asked again in a browser that is remembered, until it is forgotten", async () => {
    const { base, user } = await world.aTenant({ signIn: { secondFactor: "enrolled" } });
    await user("ann", VERIFIED);
    await world.inBrowser(PHONE, async (page) => {
      await page.goto(`${base}/account/security/totp`);
      await signIn(page, "ann", PASSWORD);
      await page.locator("summary").click();
      const secret = await keyOn(page);
      await page.fill("#code", shown(secret));
      await press(page, "Finish");
      await page.getByText("Your authenticator app is set up.").waitFor();
      await page.goto(`${base}/account/security/recovery-codes`);
      await press(page, "Make codes");
      const recovery = (await page.locator(".codes li").first().textContent()) ?? "";
      const leave = async () => {
        await page.goto(`${base}/sign-out`);
        await press(page, "Sign out");
        await page.goto(`${base}/account`);
        await signIn(page, "ann", PASSWORD);
      };
      await leave();
      await page.getByRole("link", { name: "Use a recovery code" }).click();
      await page.fill("#code", recovery);
      await page.check("#remember");
      await world.look(page, "recovery code");
      await press(page, "Sign in");
      expect(await heading(page)).toBe("Ann");
      await leave();
      expect(await heading(page)).toBe("Ann");
      await page.getByRole("link", { name: "Security" }).click();
      await page.getByText("9 codes are left.").waitFor();
      await world.look(page, "security with a remembered browser");
      await page.getByRole("button", { name: /^Forget/ }).click();
      await page.getByText("will be asked for a second factor again").waitFor();
      await leave();
      expect(await heading(page)).toBe("Enter the code from your app");
    });
  }, 60_000);

  it("signs in with a code by mail, by keyboard alone", async () => {
    const { base, user } = await world.aTenant({ signIn: { methods: ["password", "email_code"] } });
    await user("ann", VERIFIED);
    await world.inBrowser(PHONE, async (page) => {
      await page.goto(`${base}/account`);
      await world.look(page, "sign-in with several methods");
      await page.keyboard.type(MAIL);
      for (let presses = 0; presses < 10; presses++) {
        await page.keyboard.press("Tab");
        if ((await page.evaluate("document.activeElement?.textContent")) === "E-mail me a code") break;
      }
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Check your e-mail" }).waitFor();
      await world.look(page, "code by mail");
      await page.keyboard.type(await world.code(MAIL)); // the field has the focus
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Ann", exact: true }).waitFor();
    });
  }, 60_000);

  it("signs in with a link, which works in the browser that asked and nowhere else", async () => {
    const { base, user } = await world.aTenant({ signIn: { methods: ["password", "magic_link"] } });
    await user("ann", VERIFIED);
    await world.inBrowser(PHONE, async (page) => {
      await page.goto(`${base}/account`);
      await page.fill("#identifier", MAIL);
      await press(page, "E-mail me a link");
      await world.look(page, "link sent");
      const link = await world.link(MAIL);
      await world.inBrowser(PHONE, async (other) => {
        await other.goto(link);
        expect(await heading(other)).toBe("Open this link where you asked for it");
        expect(await other.locator("main form").count()).toBe(0);
        await world.look(other, "link opened elsewhere");
      });
      await page.goto(link);
      await world.look(page, "link opened");
      await press(page, "Sign in");
      expect(await heading(page)).toBe("Ann");
    });
  }, 60_000);

  it("chooses a new password when the old one is forgotten, and goes on to the application", async () => {
    const { user } = await world.aTenant({}, { consent: "implicit" });
    await user("ann", VERIFIED);
    await world.inBrowser({ ...PHONE, javaScriptEnabled: false }, async (page) => {
      await page.goto(world.shop.origin);
      await page.getByRole("link", { name: "Forgotten your password?" }).click();
      await world.look(page, "forgotten password", false);
      await page.fill("#identifier", "ann");
      await press(page, "Send code");
      await world.look(page, "code for a new password", false);
      await page.fill("#code", await world.code(MAIL));
      await press(page, "Continue");
      expect(await heading(page)).toBe("Choose a new password");
      await world.look(page, "new password", false);
      await page.fill("#password", NEW_PASSWORD);
      await page.fill("#passwordAgain", NEW_PASSWORD);
      await press(page, "Change password and sign in");
      await page.getByText("Hello Ann").waitFor();
    });
  }, 60_000);

  it("confirms the address of a new account, and changes it with codes to the old and the new one", async () => {
    const { base } = await world.aTenant({ signIn: { verifyEmail: true } });
    await world.inBrowser(PHONE, async (page) => {
      await page.goto(`${base}/sign-up`);
      await page.fill("#username", "bob");
      await page.fill("#email", "bob@example.com");
      await page.fill("#password", PASSWORD);
      await press(page, "Create account");
      await world.look(page, "confirm the address");
      await page.fill("#code", await world.code("bob@example.com"));
      await press(page, "Confirm");
      expect(await heading(page)).toBe("bob");
      await page.getByRole("link", { name: "E-mail and phone" }).click();
      await world.look(page, "addresses");
      await page.getByRole("link", { name: "Change: E-mail address" }).click();
      await page.fill("#value", "robert@example.com");
      await press(page, "Continue");
      await page.getByText("First confirm that the old one is yours.").waitFor();
      await world.look(page, "confirm the old address");
      await page.fill("#code", await world.code("bob@example.com"));
      await press(page, "Confirm");
      await page.getByText("robert@example.com").waitFor();
      await page.fill("#code", await world.code("robert@example.com"));
      await press(page, "Confirm");
      await page.getByText("Done. Your addresses are up to date.").waitFor();
      await world.look(page, "address changed");
    });
  }, 60_000);

  it("says on every page when an administrator acts as the person, and leads back", async () => {
    const { base, user, admin } = await world.aTenant();
    const boss = await user("boss", { nickname: "Boss", roles: ["administrator"] });
    const ann = await user("ann");
    const context = { ...admin, actor: { type: "user", id: boss.id } as const };
    const { url } = await allowImpersonation(world.server.deps, context, ann.id, { reason: "Ticket 4711" });
    await world.inBrowser(PHONE, async (page) => {
      await page.goto(`${base}/account`);
      await signIn(page, "boss", PASSWORD);
      await page.goto(url);
      await world.look(page, "act as somebody");
      await press(page, "Begin");
      await page.getByText("Boss is acting as Ann.").waitFor();
      expect(await heading(page)).toBe("Ann");
      await world.look(page, "acting as somebody");
      await page.goto(`${base}/account/security/totp`);
      expect(await heading(page)).toBe("Not while you act as somebody else");
      await page.goto(`${base}/account/profile`);
      await press(page, "End this");
      expect(await heading(page)).toBe("Boss");
    });
  }, 60_000);
});
