import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findPerson } from "../../../packages/server/src/domain/levels/index.ts";
import { findTenantById, updateSettings } from "../../../packages/server/src/domain/tenants/index.ts";
import { contextOf } from "../../../packages/server/src/testing/test-deps.ts";
import { aZibanu, PASSWORD, payloadOf, tokenOf, type World } from "./world.ts";

/** Each sentence of the contract's Part 5 about 3.0.1, in its order. */

let world: World;
beforeAll(async () => {
  world = await aZibanu({ compat: "3.0" });
});
afterAll(() => world[Symbol.asyncDispose]());

const as = async (serial: number, path: string, body: object = {}) =>
  world.call(path, { token: await world.mint(serial), body });
const [ROOT, STAFF, MANAGER, PLAIN, VIEWER] = [1, 3, 4, 5, 10];
const DENIED = { status: 403, body: { code: "permission_denied" } };

async function attempts(): Promise<number | undefined> {
  const tenant = await findTenantById(world.server.deps, world.server.tenantId);
  return tenant?.settings.lockout.attempts;
}

/** An application with a menu of one entry, which one user may open. */
async function aMenuFor(serial: number): Promise<string> {
  const { app, operator, deps, tenantId } = world.server;
  const made = async (path: string, payload: object) => {
    const answer = await app.inject({
      method: "POST",
      url: `/api/v1${path}`,
      headers: { authorization: operator },
      payload,
    });
    expect(answer.statusCode, answer.body).toBe(201);
    return answer.json<{ id: string }>();
  };
  const { id: namespace } = await made("/applications", { slug: "shop", name: "Shop" });
  await made("/resources", { namespace, code: "reports", type: "MENU", actions: ["open"] });
  const tenant = await findTenantById(deps, tenantId);
  const person = tenant && (await findPerson(deps, tenant, { serial }));
  const subject = { type: "user", id: person?.id };
  await made("/access-grants", { subject, namespace, resource: "reports", actions: ["open"] });
  return namespace;
}

describe("new routes", () => {
  it("a menu wants an application, and finds one", async () => {
    expect(await as(PLAIN, "/menu/")).toMatchObject({ status: 400, body: ["Menu ID is required"] });
    const none = { errors: ["Application not found"], code: "not_found" };
    expect(await as(PLAIN, "/menu/", { app_id: "x" })).toMatchObject({ status: 404, body: none });
    const application = await aMenuFor(PLAIN);
    await expect
      .poll(async () => (await as(PLAIN, "/menu/", { app_id: application })).body)
      .toEqual([{ name: "reports", actions: ["open"] }]);
    expect(await as(VIEWER, "/menu/", { app_id: application })).toMatchObject({ status: 200, body: [] });
  });

  it("are not there in the older release", async () => {
    await world.configure({ compat: "1.1" });
    expect((await as(PLAIN, "/menu/")).status).toBe(404);
    await world.configure({ compat: "3.0" });
  });
});

describe("refusals and codes", () => {
  it("refuses with 403; groups are listed by staff and who may see them", async () => {
    expect(await as(PLAIN, "/user/list/")).toMatchObject(DENIED);
    expect(await as(PLAIN, "/group/list/")).toMatchObject(DENIED);
    expect((await as(STAFF, "/group/list/")).status).toBe(200);
    expect((await as(ROOT, "/group/list/")).status).toBe(200);
  });

  it("has codes of its own on 406 and 404", async () => {
    const codes: [path: string, body: object, status: number, code: string][] = [
      ["/user/update/", {}, 406, "validation_error"],
      ["/user/update/", { id: 999 }, 404, "not_found"],
      ["/user/retrieve/", { id: 999 }, 404, "does_not_exists"],
      ["/user/delete/", { email: "nobody@example.com" }, 404, "not_found"],
      ["/user/delete/", { id: ROOT }, 406, "delete_user"],
    ];
    for (const [path, body, status, code] of codes) {
      expect(await as(ROOT, path, body)).toMatchObject({ status, body: { code } });
    }
  });

  it("says `unauthorized` to who has no token, and tells the faults of a refresh in its own family", async () => {
    expect(await world.call("/user/profile/")).toMatchObject({
      status: 401,
      body: { errors: ["Authentication credentials were not provided."], code: "unauthorized" },
    });
    expect(await world.call("/refresh/", { body: { token: "garbage" } })).toMatchObject({
      status: 401,
      body: { errors: ["Token is invalid"], code: "invalid_token" },
    });
  });
});

describe("signing in", () => {
  const login = (body: object) => world.call("/login/", { body });

  it("looks at the password before the open session, and takes forms", async () => {
    const email = "secure@example.com";
    expect((await login({ email, password: PASSWORD })).status).toBe(200);
    expect(await login({ email, password: "bad" })).toMatchObject({ status: 401 });
    expect(await login({ email, password: PASSWORD })).toMatchObject({ status: 412 });
    const form = await world.call("/login/", {
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: `email=guest%40example.com&password=${PASSWORD}`,
    });
    expect(payloadOf(tokenOf(form))["user_id"]).toBe("11");
  });

  it("locks with 401 after as many failures as the tenant says", async () => {
    await updateSettings(world.server.deps, contextOf(world.server.tenantId), { lockout: { attempts: 5 } });
    await expect.poll(attempts).toBe(5);
    const email = "multi@example.com";
    for (let i = 0; i < 5; i++) await login({ email, password: "bad" });
    expect(await login({ email, password: PASSWORD })).toMatchObject({
      status: 401,
      body: {
        errors: ["Account temporarily locked due to failed login attempts."],
        code: "authentication_failed",
      },
    });
  });

  it("refreshes what is good only, and burns nothing else", async () => {
    const token = await world.token("viewer", "https://a.example");
    const refresh = (origin: string) => world.call("/refresh/", { body: { token }, origin });
    expect((await refresh("https://b.example")).status).toBe(401);
    expect((await refresh("https://a.example")).status).toBe(200);
    expect(
      (
        await world.call("/refresh/", {
          body: { token: await world.mint(PLAIN, { made: { key: "another" } }) },
        })
      ).status,
    ).toBe(401);
  });
});

describe("passwords", () => {
  it("ends the caller's token with the change of a password", async () => {
    const token = await world.token("victim");
    const change = (body: object) => world.call("/change-password/", { token, body });
    expect(await change({})).toMatchObject({
      status: 406,
      body: { errors: ["Change password: Old/New password are required."], code: "validation_error" },
    });
    expect((await change({ old_password: PASSWORD, new_password: "Abcdefgh1." })).status).toBe(200);
    expect(await world.call("/user/profile/", { token })).toMatchObject({
      status: 401,
      body: { errors: ["Token is blacklisted"], code: "invalid_token" },
    });
  });

  it("is reset with a code of six digits, five times in an hour, and ends the tokens", async () => {
    const email = "victim@example.com";
    const token = tokenOf(
      await world.call("/login/", { body: { email, password: "Abcdefgh1.", close: true } }),
    );
    const before = (await world.mails()).length;
    const request = (body: object) => world.call("/request-password/", { body });
    expect((await request({ email: "nobody@example.com" })).status).toBe(200);
    expect((await request({ email })).status).toBe(200);
    const code = await expect
      .poll(async () => /\b\d{6}\b/.exec((await world.mails())[before]?.text ?? "")?.[0] ?? "")
      .toMatch(/^\d{6}$/)
      .then(async () => /\b\d{6}\b/.exec((await world.mails())[before]?.text ?? "")?.[0]);
    const wrong = code === "000000" ? "111111" : "000000";
    expect(await request({ email, code: wrong })).toMatchObject({
      status: 406,
      body: { errors: ["Invalid code."], code: "validation_error" },
    });
    expect((await request({ email, code, new_password: "N3w.passw0rd" })).status).toBe(200);
    await expect.poll(async () => (await world.call("/user/profile/", { token })).status).toBe(401);
    const statuses = [];
    for (let i = 0; i < 8; i++) {
      world.server.clock.advance(61);
      statuses.push((await request({ email })).status);
    }
    expect(statuses.at(0)).toBe(200);
    expect(statuses.at(-1)).toBe(429);
  });
});

describe("profiles", () => {
  it("needs a token and something to change, and answers faults with 406", async () => {
    expect(await world.call("/profile/update/", { body: { theme: "x" } })).toMatchObject({ status: 401 });
    for (const body of [{}, { timezone: "Mars" }]) {
      expect(await as(PLAIN, "/profile/update/", body)).toMatchObject({
        status: 406,
        body: { code: "validation_error" },
      });
    }
  });

  it("keeps multiple_login and secure_password from who is no staff", async () => {
    const refused = { status: 406, body: { code: "multiple_login" } };
    expect(await as(PLAIN, "/profile/update/", { secure_password: true })).toMatchObject(refused);
    expect((await as(PLAIN, "/profile/update/", { secure_password: false })).status).toBe(200);
    expect((await as(PLAIN, "/profile/update/", { multiple_login: true })).status).toBe(200); // passed by
    await world.configure({ allowMultipleLogin: true });
    expect(await as(PLAIN, "/profile/update/", { multiple_login: true })).toMatchObject(refused);
    await world.configure({ allowMultipleLogin: false });
    expect((await as(STAFF, "/profile/update/", { secure_password: true })).status).toBe(200);
  });
});

describe("users", () => {
  it("shows no password, and passes the flags by that no staff sends", async () => {
    const flags = { is_staff: true, is_superuser: true, is_active: false };
    const updated = await as(MANAGER, "/user/update/", { id: PLAIN, first_name: "P", ...flags });
    expect(updated).toMatchObject({
      status: 200,
      body: { first_name: "P", is_staff: false, is_superuser: false, is_active: true },
    });
    expect(updated.body).not.toHaveProperty("password");
    const added = await as(MANAGER, "/user/add/", { email: "flags@example.com", ...flags });
    expect(added).toMatchObject({ status: 201, body: { is_staff: false, is_superuser: false } });
  });

  it("checks levels when somebody is changed or deleted", async () => {
    expect(await as(MANAGER, "/user/update/", { id: STAFF, first_name: "x" })).toMatchObject({
      status: 406,
      body: { errors: ["You cannot upgrade a user with a higher level."], code: "validation_error" },
    });
    expect(await as(MANAGER, "/user/delete/", { id: STAFF })).toMatchObject({
      status: 406,
      body: {
        errors: ["Only staff or superuser can delete another superuser or staff."],
        code: "delete_user",
      },
    });
  });

  it("knows an address in any case, once", async () => {
    expect(await as(ROOT, "/user/add/", { email: "PLAIN@example.com" })).toMatchObject({
      status: 406,
      body: { errors: ["email: Email already in use"], code: "validation_error" },
    });
    expect((await as(ROOT, "/user/update/", { email: "PLAIN@example.com", last_name: "T" })).status).toBe(
      200,
    );
  });

  it("answers who has no profile with 204, and sorts the list as it is asked", async () => {
    await world.configure({ requireProfile: true });
    expect(await as(ROOT, "/user/profile/")).toMatchObject({ status: 204, text: "" });
    await world.configure({ requireProfile: false });
    const emails = async (order: string) =>
      ((await as(ROOT, "/user/list/", { order_by: order })).body as { email: string }[]).map(
        ({ email }) => email,
      );
    expect(await emails("email")).toEqual((await emails("email")).toSorted());
    expect(await emails("-email")).toEqual((await emails("email")).toReversed());
    expect(await as(ROOT, "/user/list/", { order_by: "password" })).toMatchObject({ status: 400 });
  });
});
