import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { INSTALL_TIMEOUT } from "../../python/environment.ts";
import { DJANGO_MISSING, type Django, startDjango } from "./django.ts";
import { comparable } from "./recordings.ts";
import { aZibanu, PASSWORD, type World } from "./world.ts";

let django: Django;
let world: World;

beforeAll(async () => {
  if (DJANGO_MISSING) return;
  django = await startDjango();
  world = await aZibanu({ requireProfile: true, dangerTellUnknownEmail: true }, { listen: true });
}, INSTALL_TIMEOUT);
afterAll(async () => {
  await django?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

interface Step {
  path: string;
  body?: unknown;
  /** Whose token; kept by name. */
  as?: string;
  /** Keep the token of the answer under this name. */
  keep?: string;
  origin?: string;
  method?: string;
}

const login = (name: string, more: object = {}): Step => ({
  path: "/login/",
  body: { email: `${name}@example.com`, password: PASSWORD, ...more },
  keep: name,
});
const A = "https://a.example";
const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==";

const SEQUENCES: Record<string, Step[]> = {
  "signs in, refreshes and signs out": [
    login("plain"),
    { ...login("plain"), keep: "none" },
    { ...login("plain"), origin: A, keep: "elsewhere" },
    { path: "/user/profile/", as: "plain" },
    { ...login("plain", { close: true }), keep: "next" },
    { path: "/user/profile/", as: "plain" },
    { path: "/user/profile/", as: "elsewhere" },
    { path: "/refresh/", body: { token: "$next" }, keep: "fresh" },
    { path: "/refresh/", body: { token: "$next" } },
    { path: "/user/profile/", as: "next" },
    { path: "/user/profile/", as: "fresh" },
    { path: "/logout/", as: "fresh" },
    { path: "/logout/", as: "fresh" },
    { ...login("plain"), keep: "again" },
    login("inactive"),
    login("nobody"),
    { path: "/login/", body: { email: [], password: null } },
    { path: "/refresh/", body: { token: "garbage" } },
    { path: "/refresh/", body: [] },
  ],
  "shows lists by level and permission": [
    ...["root", "staff", "manager", "viewer", "guest"].map((name) => login(name, { close: true })),
    login("plain", { close: true }),
    ...["root", "staff", "manager", "viewer", "guest", "plain"].flatMap((as) => [
      { path: "/user/list/", as },
      { path: "/group/list/", as },
      { path: "/grouplevel/list/", as },
    ]),
    { path: "/user/list/", as: "root", method: "GET" },
    { path: "/user/list/", method: "GET" },
    { path: "/utils/timezone/list/", as: "plain" },
  ],
  "keeps a profile": [
    { path: "/profile/update/", as: "plain", body: { theme: "dark", lang: "es", messages_timeout: "15" } },
    { path: "/user/profile/", as: "plain" },
    { path: "/profile/update/", as: "plain", body: { timezone: "Mars", keep_logged_in: "perhaps" } },
    { path: "/profile/update/", as: "plain", body: { app_settings: { a: [1, null] }, multiple_login: true } },
    { path: "/profile/update/", as: "plain", body: { avatar: `data:image/gif;base64,${PNG}` } },
    { path: "/user/avatar/", as: "plain" },
    { path: "/profile/update/", as: "plain", body: { avatar: "" } },
    { path: "/user/avatar/", as: "plain" },
    { path: "/user/profile/", as: "plain" },
  ],
  "administers users": [
    {
      path: "/user/add/",
      as: "root",
      body: { email: "ana@Example.com", first_name: "Ana", roles: [2, "3"] },
    },
    { path: "/user/add/", as: "root", body: { email: "ana@example.com" } },
    { path: "/user/add/", as: "root", body: { email: "x", profile: { lang: "long", timezone: 5 } } },
    { path: "/user/add/", as: "manager", body: { email: "b@example.com", is_superuser: true } },
    { path: "/user/add/", as: "plain", body: { email: "c@example.com" } },
    { path: "/user/retrieve/", as: "root", body: { id: 13 } },
    { path: "/user/update/", as: "root", body: { id: 13, last_name: "Ruiz", roles: [], is_staff: true } },
    { path: "/user/update/", as: "root", body: { email: "ana@example.com", username: "viewer" } },
    { path: "/user/update/", as: "root", body: { email: "ana@example.com", is_active: false } },
    { path: "/user/retrieve/", as: "root", body: { pk: "13" } },
    { path: "/user/delete/", as: "manager", body: { id: 4 } },
    { path: "/user/delete/", as: "manager", body: { id: 13 } },
    { path: "/user/delete/", as: "root", body: { id: 13 } },
    { path: "/user/delete/", as: "root", body: { id: 13 } },
    { path: "/user/retrieve/", as: "root", body: { id: 13 } },
  ],
  "changes passwords": [
    login("victim"),
    { path: "/change-password/", as: "victim", body: { old_password: "x" } },
    { path: "/change-password/", as: "victim", body: { old_password: "x", new_password: "x" } },
    { path: "/change-password/", as: "victim", body: { old_password: "x", new_password: "y" } },
    {
      path: "/change-password/",
      as: "victim",
      body: { old_password: PASSWORD, new_password: "N3w.passw0rd" },
    },
    { path: "/user/avatar/", as: "victim" },
    login("victim", { close: true }),
    login("victim", { close: true, password: "N3w.passw0rd" }),
    { path: "/request-password/", body: { email: "nobody@example.com" } },
    { path: "/request-password/", body: {} },
    { path: "/request-password/", body: { email: "victim@example.com" } },
  ],
};

class Side {
  readonly #url: string;
  readonly #tokens = new Map<string, string>();

  constructor(url: string) {
    this.#url = url;
  }

  async take({ path, body, as, keep, origin, method = "POST" }: Step): Promise<object> {
    const sent = JSON.stringify(body)?.replaceAll(
      /\$(\w+)/g,
      (_, name: string) => this.#tokens.get(name) ?? "",
    );
    const answer = await fetch(`${this.#url}/zibanu${path}`, {
      method,
      headers: {
        ...(as === undefined ? {} : { authorization: `JWT ${this.#tokens.get(as)}` }),
        ...(origin === undefined ? {} : { origin }),
        ...(sent === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(sent === undefined || method === "GET" ? {} : { body: sent }),
    });
    const text = await answer.text();
    const isJson = answer.headers.get("content-type") === "application/json" && answer.status !== 204;
    const value: unknown = isJson && text !== "" ? JSON.parse(text) : null;
    const token = (value as { token?: string } | null)?.token;
    if (keep !== undefined && typeof token === "string") this.#tokens.set(keep, token);
    const challenge = answer.headers.get("www-authenticate");
    return { status: answer.status, body: comparable(value), challenge };
  }
}

describe.skipIf(DJANGO_MISSING !== undefined)("Ostiary beside zibanu-django-auth 1.1.8", () => {
  it.each(Object.keys(SEQUENCES))("%s with the same answers", async (name) => {
    const steps = SEQUENCES[name] ?? [];
    const [theirs, ours] = sides();
    for (const [index, step] of steps.entries()) {
      const expected = await theirs.take(step);
      const actual = await ours.take(step);
      expect({ index, step, ...actual }).toEqual({ index, step, ...expected });
    }
  });
});

/** Tokens go from one sequence to the next. */
const kept: { sides?: [Side, Side] } = {};
function sides(): [Side, Side] {
  kept.sides ??= [new Side(django.url), new Side(world.server.url)];
  return kept.sides;
}
