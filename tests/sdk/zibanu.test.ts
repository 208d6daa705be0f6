import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as sdk from "../../packages/sdk/src/zibanu/index.ts";
import { DJANGO_MISSING, type Django, startDjango } from "../dialects/zibanu/django.ts";
import { aZibanu, PASSWORD, type World } from "../dialects/zibanu/world.ts";
import { INSTALL_TIMEOUT } from "../python/environment.ts";
import { EXPECTED, everything } from "./zibanu-everything.ts";
import { JOURNEY } from "./zibanu-journey.ts";

describe("the Zibanu client against Ostiary", () => {
  let world: World;
  beforeAll(async () => {
    world = await aZibanu({}, { listen: true });
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  it.each(JOURNEY)("%s", async (_, step) => {
    await step({ baseUrl: `${world.server.url}/zibanu/`, password: PASSWORD });
  });

  it("does all that it has functions for", async () => {
    const server = { baseUrl: `${world.server.url}/zibanu/`, password: PASSWORD, run: "node" };
    expect(await everything(sdk, server)).toEqual(EXPECTED);
  });

  it("resets a password in two steps, sorts users and reads a menu where the server speaks 3.0", async () => {
    await world.configure({ compat: "3.0" });
    const client = sdk.createZibanuClient({ baseUrl: `${world.server.url}/zibanu/`, compat: "3.0" });
    const email = "victim@example.com";
    const before = (await world.mails()).length;
    await client.requestPassword(email);
    const code = async () => /\b\d{6}\b/.exec((await world.mails())[before]?.text ?? "")?.[0] ?? "";
    await expect.poll(code).toMatch(/^\d{6}$/);
    const wrong = (await code()) === "000000" ? "111111" : "000000";
    await expect(client.requestPassword(email, wrong)).rejects.toMatchObject({ kind: "validation" });
    await client.requestPassword(email, await code(), "N3w.passw0rd");
    await client.login({ email, password: "N3w.passw0rd", close: true });
    await expect(client.users.list("-email")).rejects.toMatchObject({ kind: "permission", status: 403 });
    await expect(client.menu("x")).rejects.toMatchObject({ kind: "not_found" });
    const viewer = sdk.createZibanuClient({ baseUrl: `${world.server.url}/zibanu/`, compat: "3.0" });
    await viewer.login({ email: "viewer@example.com", password: PASSWORD, close: true });
    const emails = (await viewer.users.list("-email")).map((user) => user.email);
    expect(emails).toEqual(emails.toSorted().toReversed());
    await world.configure({ compat: "1.1" });
  });
});

describe.skipIf(DJANGO_MISSING)("the Zibanu client against zibanu-django-auth 1.1.8", () => {
  let django: Django;
  beforeAll(async () => {
    django = await startDjango();
  }, INSTALL_TIMEOUT);
  afterAll(() => django?.[Symbol.asyncDispose]());

  it.each(JOURNEY)("%s", async (_, step) => {
    await step({ baseUrl: `${django.url}/zibanu/`, password: PASSWORD });
  });

  it("does all that it has functions for", async () => {
    const server = { baseUrl: `${django.url}/zibanu/`, password: PASSWORD, run: "node" };
    expect(await everything(sdk, server)).toEqual(EXPECTED);
  });
});
