import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { beginTotp, confirmTotp } from "../../packages/server/src/domain/credentials/index.ts";
import { findFlow, flowView, giveTotp } from "../../packages/server/src/domain/sign-in/index.ts";
import { findTenantById, updateSettings } from "../../packages/server/src/domain/tenants/index.ts";
import { shownByApp } from "../../packages/server/src/testing/authenticator-app.ts";
import { Browser, type Visit } from "./browser.ts";
import {
  aProvider,
  authorize,
  authorizeUrl,
  type Client,
  claimsOf,
  type Provider,
  pkce,
  post,
  redeem,
} from "./provider.ts";

const TWO = "urn:ostiary:acr:2";
let provider: Provider;
let client: Client;
let userId: string;
let secret: string;

beforeAll(async () => {
  provider = await aProvider();
  userId = (await provider.user()).id;
  client = await provider.client();
  const { deps, context } = provider;
  const begun = await beginTotp(deps, context, await theTenant(), userId);
  secret = begun.secret;
  const tenant = await theTenant();
  await deps.database.transaction((tx) =>
    confirmTotp(deps, tx, context, tenant, userId, { id: begun.id, code: shown() }),
  );
});
afterAll(() => provider[Symbol.asyncDispose]());

async function theTenant() {
  const tenant = await findTenantById(provider.deps, provider.context.tenantId);
  if (!tenant) throw new Error("no tenant");
  return tenant;
}

/** What the authenticator app shows; each time the next code. */
function shown(): string {
  provider.clock.advance(30);
  return shownByApp(secret, provider.clock.now());
}

/** The flow of a page, as its browser sees it. */
async function flowOf(browser: Browser, page: Visit) {
  expect(page.url.pathname).toBe("/sign-in");
  const id = page.url.searchParams.get("flow") ?? "";
  return findFlow(provider.deps, provider.context, id, browser.cookie("ostiary_flow"));
}

/** Gives the code of the app and goes back to the client. */
async function giveCode(browser: Browser, page: Visit): Promise<Visit> {
  const { deps, context } = provider;
  const flow = await flowOf(browser, page);
  const { cookie = "" } = await giveTotp(deps, context, await theTenant(), flow, { code: shown() });
  browser.setCookie("ostiary_session", cookie);
  return browser.visit(`${provider.url}/oauth/authorize/resume?flow=${flow.id}`);
}

async function answerTo(
  changes: Record<string, string>,
  browser: Browser,
): Promise<string | null | undefined> {
  return (await browser.visit(authorizeUrl(provider, client, changes))).left?.searchParams.get("error");
}

describe("a session that has proven one factor", () => {
  it("is good for a client that asks for nothing or for one factor, and the ID token says so", async () => {
    const browser = await provider.signedIn(userId);
    const { body } = await redeem(provider, client, await authorize(provider, client, browser));
    expect(claimsOf(body.id_token)).toMatchObject({ acr: "urn:ostiary:acr:1", amr: ["pwd"] });
    expect(claimsOf(body.access_token)).toMatchObject({ acr: "urn:ostiary:acr:1" });
    const one = { acr_values: "urn:ostiary:acr:1", prompt: "none" };
    expect(
      (await browser.visit(authorizeUrl(provider, client, one))).left?.searchParams.get("code"),
    ).toBeTruthy();
  });

  it("proves more for acr_values, and the same session goes on under a new secret", async () => {
    const browser = await provider.signedIn(userId);
    const before = browser.cookie("ostiary_session") ?? "";
    const [sid] = before.split(".");
    const first = await redeem(provider, client, await authorize(provider, client, browser));
    const proof = pkce();
    const page = await browser.visit(authorizeUrl(provider, client, { acr_values: `phr ${TWO}` }, proof));
    const flow = await flowOf(browser, page);
    const view = await flowView(provider.deps, provider.context, await theTenant(), flow);
    expect(view).toMatchObject({ state: "second-factor", secondFactors: ["totp"], steps: ["give-totp"] });
    const back = await giveCode(browser, page);
    const code = back.left?.searchParams.get("code") ?? "";
    const { body } = await redeem(provider, client, { code, proof });
    expect(claimsOf(body.id_token)).toMatchObject({
      acr: TWO,
      amr: ["pwd", "otp", "mfa"],
      sid,
      // The password was not given again.
      auth_time: claimsOf(first.body.id_token).auth_time,
    });
    const stolen = new Browser();
    stolen.setCookie("ostiary_session", before);
    expect(await answerTo({ prompt: "none" }, stolen)).toBe("login_required");
    expect((await browser.visit(authorizeUrl(provider, client, { acr_values: TWO }))).left).toBeDefined();
  });

  it("is not asked more where the client forbids it: interaction_required", async () => {
    const browser = await provider.signedIn(userId);
    expect(await answerTo({ acr_values: TWO, prompt: "none" }, browser)).toBe("interaction_required");
  });

  it("cannot go on without what was asked for", async () => {
    const browser = await provider.signedIn(userId);
    const page = await browser.visit(authorizeUrl(provider, client, { acr_values: TWO }));
    const { id } = await flowOf(browser, page);
    const early = await browser.visit(`${provider.url}/oauth/authorize/resume?flow=${id}`);
    expect([early.status, early.left]).toEqual([400, undefined]);
  });

  it("ignores acr values it does not know, unless they are essential", async () => {
    const browser = await provider.signedIn(userId);
    expect(await answerTo({ acr_values: "gold silver", prompt: "none" }, browser)).toBeNull();
    const claims = (acr: object) => ({ claims: JSON.stringify({ id_token: { acr } }), prompt: "none" });
    expect(await answerTo(claims({ essential: true, values: ["gold"] }), browser)).toBe(
      "unmet_authentication_requirements",
    );
    expect(await answerTo(claims({ values: ["gold"] }), browser)).toBeNull();
    expect(await answerTo(claims({ essential: true, values: ["gold", TWO] }), browser)).toBe(
      "interaction_required",
    );
    expect(await answerTo(claims({ value: TWO }), browser)).toBe("interaction_required");
    for (const acr of [null, 1, "x", [], { values: "x" }, { values: [1, null] }]) {
      expect(await answerTo(claims(acr as object), browser)).toBeNull();
    }
  });

  it("is not enough for an application that is stricter, and a new sign-in for it asks at once", async () => {
    const bank = await provider.client({ settings: { secondFactor: "always" } });
    const browser = await provider.signedIn(userId);
    const visit = await browser.visit(authorizeUrl(provider, bank, { prompt: "none" }));
    expect(visit.left?.searchParams.get("error")).toBe("interaction_required");
    const page = await browser.visit(authorizeUrl(provider, bank));
    expect((await flowOf(browser, page)).state).toBe("second-factor");
    expect((await giveCode(browser, page)).left?.searchParams.get("code")).toBeTruthy();
  });
});

it("prompt=login asks for all of it again", async () => {
  const browser = await provider.signedIn(userId);
  const page = await browser.visit(authorizeUrl(provider, client, { prompt: "login", acr_values: TWO }));
  expect(await flowOf(browser, page)).toMatchObject({ state: "identifier", facts: { acr: TWO } });
});

it("a tenant that takes no old sign-ins asks when it is older than so", async () => {
  await updateSettings(provider.deps, provider.context, { signIn: { staleSeconds: 600 } });
  const browser = await provider.signedIn(userId);
  expect(await answerTo({ prompt: "none" }, browser)).toBeNull();
  provider.clock.advance(601);
  expect(await answerTo({ prompt: "none" }, browser)).toBe("login_required");
  await updateSettings(provider.deps, provider.context, { signIn: { staleSeconds: null } });
});

it("the metadata and introspection say it", async () => {
  const metadata = await (await fetch(`${provider.url}/.well-known/openid-configuration`)).json();
  expect(metadata).toMatchObject({ acr_values_supported: ["urn:ostiary:acr:1", TWO, "phr"] });
  const browser = await provider.signedIn(userId);
  const { body } = await redeem(provider, client, await authorize(provider, client, browser));
  const token = String(body.access_token);
  const { body: told } = await post(`${provider.url}/oauth/introspect`, { token }, { client });
  expect(told).toMatchObject({ active: true, acr: "urn:ostiary:acr:1" });
});
