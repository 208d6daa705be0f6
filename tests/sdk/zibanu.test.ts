import { afterAll, beforeAll, describe, it } from "vitest";
import { DJANGO_MISSING, type Django, startDjango } from "../dialects/zibanu/django.ts";
import { aZibanu, PASSWORD, type World } from "../dialects/zibanu/world.ts";
import { INSTALL_TIMEOUT } from "../python/environment.ts";
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
});
