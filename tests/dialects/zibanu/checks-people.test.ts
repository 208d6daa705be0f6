import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aZibanu, type CallOptions, type World } from "./world.ts";

/** The 45 black-box checks of the wire contract, Part 6, from 33 on. */
let world: World;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  world = await aZibanu();
  for (const name of ["root", "staff", "manager", "plain", "viewer", "guest"]) {
    tokens[name] = await world.token(name);
  }
});
afterAll(() => world[Symbol.asyncDispose]());

const as = (name: string, path: string, body?: unknown, options: CallOptions = {}) =>
  world.call(path, { token: tokens[name] ?? "", ...(body === undefined ? {} : { body }), ...options });
const error = (code: string, ...errors: string[]) => ({ errors, code });
const DENIED = {
  status: 401,
  body: error("permission_denied", "You do not have permission to perform this action."),
};
const LISTED = [
  "full_name",
  "email",
  "last_login",
  "is_staff",
  "is_superuser",
  "id",
  "first_name",
  "last_name",
  "level",
];
const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==";

describe("lists", () => {
  it("33, 35 need the permission, also by a role; staff may list permissions", async () => {
    expect(await as("plain", "/user/list/")).toMatchObject(DENIED);
    expect(await as("staff", "/user/list/")).toMatchObject(DENIED);
    expect((await as("guest", "/user/list/")).status).toBe(200);
    expect(await as("plain", "/permission/list/")).toMatchObject(DENIED);
    for (const name of ["staff", "manager", "root"]) {
      const { status, body } = await as(name, "/permission/list/");
      expect(status).toBe(200);
      expect((body as object[])[0]).toEqual({
        id: expect.any(Number),
        name: expect.any(String),
        codename: expect.any(String),
        app: expect.any(String),
      });
    }
  });

  it("34 shows a viewer nobody above him, by first name, with nine keys each", async () => {
    const people = (await as("viewer", "/user/list/")).body as Record<string, unknown>[];
    expect(people.every((person) => Number(person["level"]) >= 4)).toBe(true);
    expect(people.map((person) => person["first_name"])).toEqual([
      "Guest",
      "Multi",
      "Noprofile",
      "Plain",
      "Secure",
      "Victim",
      "Viewer",
    ]);
    expect(Object.keys(people[0] ?? {})).toEqual(LISTED);
  });

  it("36–37 show groups of one's level and below, and the seven levels", async () => {
    expect((await as("plain", "/group/list/")).body).toEqual([
      { id: 3, name: "Operators", level: 5 },
      { id: 4, name: "Guests", level: 9 },
      { id: 5, name: "NoLevel", level: 5 },
    ]);
    expect((await as("plain", "/grouplevel/list/")).body).toEqual([
      { level: 0, name: "Superuser" },
      { level: 1, name: "Staff" },
      { level: 2, name: "Super Administrator" },
      { level: 3, name: "Administrator" },
      { level: 4, name: "Supervisor" },
      { level: 5, name: "Operator" },
      { level: 9, name: "Guest" },
    ]);
  });
});

describe("a profile", () => {
  const profileOf = async (name: string) =>
    ((await as(name, "/user/profile/")).body as { profile: Record<string, unknown> }).profile;

  it("38 names everything that is wrong at once", async () => {
    expect(await as("plain", "/profile/update/", { timezone: "Mars", lang: "spanish" })).toMatchObject({
      status: 400,
      body: error(
        "api_exception",
        'timezone: "Mars" is not a valid choice.',
        "lang: Ensure this field has no more than 3 characters.",
      ),
    });
  });

  it("39 has several sessions for staff only, unless the tenant allows it to all", async () => {
    expect((await as("plain", "/profile/update/", { multiple_login: true })).status).toBe(200);
    expect((await profileOf("plain"))["multiple_login"]).toBe(false);
    expect((await as("staff", "/profile/update/", { multiple_login: true })).status).toBe(200);
    expect((await profileOf("staff"))["multiple_login"]).toBe(true);
  });

  it("40 has a picture that comes back as it went in, and is cleared by an empty text", async () => {
    expect((await as("plain", "/profile/update/", { avatar: `data:image/jpeg;base64,${PNG}` })).status).toBe(
      200,
    );
    expect((await as("plain", "/user/avatar/")).body).toBe(`data:image/png;base64,${PNG}`);
    expect((await profileOf("plain"))["avatar"]).toBe(`data:image/png;base64,${PNG}`);
    expect((await as("plain", "/profile/update/", { avatar: "" })).status).toBe(200);
    expect(await as("plain", "/user/avatar/")).toMatchObject({ status: 204, text: "" });
    expect(await as("plain", "/profile/update/", { avatar: null })).toMatchObject({
      status: 400,
      body: error("api_exception", "avatar: This field may not be null."),
    });
  });

  it("takes a picture from a form with files too, and serves it by its address", async () => {
    await world.configure({ avatarFormat: "url" });
    const form = new FormData();
    form.append("avatar", new Blob([Buffer.from(PNG, "base64")], { type: "text/html" }), "me.html");
    form.append("theme", "dark");
    const packed = new Response(form);
    const headers = { "content-type": packed.headers.get("content-type") ?? "" };
    const body = Buffer.from(await packed.arrayBuffer());
    expect((await as("plain", "/profile/update/", body, { headers })).status).toBe(200);
    const address = (await as("plain", "/user/avatar/")).body as string;
    const picture = await world.call(new URL(address).pathname.replace("/zibanu", ""), { method: "GET" });
    expect(picture.headers).toMatchObject({
      "content-type": "image/png",
      "x-content-type-options": "nosniff",
    });
    await world.configure({ avatarFormat: "base64" });
  });
});

describe("administration", () => {
  it("41 makes a user with a made-up name, who gets a mail with a link", async () => {
    const before = (await world.mails()).length;
    const { status, body } = await as("root", "/user/add/", { email: "new1@Example.COM" });
    expect(status).toBe(201);
    expect(Object.keys(body as object)).toEqual(LISTED);
    expect(body).toMatchObject({ email: "new1@example.com", level: 5, last_login: null, is_staff: false });
    const [mail] = (await world.mails()).slice(before);
    expect(mail?.to).toBe("new1@example.com");
    expect(mail?.text).toContain("/zibanu/password/?token=");
    const { id } = body as { id: number };
    const found = (await as("root", "/user/retrieve/", { id })).body as { username: string };
    expect(found.username).toMatch(/^[0-9a-f]{32}$/);
  });

  it("42 refuses an address twice, in any case, and a level above one's own", async () => {
    for (const email of ["plain@example.com", "PLAIN@example.com"]) {
      expect(await as("root", "/user/add/", { email })).toMatchObject({
        status: 406,
        body: error("api_exception", "email: Email already in use"),
      });
    }
    for (const more of [{ is_staff: true }, { is_superuser: true }]) {
      expect(await as("manager", "/user/add/", { email: "m2@example.com", ...more })).toMatchObject({
        status: 406,
        body: error(
          "api_exception",
          "The created user level cannot be higher than that of authenticated user.",
        ),
      });
    }
    expect((await as("root", "/user/add/", { email: "m2@example.com" })).status).toBe(201);
  });

  it("43 changes a user and shows what he is then, without his password's hash", async () => {
    const { status, body } = await as("root", "/user/update/", { id: 5, first_name: "Paula", roles: [3] });
    expect(status).toBe(200);
    expect(Object.keys((body as { profile: object }).profile)).toHaveLength(9);
    expect(body).toMatchObject({
      full_name: "Paula Test",
      roles: [{ id: 3, name: "Operators" }],
      permissions: [],
      username: "plain",
      password: null,
    });
    expect(await as("root", "/user/update/", { id: 999, first_name: "x" })).toMatchObject({
      status: 406,
      body: error("api_exception", "User does not exist."),
    });
  });

  it("44 retrieves by pk or id", async () => {
    expect(await as("root", "/user/retrieve/", {})).toMatchObject({
      status: 406,
      body: error("pk_required", "Error! The data required not found."),
    });
    expect(await as("root", "/user/retrieve/", { id: 999 })).toMatchObject({
      status: 404,
      body: error("doest_not_exists", "Error! There is not record matching."),
    });
    expect((await as("root", "/user/retrieve/", { pk: "4" })).body).toMatchObject({ username: "manager" });
  });

  it("45 deletes a user once, never oneself, and nobody above oneself", async () => {
    expect(await as("root", "/user/delete/", { id: 6 })).toMatchObject({ status: 200, text: "" });
    expect(await as("root", "/user/delete/", { id: 6 })).toMatchObject({
      status: 404,
      body: error("api_exception", "Error! There is not record matching."),
    });
    expect(await as("manager", "/user/delete/", { id: 4 })).toMatchObject({
      status: 406,
      body: error("api_exception", "Cannot delete yourself."),
    });
    for (const id of [2, 3]) {
      expect(await as("manager", "/user/delete/", { id })).toMatchObject({
        status: 406,
        body: error("api_exception", "Only staff or superuser can delete another superuser or staff."),
      });
    }
  });

  it("lets no manager change, or become, somebody above him", async () => {
    for (const body of [
      { id: 2, first_name: "Owned" },
      { id: 4, is_superuser: true },
      { id: 4, is_staff: true },
    ]) {
      expect((await as("manager", "/user/update/", body)).status).toBe(406);
    }
    expect((await as("viewer", "/user/retrieve/", { id: 2 })).status).toBe(406);
  });

  it("ends the sessions of who is made inactive", async () => {
    const token = await world.token("secure");
    expect(
      (await as("root", "/user/update/", { email: "secure@example.com", is_active: false })).status,
    ).toBe(200);
    expect(await world.call("/user/profile/", { token })).toMatchObject({
      status: 401,
      body: error("invalid_token", "Token is blacklisted"),
    });
    expect((await world.call("/refresh/", { body: { token } })).status).toBe(401);
  });
});
