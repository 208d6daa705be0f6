import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createUser } from "../domain/users/index.ts";
import { anApi, type TestApi } from "../testing/an-api.ts";
import { contextOf } from "../testing/test-deps.ts";

const PASSWORD = "correct horse battery staple";

let api: TestApi;
beforeAll(async () => {
  api = await anApi();
});
afterAll(() => api[Symbol.asyncDispose]());

let count = 0;
const aUser = async (input: object = {}) =>
  (await api.call("POST", "/users", { username: `user${++count}`, ...input })).json<{ id: string }>();
/** Credentials of an API key that has these permissions and no others. */
const aKey = async (...permissions: string[]) => {
  const made = await api.call("POST", "/api-keys", { name: `key${++count}`, type: "global", permissions });
  expect(made.statusCode, made.body).toBe(201);
  return { authorization: `Bearer ${made.json().key}` };
};
const summary = async (answer: ReturnType<TestApi["call"]>) => {
  const { statusCode, body } = await answer;
  return body === "" ? [statusCode] : [statusCode, JSON.parse(body).code];
};

describe("users", () => {
  it("take every field of the profile and give it back", async () => {
    const full = {
      username: "full",
      email: "full@example.com",
      emailVerified: true,
      phone: "+8613800000000",
      phoneVerified: true,
      externalId: "ext-1",
      nickname: "Full",
      name: "Full User",
      profile: {
        givenName: "Full",
        familyName: "User",
        middleName: "M",
        preferredUsername: "full",
        profile: "https://example.com/full",
        picture: "https://example.com/full.png",
        website: "https://example.com",
        gender: "female",
        birthdate: "1990-01-31",
        zoneinfo: "Asia/Shanghai",
        locale: "zh-CN",
        address: {
          formatted: "A street 1\nA town",
          streetAddress: "A street 1",
          locality: "A town",
          region: "R",
          postalCode: "1",
          country: "CN",
        },
        company: "Example",
        department: "R&D",
        city: "Beijing",
        province: "Beijing",
        browser: "Firefox",
        device: "PC",
      },
      preferences: {
        multipleLogin: true,
        keepLoggedIn: false,
        securePassword: true,
        theme: "corporate",
        language: "en",
        timezone: "UTC",
        messagesTimeout: 10,
        applicationSettings: { any: ["thing", 1, null] },
      },
      registerSource: "import",
    };
    const made = await api.call("POST", "/users", full);
    expect(made.statusCode, made.body).toBe(201);
    expect(made.json()).toMatchObject(full);
    expect((await api.call("GET", `/users/${made.json().id}`)).json()).toEqual(made.json());
    expect((await api.call("GET", "/users?search=FULL%20user")).json().items).toHaveLength(1);
    expect((await api.call("GET", "/users?externalId=ext-1")).json().items).toHaveLength(1);
  });

  it.each([
    ["an address without @", { email: "nobody" }],
    ["an e-mail with a line break", { email: "a@b.c\r\nBcc: x@y.z" }],
    ["a username with a space", { username: "a b" }],
    ["letters in a phone number", { phone: "+49abc" }],
    ["a script for a website", { profile: { website: "javascript:alert(1)" } }],
    ["a script for a picture", { profile: { picture: "data:text/html,x" } }],
    ["an unknown field of the profile", { profile: { shoeSize: 43 } }],
    ["an unknown field of the address", { profile: { address: { planet: "x" } } }],
    ["a status of ours", { status: "deleted" }],
    ["a number for text", { nickname: 5 }],
    ["an undefined custom field", { custom: { undefined: 1 } }],
    ["a prototype for a custom field", JSON.parse('{"custom":{"__proto__":{"a":1}}}')],
    ["two passwords", { password: { plain: PASSWORD, hash: "x" } }],
    ["roles that are not there", { roles: ["no such role"] }],
  ])("refuse %s", async (_, wrong) => {
    const refused = await api.call("POST", "/users", { username: `user${++count}`, ...wrong });
    expect(refused.statusCode, refused.body).toBe(400);
  });

  it("show no password, neither in the answer nor as a hash", async () => {
    const made = await api.call("POST", "/users", { username: "secret", password: { plain: PASSWORD } });
    expect(made.json()).toMatchObject({ hasPassword: true });
    expect(made.body).not.toContain(PASSWORD);
    expect(made.body).not.toContain("argon2");
  });

  it("get a password by PUT, and the policy is asked", async () => {
    const { id } = await aUser();
    const put = (password: object) => summary(api.call("PUT", `/users/${id}/password`, { password }));
    expect(await put({ plain: "short" })).toEqual([400, "password.too_short"]);
    expect(await put({ hash: "no hash" })).toEqual([400, "credential.unsupported_hash"]);
    expect(await put({})).toEqual([400, "request.invalid"]);
    expect(await put({ plain: PASSWORD })).toEqual([204]);
    const nobody = `/users/${"0".repeat(24)}/password`;
    expect(await summary(api.call("PUT", nobody, { password: { plain: PASSWORD } }))).toEqual([
      404,
      "user.not_found",
    ]);
  });

  it("are suspended and activated", async () => {
    const { id } = await aUser();
    expect((await api.call("POST", `/users/${id}/suspend`)).json()).toMatchObject({ status: "suspended" });
    expect((await api.call("GET", "/users?status=suspended")).json().items).toHaveLength(1);
    expect((await api.call("POST", `/users/${id}/activate`)).json()).toMatchObject({ status: "active" });
  });

  it("get and lose roles", async () => {
    const { id } = await aUser();
    await api.call("POST", "/roles", { code: "editor", permissions: ["books:edit"] });
    const change = (verb: string, roles: unknown) =>
      api.call("POST", `/users/${id}/roles/${verb}`, { roles });
    expect((await change("assign", ["editor"])).json()).toEqual({ roles: ["editor"] });
    expect((await api.call("GET", "/users?role=editor")).json().items).toHaveLength(1);
    expect((await api.call("GET", `/users/${id}/permissions`)).json()).toEqual({
      roles: ["editor"],
      permissions: ["books:edit"],
    });
    expect((await change("set", [])).json()).toEqual({ roles: [] });
    expect((await change("unassign", ["editor"])).json()).toEqual({ roles: [] });
    expect(await summary(change("assign", ["nobody"]))).toEqual([404, "role.not_found"]);
    expect(await summary(change("assign", "editor"))).toEqual([400, "request.invalid"]);
  });

  it("of another tenant are reached only with the header, and only by who manages tenants", async () => {
    const slug = `slug-${++count}`;
    const tenant = (await api.call("POST", "/tenants", { slug, name: "T" })).json();
    const stranger = await createUser(api.deps, contextOf(tenant.id), { username: "stranger" });
    const path = `/users/${stranger.id}`;
    expect(await summary(api.call("GET", path))).toEqual([404, "user.not_found"]);
    expect((await api.call("GET", path, undefined, { "ostiary-tenant": slug })).statusCode).toBe(200);
    const clerk = await aKey("user:read");
    expect(await summary(api.call("GET", path, undefined, { ...clerk, "ostiary-tenant": slug }))).toEqual([
      404,
      "tenant.not_found",
    ]);
  });
});

describe("permissions", () => {
  it.each([
    ["GET", "/users", "user:read", undefined],
    ["POST", "/users", "user:write", { username: "by-permission" }],
    ["GET", "/roles", "role:read", undefined],
    ["POST", "/roles", "role:write", { code: "by-permission" }],
    ["GET", "/settings", "settings:read", undefined],
    ["PATCH", "/settings", "settings:write", { signUp: "closed" }],
    ["GET", "/custom-fields", "user:read", undefined],
    ["POST", "/custom-fields", "settings:write", { key: "by_permission", type: "string" }],
    ["GET", "/tenants", "tenants:manage", undefined],
    ["POST", "/tenants", "tenants:manage", { slug: "by-permission", name: "x" }],
  ] as const)("%s %s needs %s", async (method, path, permission, body) => {
    const noun = permission.split(":")[0];
    const others = ["user", "role", "settings", "tenants", "tenant", "audit"].filter(
      (other) => other !== noun,
    );
    const without = await aKey(...others.map((other) => `${other}:*`));
    expect(await summary(api.call(method, path, body, without))).toEqual([403, "permission.denied"]);
    const answer = await api.call(method, path, body, await aKey(permission));
    expect(answer.statusCode, answer.body).toBeLessThan(300);
  });

  it("do not let a clerk make himself an administrator by any way", async () => {
    const clerk = await aKey("user:*", "role:*");
    const { id } = await aUser({ roles: ["administrator"] });
    const mine = await aUser();
    const refused = [403, "permission.escalation"];
    const attempt = (...[method, path, body]: Parameters<TestApi["call"]>) =>
      summary(api.call(method, path, body, clerk));
    expect(await attempt("POST", "/users", { username: "x", roles: ["administrator"] })).toEqual(refused);
    expect(await attempt("POST", "/roles", { code: "x", permissions: ["settings:write"] })).toEqual(refused);
    expect(await attempt("POST", `/users/${mine.id}/roles/assign`, { roles: ["administrator"] })).toEqual(
      refused,
    );
    expect(await attempt("PUT", `/users/${id}/password`, { password: { plain: PASSWORD } })).toEqual(refused);
    expect(await attempt("PATCH", `/users/${id}`, { email: "clerk@example.com" })).toEqual(refused);
    expect(await attempt("POST", `/users/${id}/suspend`)).toEqual(refused);
    expect(await attempt("DELETE", `/users/${id}`)).toEqual(refused);
    const bulk = { operations: [{ op: "update", id, value: { phone: "110" } }] };
    expect(await attempt("POST", "/users/bulk", bulk)).toEqual(refused);
  });
});

describe("settings", () => {
  it("merge, carry the tenant's version and refuse what does not fit", async () => {
    const read = await api.call("GET", "/settings");
    const changed = await api.call(
      "PATCH",
      "/settings",
      { lockout: { attempts: 5 }, branding: { accent: "#0f766e", logo: "https://example.com/logo.png" } },
      { "if-match": String(read.headers.etag) },
    );
    expect(changed.json()).toMatchObject({
      lockout: { attempts: 5, seconds: 900 },
      branding: { accent: "#0f766e" },
    });
    expect(
      await summary(api.call("PATCH", "/settings", {}, { "if-match": String(read.headers.etag) })),
    ).toEqual([412, "precondition.failed"]);
    for (const wrong of [
      { unknown: 1 },
      { lockout: { attempts: 0 } },
      { lockout: { attempts: "5" } },
      { lockout: null },
      { tokens: { signingAlgorithm: "none" } },
      { tokens: { codeSeconds: 601 } },
      { branding: { logo: "javascript:alert(1)" } },
      { branding: { logo: "http://example.com/logo.png" } },
      { branding: { logo: "data:image/svg+xml;base64,AAAA" } },
      { branding: { accent: "red;}" } },
    ]) {
      expect(await summary(api.call("PATCH", "/settings", wrong)), JSON.stringify(wrong)).toEqual([
        400,
        "request.invalid",
      ]);
    }
  });
});

describe("one's own account", () => {
  const scopes = ["openid", "account", "manage"];
  const signIn = async (username: string, scope: string[] = scopes) => {
    const made = await api.call("POST", "/applications", {
      slug: `app${++count}`,
      name: "App",
      grantTypes: ["authorization_code"],
      redirectUris: ["https://app.example.com/callback"],
      scopes: scope,
    });
    expect(made.statusCode, made.body).toBe(201);
    const signedIn = await api.call("POST", "/sign-in", {
      applicationId: made.json().id,
      applicationSecret: made.json().secret,
      identifier: username,
      password: PASSWORD,
    });
    expect(signedIn.statusCode, signedIn.body).toBe(201);
    return { authorization: `Bearer ${signedIn.json().accessToken}` };
  };

  it("can be read and changed with the scope `account`, but for identifiers and rights", async () => {
    const { id } = await aUser({ username: "self", password: { plain: PASSWORD } });
    const token = await signIn("self");
    expect((await api.call("GET", "/me", undefined, token)).json()).toMatchObject({ id, username: "self" });
    const changed = await api.call("PATCH", "/me", { nickname: "Me" }, { ...token, "if-match": '"1"' });
    expect(changed.json()).toMatchObject({ nickname: "Me", version: 2 });
    for (const sly of [
      { username: "x" },
      { status: "active" },
      { roles: [] },
      { custom: {} },
      { emailVerified: true },
    ]) {
      expect(await summary(api.call("PATCH", "/me", sly, token))).toEqual([400, "request.invalid"]);
    }
    expect((await api.call("GET", "/me/permissions", undefined, token)).json()).toEqual({
      roles: [],
      permissions: [],
    });
    expect(await summary(api.call("GET", "/users", undefined, token))).toEqual([403, "permission.denied"]);
    const without = await signIn("self", ["openid"]);
    expect(await summary(api.call("GET", "/me", undefined, without))).toEqual([403, "permission.denied"]);
  });

  it("lets its owner change the password, which ends the sessions and their tokens", async () => {
    await aUser({ username: "changer", password: { plain: PASSWORD } });
    const token = await signIn("changer");
    const change = (current: string, next: string) =>
      summary(api.call("POST", "/me/password", { current, next }, token));
    expect(await change("wrong", "a new password")).toEqual([401, "credential.rejected"]);
    expect(await change(PASSWORD, "short")).toEqual([400, "password.too_short"]);
    expect(await change(PASSWORD, "a new password")).toEqual([204]);
  });

  it("is for users only", async () => {
    for (const path of ["/me", "/me/permissions"]) {
      expect(await summary(api.call("GET", path))).toEqual([403, "permission.denied"]);
    }
    expect(await summary(api.call("PATCH", "/me", { nickname: "x" }))).toEqual([403, "permission.denied"]);
    const passwords = { current: PASSWORD, next: `${PASSWORD}2` };
    expect(await summary(api.call("POST", "/me/password", passwords))).toEqual([403, "permission.denied"]);
  });
});
