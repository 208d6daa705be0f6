import { afterAll, beforeAll, describe, it } from "vitest";
import { aZibanu, PASSWORD, type World } from "../dialects/zibanu/world.ts";
import { JOURNEY } from "./zibanu-journey.ts";

/** Where the original runs: an instance of zibanu-django-auth 1.1.8 that was just seeded. */
const ORIGINAL = process.env["OSTIARY_ZIBANU_ORIGINAL"];

describe("the Zibanu client against Ostiary", () => {
  let world: World;
  beforeAll(async () => {
    world = await aZibanu({}, { listen: true });
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  it.each(JOURNEY)("%s", async (_, step) => {
    await step({ baseUrl: `${world.server.url}/zibanu/`, password: PASSWORD });
  });
});

describe.skipIf(ORIGINAL === undefined)("the Zibanu client against the original", () => {
  it.each(JOURNEY)("%s", async (_, step) => {
    await step({ baseUrl: `${ORIGINAL}/auth/`, utilitiesUrl: "/utils/", password: PASSWORD });
  });
});
