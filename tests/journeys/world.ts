import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";
import { createApplication } from "../../packages/server/src/domain/applications/index.ts";
import { createTenant } from "../../packages/server/src/domain/tenants/index.ts";
import { createUser } from "../../packages/server/src/domain/users/index.ts";
import {
  aServer,
  type TestServer,
  type TestServerOptions,
} from "../../packages/server/src/testing/a-server.ts";
import { aMailbox, type Mailbox } from "../../packages/server/src/testing/mailbox.ts";
import { contextOf } from "../../packages/server/src/testing/test-deps.ts";
import { launchBrowser } from "../pages/browser.ts";
import { inspect } from "../pages/inspect.ts";
import { openShop, type Shop } from "./shop.ts";

export const PASSWORD = "correct horse battery staple";
export const NEW_PASSWORD = "purple monkey dishwasher radio";
export const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 760 } };

/** A server that listens, an application on another origin, and a browser to walk between them. */
export class World implements AsyncDisposable {
  readonly server: TestServer;
  readonly browser: Browser;
  readonly shop: Shop;
  readonly mailbox: Mailbox = aMailbox();
  readonly #directory: string;
  #shots = 0;
  #tenants = 0;

  private constructor(server: TestServer, browser: Browser, shop: Shop, name: string) {
    [this.server, this.browser, this.shop] = [server, browser, shop];
    this.#directory = mkdtempSync(join(tmpdir(), `ostiary-${name}-`));
    Object.assign(server.deps, { sender: this.mailbox.sender });
  }

  /** @param name - of the folder in which the pictures are. */
  static async open(name: string, options: TestServerOptions = {}): Promise<World> {
    const [server, browser, shop] = await Promise.all([
      aServer({ listen: true, ...options }),
      launchBrowser(),
      openShop(),
    ]);
    return new World(server, browser, shop, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    this.shop.close();
    await this.server[Symbol.asyncDispose]();
    console.info(`Pictures of the journeys: ${this.#directory}`);
  }

  /** A tenant with the shop as its application; the base address of its pages. */
  async aTenant(settings: object = {}, application: object = {}) {
    const { deps, tenantId, url } = this.server;
    const { shop } = this;
    const slug = `journey-${++this.#tenants}`;
    const tenant = await createTenant(deps, contextOf(tenantId), {
      slug,
      name: "Example Ltd",
      settings: { signUp: "open", ...settings },
    });
    const admin = contextOf(tenant.id);
    const created = await createApplication(deps, admin, {
      slug: "shop",
      name: "Shop",
      tokenEndpointAuthMethod: "none",
      redirectUris: [`${shop.origin}/callback`],
      postLogoutRedirectUris: [`${shop.origin}/bye`],
      ...application,
    });
    const base = `${url}/t/${slug}`;
    await shop.configure(base, created.application.id);
    const user = (username: string, more: object = {}) =>
      createUser(deps, admin, { username, nickname: "Ann", password: { plain: PASSWORD }, ...more });
    return { base, user, admin };
  }

  async inBrowser(options: BrowserContextOptions, visit: (page: Page) => Promise<void>): Promise<void> {
    const context: BrowserContext = await this.browser.newContext(options);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => {
      // A refusal is shown as a page with its status, which the console reports.
      if (message.type() === "error" && !message.text().includes("status of 4"))
        complaints.push(message.text());
    });
    await visit(page);
    expect(complaints).toEqual([]);
    await context.close();
  }

  /** Takes a picture, and lets axe-core look where its script may run. */
  async look(page: Page, name: string, script = true): Promise<void> {
    const number = String(++this.#shots).padStart(2, "0");
    await page.screenshot({ path: join(this.#directory, `${number} ${name}.png`), fullPage: true });
    if (script) expect(await inspect(page), name).toEqual([]);
  }

  /** The six digits of the newest message to an address. */
  code(address: string): Promise<string> {
    return this.mailbox.code(this.server.deps, address);
  }

  /** The address in the newest message to an address. */
  async link(address: string): Promise<string> {
    const message = await this.mailbox.newest(this.server.deps, address);
    const link = /https?:\/\/\S+/.exec(message?.text ?? "")?.[0];
    if (link === undefined) throw new Error(`no link was sent to ${address}`);
    return link;
  }
}

export const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();

export const heading = (page: Page) => page.locator("h1").textContent();

export async function signIn(page: Page, username: string, password: string): Promise<void> {
  await page.fill("#identifier", username);
  await page.fill("#password", password);
  await press(page, "Sign in");
}
