import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { rememberDevice } from "../domain/credentials/index.ts";
import { aServer, type TestServer } from "../testing/a-server.ts";
import { callApi, signInForTest } from "../testing/api-client.ts";
import { shownByApp } from "../testing/authenticator-app.ts";
import { SoftwareAuthenticator } from "../testing/software-authenticator.ts";
import { contextOf } from "../testing/test-deps.ts";

const ORIGIN = "https://id.example.com";
let server: TestServer;
let number = 0;
let ann: string;
let authorization: string;

beforeAll(async () => {
  server = await aServer({ config: { publicUrl: ORIGIN } });
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  ann = await aUser();
  ({ authorization } = await signInForTest(server, ann, ["account"]));
});

type Method = Parameters<typeof callApi>[1];
const aUser = async (roles: string[] = []) =>
  (await callApi(server, "POST", "/users", { body: { username: `user${++number}`, roles } })).json().id;
const call = (method: Method, path: string, body?: unknown) =>
  callApi(server, method, path, { authorization, ...(body === undefined ? {} : { body }) });
const codeOf = async (answer: ReturnType<typeof call>) => (await answer).json().code;
const shown = (secret: string) => shownByApp(secret, server.clock.now());
async function addTotp() {
  const { id, secret } = (await call("POST", "/me/factors/totp", { name: "Phone" })).json();
  await call("POST", `/me/factors/totp/${id}/confirm`, { code: shown(secret) });
  return id;
}

describe("one's own factors", () => {
  it("an authenticator app is begun, confirmed, renamed and removed", async () => {
    const begun = await call("POST", "/me/factors/totp", { name: "Phone" });
    expect(begun.statusCode).toBe(201);
    const { id, secret, uri, qr } = begun.json();
    expect(uri).toContain(secret);
    expect(qr).toMatch(/^<svg/);
    expect(await codeOf(call("POST", `/me/factors/totp/${id}/confirm`, { code: "1" }))).toBe("code.rejected");
    const confirmed = await call("POST", `/me/factors/totp/${id}/confirm`, { code: shown(secret) });
    expect(confirmed.json()).toMatchObject({ id, kind: "totp", name: "Phone", synchronized: null });
    expect((await call("PUT", `/me/factors/${id}`, { name: "Tablet" })).json().name).toBe("Tablet");
    expect((await call("GET", "/me/factors")).json()).toMatchObject({ items: [{ id, name: "Tablet" }] });
    expect((await call("DELETE", `/me/factors/${id}`)).statusCode).toBe(204);
    expect(await codeOf(call("DELETE", `/me/factors/${id}`))).toBe("factor.not_found");
  });

  it("a passkey is registered with what a browser gives", async () => {
    const options = (await call("POST", "/me/factors/passkeys/options")).json();
    expect(options).toMatchObject({ rp: { id: "id.example.com" }, user: { name: `user${number}` } });
    const device = new SoftwareAuthenticator(ORIGIN);
    const body = { name: "Key", response: device.create(options) };
    const made = await call("POST", "/me/factors/passkeys", body);
    expect(made.statusCode).toBe(201);
    expect(made.json()).toMatchObject({ kind: "passkey", name: "Key", synchronized: false });
    expect(await codeOf(call("POST", "/me/factors/passkeys", body))).toBe("passkey.rejected");
    const other = { ...body, response: { ...body.response, response: {} } };
    expect(await codeOf(call("POST", "/me/factors/passkeys", other))).toBe("passkey.rejected");
  });

  it("recovery codes are shown once and counted", async () => {
    const { codes } = (await call("POST", "/me/recovery-codes")).json();
    expect(codes).toHaveLength(10);
    expect((await call("GET", "/me/factors")).json().recoveryCodes).toBe(10);
  });

  it("devices are listed and forgotten", async () => {
    const context = contextOf(server.tenantId, {
      userAgent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
    });
    await rememberDevice(server.deps, context, ann, { cookie: undefined, days: 30 });
    const [device] = (await call("GET", "/me/devices")).json().items;
    expect(device).toMatchObject({ ip: "192.0.2.1" });
    expect((await call("DELETE", `/me/devices/${device.id}`)).statusCode).toBe(204);
    expect((await call("GET", "/me/devices")).json().items).toEqual([]);
  });

  it("are changed only shortly after a sign-in; looking is not asked", async () => {
    const id = await addTotp();
    server.clock.advance(601);
    for (const [method, path, body] of [
      ["POST", "/me/factors/totp", {}],
      ["POST", `/me/factors/totp/${id}/confirm`, { code: "123456" }],
      ["POST", "/me/factors/passkeys/options", undefined],
      ["POST", "/me/factors/passkeys", { response: { id: "AA", type: "public-key", response: {} } }],
      ["PUT", `/me/factors/${id}`, { name: "x" }],
      ["DELETE", `/me/factors/${id}`, undefined],
      ["POST", "/me/recovery-codes", undefined],
    ] as const) {
      expect(await codeOf(call(method, path, body)), `${method} ${path}`).toBe("authentication.stale");
    }
    const { headers } = await call("POST", "/me/recovery-codes");
    expect(headers["www-authenticate"]).toBe(
      'Bearer realm="ostiary", error="insufficient_user_authentication", max_age="600"', // RFC 9470 §3
    );
    expect((await call("GET", "/me/factors")).statusCode).toBe(200);
  });

  it("need the scope `account`", async () => {
    ({ authorization } = await signInForTest(server, ann, ["openid"]));
    for (const path of ["/me/factors", "/me/devices", `/users/${ann}/factors`]) {
      expect(await codeOf(call("GET", path)), path).toBe("permission.denied");
    }
    expect(await codeOf(call("POST", "/me/recovery-codes"))).toBe("permission.denied");
  });

  it("the last one stays where the tenant demands one", async () => {
    const first = await addTotp();
    const second = await addTotp();
    const demand = async (secondFactor: string) => {
      await callApi(server, "PATCH", "/settings", { body: { signIn: { secondFactor } } });
    };
    await demand("always");
    expect((await call("DELETE", `/me/factors/${first}`)).statusCode).toBe(204);
    expect(await codeOf(call("DELETE", `/me/factors/${second}`))).toBe("factor.required");
    await demand("enrolled");
    expect((await call("DELETE", `/me/factors/${second}`)).statusCode).toBe(204);
  });

  it("bad input is refused as such", async () => {
    expect(await codeOf(call("POST", "/me/factors/totp", { name: "x".repeat(65) }))).toBe("request.invalid");
    expect(await codeOf(call("POST", "/me/factors/totp", { name: "a\u0007" }))).toBe("request.invalid");
    expect(await codeOf(call("POST", "/me/factors/passkeys", { response: null }))).toBe("request.invalid");
    expect(await codeOf(call("DELETE", "/me/factors/x"))).toBe("request.invalid");
  });
});

describe("factors of a user", () => {
  const manage = (method: Method, path: string, by = server.operator) =>
    callApi(server, method, path, { authorization: by });

  it("are listed, removed one by one, and all at once, by an administrator", async () => {
    const id = await addTotp();
    await addTotp();
    await call("POST", "/me/recovery-codes");
    const list = (await manage("GET", `/users/${ann}/factors`)).json();
    expect(list).toMatchObject({ items: [{ kind: "totp" }, { kind: "totp" }], recoveryCodes: 10 });
    expect((await manage("DELETE", `/users/${ann}/factors/${id}`)).statusCode).toBe(204);
    expect((await manage("DELETE", `/users/${ann}/factors`)).statusCode).toBe(204);
    const left = (await manage("GET", `/users/${ann}/factors`)).json();
    expect(left).toMatchObject({ items: [], recoveryCodes: 0 });
    expect((await manage("DELETE", `/users/${ann}/factors/${id}`)).statusCode).toBe(404);
    expect((await manage("GET", `/users/${"0".repeat(24)}/factors`)).statusCode).toBe(404);
  });

  it("of somebody with more rights are out of reach", async () => {
    await callApi(server, "POST", "/roles", {
      body: { code: `helper${number}`, name: "Helper", permissions: ["user:read", "user:write"] },
    });
    const helper = await aUser([`helper${number}`]);
    const chief = await aUser(["administrator"]);
    const { authorization: by } = await signInForTest(server, helper, ["manage"]);
    expect((await manage("GET", `/users/${chief}/factors`, by)).statusCode).toBe(200);
    expect((await manage("DELETE", `/users/${chief}/factors`, by)).json().code).toBe("permission.escalation");
    expect((await manage("DELETE", `/users/${ann}/factors`, by)).statusCode).toBe(204);
  });
});
