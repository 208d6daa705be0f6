import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findActiveDialectKey } from "../../../packages/server/src/domain/tokens/index.ts";
import { aZibanu, type CallOptions, PASSWORD, payloadOf, tokenOf, type World } from "./world.ts";

/** The 45 black-box checks of the wire contract, Part 6. Where the safe default differs, both are shown. */
let world: World;
beforeAll(async () => {
  world = await aZibanu();
});
afterAll(() => world[Symbol.asyncDispose]());

const call = (path: string, options?: CallOptions) => world.call(path, options);
const login = (name: string, more: object = {}, options: CallOptions = {}) =>
  call("/login/", { body: { email: `${name}@example.com`, password: PASSWORD, ...more }, ...options });
const error = (code: string, ...errors: string[]) => ({ errors, code });
const NO_ACCOUNT = error("authentication_failed", "No active account found with the given credentials");
const NO_CREDENTIALS = { detail: "Authentication credentials were not provided." };
const _DENIED = error("permission_denied", "You do not have permission to perform this action.");
const fresh = (name: string) => world.token(name);

describe("signing in", () => {
  it("1–3 gives one sliding HS512 token with the claims of old; the time is that of the sign-in before", async () => {
    const first = await login("victim");
    expect(first.status).toBe(200);
    expect(Object.keys(first.body as object)).toEqual(["token"]);
    const token = tokenOf(first);
    const header = JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()) as object;
    expect(header).toMatchObject({ alg: "HS512", typ: "JWT" });
    const payload = payloadOf(token);
    expect(payload).toMatchObject({
      token_type: "sliding",
      refresh_exp: payload["exp"],
      user_id: 12,
      user: { username: "victim", is_staff: false, is_superuser: false, level: 5, full_name: "Victim Test" },
    });
    expect(Number(payload["exp"]) - Number(payload["iat"])).toBe(3_600);
    expect(payload["jti"]).toMatch(/^[0-9a-f]{32}$/);
    expect(payload.user["last_login"]).toBeNull();
    const second = payloadOf(tokenOf(await login("victim", { close: true })));
    expect(second.user["last_login"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}000)?Z$/);
  });

  it("4–5 wants both fields", async () => {
    const both = (text: string) => ({ email: [text], password: [text] });
    expect(await call("/login/", { body: {} })).toMatchObject({
      status: 400,
      body: both("This field is required."),
    });
    expect(await call("/login/", { body: { email: "", password: "" } })).toMatchObject({
      status: 400,
      body: both("This field may not be blank."),
    });
  });

  it("6–7 answers a wrong password, an unknown address and an inactive user alike", async () => {
    const wrong = await login("plain", { password: "bad" });
    expect(wrong).toMatchObject({ status: 401, body: NO_ACCOUNT });
    expect(wrong.headers["www-authenticate"]).toBeUndefined();
    expect((await login("nobody")).text).toBe(wrong.text);
    expect((await login("inactive")).text).toBe(wrong.text);
  });

  it("8 lets users without a profile in, unless the tenant requires one", async () => {
    expect((await login("noprofile", { close: true })).status).toBe(200);
    await world.configure({ requireProfile: true });
    expect(await login("noprofile", { close: true })).toMatchObject({
      status: 401,
      body: error("authentication_failed", "The user does not have associated profile."),
    });
    expect((await login("root")).status).toBe(200);
    await world.configure({ requireProfile: false });
  });

  it("9 takes addresses in any case and with spaces", async () => {
    expect((await login("x", { email: "  PLAIN@Example.COM ", close: true })).status).toBe(200);
  });

  it("10–11, 13 knows one session for each origin, and closes no other", async () => {
    const [a, b] = ["https://a.example", "https://b.example"];
    const first = tokenOf(await login("guest", {}, { origin: a }));
    expect(await login("guest", {}, { origin: a })).toMatchObject({
      status: 412,
      body: error(
        "multiple_login_error",
        "The user does not have allowed multiple login. Please close previous sessions.",
      ),
    });
    const second = tokenOf(await login("guest", {}, { origin: b }));
    expect((await call("/user/profile/", { token: first })).status).toBe(200);
    expect((await login("guest", { close: true }, { origin: a })).status).toBe(200);
    expect(await call("/user/profile/", { token: first })).toMatchObject({
      status: 401,
      body: error("invalid_token", "Token is blacklisted"),
    });
    expect((await call("/user/profile/", { token: second })).status).toBe(200);
  });

  it("12 closes the open session only after the right password", async () => {
    const open = tokenOf(await login("viewer", { close: true }));
    expect((await login("viewer", { close: true, password: "bad" })).status).toBe(401);
    expect((await call("/user/profile/", { token: open })).status).toBe(200);
    expect((await login("viewer", { close: true })).status).toBe(200);
    expect(await call("/user/profile/", { token: open })).toMatchObject({
      status: 401,
      body: error("invalid_token", "Token is blacklisted"),
    });
  });

  it("14 does not limit superusers, and people who may have several", async () => {
    for (const name of ["root", "staff", "multi"]) {
      expect((await login(name)).status).toBe(200);
      expect((await login(name)).status).toBe(200);
    }
  });

  it("lets one of six in that come at once", async () => {
    const origin = "https://six.example";
    const answers = await Promise.all(Array.from({ length: 4 }, () => login("plain", {}, { origin })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412]);
  });

  it("takes no username for an address", async () => {
    expect(await login("x", { email: "multi" })).toMatchObject({ status: 401, body: NO_ACCOUNT });
  });
});

describe("signing out", () => {
  it("15–17 ends the token and frees the origin of the session", async () => {
    const token = await fresh("plain");
    const out = await call("/logout/", { token });
    expect(out).toMatchObject({ status: 200, text: "" });
    expect(out.headers["content-type"]).toBeUndefined();
    expect((await call("/user/profile/", { token })).status).toBe(401);
    const again = await call("/logout/", { token });
    expect(again).toMatchObject({
      status: 401,
      body: {
        detail: "Given token not valid for any token type",
        code: "token_not_valid",
        messages: [{ token_class: "SlidingToken", token_type: "sliding", message: "Token is blacklisted" }],
      },
    });
    expect(again.headers["www-authenticate"]).toBe('JWT realm="api"');
    expect((await login("plain")).status).toBe(200);
  });
});

describe("a call", () => {
  it("18–19 without a token, or with another scheme, is anonymous", async () => {
    const token = await fresh("plain");
    const anonymous = await call("/user/profile/");
    expect(anonymous).toMatchObject({ status: 401, body: NO_CREDENTIALS });
    expect(anonymous.headers["www-authenticate"]).toBe('JWT realm="api"');
    for (const scheme of ["Bearer", "jwt"]) {
      const headers = { authorization: `${scheme} ${token}` };
      expect(await call("/user/profile/", { headers })).toMatchObject({ status: 401, body: NO_CREDENTIALS });
    }
    await world.configure({ acceptBearer: true });
    expect((await call("/user/profile/", { headers: { authorization: `Bearer ${token}` } })).status).toBe(
      200,
    );
    await world.configure({ acceptBearer: false });
  });

  it("20 with an expired token is told so in the family of its route", async () => {
    const token = await fresh("viewer");
    world.server.clock.advance(3_601);
    expect(await call("/user/list/", { token })).toMatchObject({
      status: 401,
      body: error("invalid_token", "Token is invalid or expired"),
    });
    expect(await call("/logout/", { token })).toMatchObject({
      status: 401,
      body: { code: "token_not_valid", messages: [{ message: "Token is invalid or expired" }] },
    });
  });

  it("21–22 with another key, algorithm or type is refused", async () => {
    const token = await fresh("plain");
    const { deps, tenantId } = world.server;
    const { signingKey } = await findActiveDialectKey(deps, tenantId, "zibanu");
    if (!signingKey) throw new Error("no key");
    const [header = "", payload = ""] = token.split(".");
    const { kid } = JSON.parse(Buffer.from(header, "base64url").toString()) as { kid: string };
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const signed = (head: object, body: string, hash: string, key: Parameters<typeof createHmac>[1]) => {
      const input = `${encode(head)}.${body}`;
      return `${input}.${createHmac(hash, key).update(input).digest("base64url")}`;
    };
    for (const bad of [
      signed({ alg: "HS512", typ: "JWT", kid }, payload, "sha512", "wrong key"),
      signed({ alg: "HS256", typ: "JWT", kid }, payload, "sha256", signingKey),
      `${encode({ alg: "none", typ: "JWT", kid })}.${payload}.`,
    ]) {
      expect(await call("/user/profile/", { token: bad })).toMatchObject({
        status: 401,
        body: error("invalid_token", "Token is invalid or expired"),
      });
    }
    const access = encode({ ...payloadOf(token), token_type: "access" });
    const wrongType = signed({ alg: "HS512", typ: "JWT", kid }, access, "sha512", signingKey);
    expect(await call("/user/profile/", { token: wrongType })).toMatchObject({
      status: 401,
      body: error("invalid_token", "Token has wrong type"),
    });
  });
});

describe("refreshing", () => {
  const refresh = (token: unknown, options: CallOptions = {}) =>
    call("/refresh/", { body: { token }, ...options });

  it("23–24 gives the next token once", async () => {
    const token = await fresh("manager");
    world.server.clock.advance(10);
    const answer = await refresh(token);
    const next = payloadOf(tokenOf(answer));
    const before = payloadOf(token);
    expect(next["jti"]).not.toBe(before["jti"]);
    expect(Number(next["refresh_exp"])).toBeGreaterThan(Number(before["refresh_exp"]));
    expect(next.user["level"]).toBe(3);
    expect((await call("/user/profile/", { token })).status).toBe(401);
    expect((await call("/user/profile/", { token: tokenOf(answer) })).status).toBe(200);
    expect(await refresh(token)).toMatchObject({
      status: 401,
      body: { detail: "Token is blacklisted", code: "token_not_valid" },
    });
  });

  it("25 at another origin is refused, and burns nothing", async () => {
    const token = await fresh("plain");
    expect(await refresh(token, { origin: "https://a.example" })).toMatchObject({
      status: 401,
      body: error("authentication_failed", "You're trying to refresh and invalid token."),
    });
    expect((await refresh(token)).status).toBe(200);
    const many = await fresh("multi");
    expect((await refresh(many, { origin: "https://a.example" })).status).toBe(200);
  });

  it("26–27 wants a token that is still good", async () => {
    const token = await fresh("plain");
    world.server.clock.advance(3_601);
    expect(await refresh(token)).toMatchObject({
      status: 401,
      body: { detail: "Token is invalid or expired", code: "token_not_valid" },
    });
    expect(await call("/refresh/", { body: {} })).toMatchObject({
      status: 400,
      body: { token: ["This field is required."] },
    });
  });

  it("has one winner of many at once", async () => {
    const token = await fresh("plain");
    const answers = await Promise.all(Array.from({ length: 6 }, () => refresh(token)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

describe("passwords", () => {
  const change = async (name: string, old: unknown, next: unknown) =>
    call("/change-password/", {
      token: await fresh(name),
      body: { old_password: old, new_password: next },
    });

  it("28 names what is wrong in the order of old", async () => {
    const token = await fresh("plain");
    const answers = [];
    for (const body of [
      {},
      { old_password: "zz", new_password: "zz" },
      { old_password: "bad", new_password: "N3w.passw0rd" },
    ]) {
      answers.push(await call("/change-password/", { token, body }));
    }
    expect(answers.map(({ status }) => status)).toEqual([406, 406, 406]);
    expect(answers.map(({ body }) => body)).toEqual([
      error("api_exception", "Old/New password are required."),
      error("api_exception", "The old and new password must be different"),
      error("api_exception", "Old password does not match."),
    ]);
  });

  it("29–30 changes it, tells the mailbox, and keeps the secure ones secure", async () => {
    const before = (await world.mails()).length;
    const old = tokenOf(await login("victim", { close: true }, { origin: "https://old.example" }));
    expect(await change("victim", PASSWORD, "N3w.passw0rd")).toMatchObject({ status: 200, text: "" });
    expect((await world.mails()).slice(before)).toMatchObject([{ to: "victim@example.com" }]);
    expect((await call("/user/profile/", { token: old })).status).toBe(401);
    expect((await login("victim", { password: "N3w.passw0rd", close: true })).status).toBe(200);
    expect(await change("secure", PASSWORD, "Abcdefgh123?")).toMatchObject({
      status: 406,
      body: error("api_exception", "The password must contain lowercase, uppercase, digits and symbols."),
    });
    expect((await change("secure", PASSWORD, "Abcdefgh123.")).status).toBe(200);
    expect((await change("plain", PASSWORD, "a")).status).toBe(406);
  });

  it("31 mails a link when one is forgotten, and the old one works until that is used", async () => {
    const before = (await world.mails()).length;
    const request = (email: unknown) => call("/request-password/", { body: { email } });
    expect(await request("plain@example.com")).toMatchObject({ status: 200, text: "" });
    await expect.poll(async () => (await world.mails()).length).toBe(before + 1);
    const mail = (await world.mails()).at(-1);
    expect(mail?.to).toBe("plain@example.com");
    expect((await login("plain", { close: true })).status).toBe(200);
    const link = new URL(/https?:\S+/.exec(mail?.text ?? "")?.[0] ?? "");
    const page = await call(link.pathname.replace("/zibanu", "") + link.search, { method: "GET" });
    expect(page.status).toBe(200);
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const token = link.searchParams.get("token") ?? "";
    const choose = (password: string) =>
      call("/password/", { headers: form, body: new URLSearchParams({ token, password }).toString() });
    expect((await choose("short")).status).toBe(422);
    expect((await choose("Another.passw0rd")).status).toBe(200);
    expect((await choose("Yet.another.passw0rd")).status).toBe(410);
    expect((await login("plain", { password: "Another.passw0rd", close: true })).status).toBe(200);
    expect((await request("nobody@example.com")).status).toBe(200);
    expect(await call("/request-password/", { body: {} })).toMatchObject({
      status: 406,
      body: error("api_exception", "Data required at request not found."),
    });
    await world.configure({ dangerTellUnknownEmail: true });
    for (const email of ["nobody@example.com", "inactive@example.com"]) {
      expect(await request(email)).toMatchObject({
        status: 406,
        body: error("api_exception", "Email is not registered or user is not active."),
      });
    }
    await world.configure({ dangerTellUnknownEmail: false });
  });

  it("32 refuses a garbled token even where none is needed", async () => {
    const answer = await call("/request-password/", { token: "garbage", body: { email: "x@example.com" } });
    expect(answer).toMatchObject({
      status: 401,
      body: error("invalid_token", "Token is invalid or expired"),
    });
  });
});
