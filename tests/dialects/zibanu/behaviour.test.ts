import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aZibanu, PASSWORD, payloadOf, tokenOf, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await aZibanu();
});
afterAll(() => world[Symbol.asyncDispose]());

const SERVICES = [
  "/login/",
  "/refresh/",
  "/logout/",
  "/change-password/",
  "/request-password/",
  "/group/list/",
  "/grouplevel/list/",
  "/permission/list/",
  "/profile/update/",
  "/user/add/",
  "/user/update/",
  "/user/delete/",
  "/user/list/",
  "/user/retrieve/",
  "/user/profile/",
  "/user/avatar/",
  "/menu/",
  "/utils/timezone/list/",
  "/utils/language/list/",
  "/utils/dial_codes/list/",
];

const HOSTILE: unknown[] = [
  null,
  [],
  [1],
  "text",
  5,
  {},
  { id: "abc" },
  { id: 1e300 },
  { id: -1 },
  { id: [5] },
  { id: { $gt: 0 } },
  { pk: "99999999999999999999" },
  { email: null, password: [], token: {} },
  { email: ["a"], id: 5, roles: "x", permissions: { a: 1 } },
  { email: "h@example.com", roles: ["x"], permissions: [{}] },
  { email: "h@example.com", roles: [999], permissions: [1e9] },
  { email: "h@example.com", profile: { timezone: {}, avatar: { a: 1 }, app_settings: "x".repeat(70_000) } },
  { email: "h\u202e@example.com", first_name: "\u0001", last_name: {} },
  { id: 5, username: "x".repeat(500), first_name: "y".repeat(500) },
  { old_password: 5, new_password: {} },
  { old_password: "x".repeat(5_000), new_password: "y".repeat(5_000) },
  { avatar: "A".repeat(1_000_000) },
  { avatar: `data:image/png;base64,${Buffer.from("89504e470d0a1a0a", "hex").toString("base64")}` },
  { messages_timeout: "9".repeat(30), lang: "\u0000" },
  { app_id: { a: 1 }, order_by: "__proto__" },
  { close: true, email: "x".repeat(10_000), password: "x".repeat(10_000) },
];

const RAW: [type: string, body: string | Buffer][] = [
  ["application/json", "{"],
  ["application/json", '{"a":1,"a":2}'],
  ["application/json", Buffer.from([0xff, 0xfe, 0x00])],
  ["application/json", "[".repeat(5_000)],
  ["application/x-www-form-urlencoded", "id=5&id=6"],
  ["application/x-www-form-urlencoded", "%ff=%00&roles=[1"],
  ["multipart/form-data; boundary=X", '--X\r\nContent-Disposition: form-data; name="avatar"\r\n\r\n'],
  ["multipart/form-data", "--X--"],
  [
    "multipart/form-data; boundary=X",
    '--X\r\nContent-Disposition: form-data; name="__proto__"\r\n\r\nx\r\n--X--',
  ],
  ["text/plain", "x"],
  ["nonsense", "x"],
];

describe("whatever is sent", () => {
  it("is never answered with a 500, and always in one of their shapes", async () => {
    for (const settings of [{ compat: "1.1" }, { compat: "3.0" }] as const) {
      await world.configure(settings);
      const failures: unknown[] = [];
      for (const path of SERVICES) {
        const bodies = [
          ...HOSTILE.map((body) => ({ body: JSON.stringify(body), type: "application/json" })),
          ...RAW.map(([type, body]) => ({ body, type })),
        ];
        const token = await world.mint(1);
        for (const { body, type } of bodies) {
          const headers = { "content-type": type };
          const answer = await world.call(path, { body, headers, token });
          const shown = String(body).slice(0, 80);
          if (answer.status >= 500) failures.push({ path, shown, status: answer.status, text: answer.text });
          if (path === "/logout/") break;
        }
      }
      expect(failures).toEqual([]);
    }
    await world.configure({ compat: "1.1" });
  }, 120_000);

  it("is bounded: two MiB are too much", async () => {
    const token = await world.mint(5);
    const answer = await world.call("/profile/update/", { token, body: { avatar: "A".repeat(3_000_000) } });
    expect(answer.status).toBe(413);
    expect(answer.body).toHaveProperty("errors");
  });
});

describe("languages", () => {
  const rejected = async (language: string) => {
    const headers = { "content-type": "application/json", "accept-language": language };
    const body = { email: "x@example.com", password: "y" };
    const answer = await world.call("/login/", { body, headers });
    return (answer.body as { errors: string[] }).errors[0];
  };

  it("are English, Spanish and Chinese, as the browser or the tenant wants", async () => {
    expect(await rejected("es-CO,es;q=0.9,en;q=0.8")).toBe(
      "La combinación de credenciales no tiene una cuenta activa",
    );
    expect(await rejected("zh-CN")).toBe("没有与所给凭据匹配的可用账户");
    expect(await rejected("fr, en;q=0.1, es;q=0.5")).toBe(
      "La combinación de credenciales no tiene una cuenta activa",
    );
    expect(await rejected("fr")).toBe("No active account found with the given credentials");
    await world.configure({ language: "es" });
    expect(await rejected("zh-CN")).toBe("La combinación de credenciales no tiene una cuenta activa");
    await world.configure({ language: "automatic" });
  });
});

describe("browsers of other origins", () => {
  it("may call from the origins that the tenant names, and from no other", async () => {
    await world.configure({ allowedOrigins: ["https://app.example"] });
    const preflight = { "access-control-request-method": "POST" };
    const good = await world.call("/user/list/", {
      method: "OPTIONS",
      origin: "https://app.example",
      headers: preflight,
    });
    expect(good.status).toBe(204);
    expect(good.headers).toMatchObject({
      "access-control-allow-origin": "https://app.example",
      "access-control-allow-methods": "POST",
    });
    const refused = await world.call("/user/profile/", { origin: "https://app.example" });
    expect(refused.headers["access-control-allow-origin"]).toBe("https://app.example");
    const bad = await world.call("/user/list/", { method: "OPTIONS", origin: "https://evil.example" });
    expect(bad.headers["access-control-allow-origin"]).toBeUndefined();
    await world.configure({ allowedOrigins: [] });
  });
});

describe("the newer release", () => {
  it("resets a password in two steps, with a code from the mailbox", async () => {
    await world.configure({ compat: "3.0" });
    const request = (body: object) => world.call("/request-password/", { body });
    const email = "victim@example.com";
    const before = (await world.mails()).length;
    expect((await request({ email })).status).toBe(200);
    expect((await request({ email: "nobody@example.com" })).status).toBe(200);
    expect(await request({ email, code: "000000", new_password: "N3w.passw0rd" })).toMatchObject({
      status: 406,
      body: { errors: ["Invalid code."], code: "validation_error" },
    });
    const mails = (await world.mails()).slice(before);
    expect(mails.map(({ to }) => to)).toEqual([email]);
    const code = /\b\d{6}\b/.exec(mails[0]?.text ?? "")?.[0] ?? "";
    expect((await request({ email, code, new_password: "short" })).status).toBe(406);
    expect((await request({ email, code, new_password: "N3w.passw0rd" })).status).toBe(200);
    const login = await world.call("/login/", { body: { email, password: "N3w.passw0rd", close: true } });
    expect(payloadOf(tokenOf(login))["user_id"]).toBe("12");
    expect((await world.call("/user/profile/", { token: tokenOf(login) })).status).toBe(200);
    await world.configure({ compat: "1.1" });
  });

  it("has a menu for each application", async () => {
    await world.configure({ compat: "3.0" });
    const token = await world.mint(1);
    expect(await world.call("/menu/", { token, body: {} })).toMatchObject({
      status: 400,
      body: ["Menu ID is required"],
    });
    expect(await world.call("/menu/", { token, body: { app_id: "x" } })).toMatchObject({
      status: 404,
      body: { errors: ["Application not found"], code: "not_found" },
    });
    await world.configure({ compat: "1.1" });
  });
});

describe("a dangerous setting", () => {
  it("mails passwords where the tenant wants that", async () => {
    await world.configure({ dangerMailPasswords: true });
    const before = (await world.mails()).length;
    const token = await world.mint(1);
    expect((await world.call("/user/add/", { token, body: { email: "mailed@example.com" } })).status).toBe(
      201,
    );
    expect((await world.call("/request-password/", { body: { email: "multi@example.com" } })).status).toBe(
      200,
    );
    const sent = async () =>
      (await world.mails()).slice(before).filter(({ text }) => text.startsWith("Your password:"));
    await expect.poll(async () => (await sent()).length).toBe(2);
    for (const { to, text } of await sent()) {
      const password = /\n\n([\w-]{12,})\n\n/.exec(text)?.[1];
      expect((await world.call("/login/", { body: { email: to, password } })).status).toBe(200);
    }
    const old = { email: "multi@example.com", password: PASSWORD };
    expect((await world.call("/login/", { body: old })).status).toBe(401);
    await world.configure({ dangerMailPasswords: false });
  });

  it("lets levels be passed by, but gives nobody a right that he lacks", async () => {
    await world.configure({ dangerIgnoreLevels: true });
    const token = await world.mint(4);
    expect((await world.call("/user/retrieve/", { token, body: { id: 3 } })).status).toBe(200);
    const more = await world.call("/user/update/", { token, body: { id: 4, is_superuser: true } });
    expect(more.status).toBe(406);
    await world.configure({ dangerIgnoreLevels: false });
    expect((await world.call("/user/retrieve/", { token, body: { id: 3 } })).status).toBe(406);
  });

  it("lets people weaken their own password rule", async () => {
    const token = await world.mint(9);
    const weaken = () => world.call("/profile/update/", { token, body: { secure_password: false } });
    const isSecure = async () =>
      ((await world.call("/user/profile/", { token })).body as { profile: { secure_password: boolean } })
        .profile.secure_password;
    expect((await weaken()).status).toBe(200);
    expect(await isSecure()).toBe(true);
    await world.configure({ dangerWeakenOwnPassword: true });
    await weaken();
    expect(await isSecure()).toBe(false);
    await world.configure({ dangerWeakenOwnPassword: false });
  });
});

describe("the record", () => {
  it("has an event for each of the signals, with who and from where, and no password", async () => {
    const body = { email: "viewer@example.com", password: PASSWORD, close: true };
    const token = tokenOf(await world.call("/login/", { body }));
    const next = tokenOf(await world.call("/refresh/", { body: { token } }));
    await world.call("/profile/update/", { token: next, body: { theme: "dark" } });
    await world.call("/logout/", { token: next });
    await world.call("/request-password/", { body: { email: "guest@example.com" } });
    const events = async () =>
      world.server.database.database.query<{ type: string; ip: string | null }>(
        "select distinct type, ip from events where ip is not null",
      );
    const WANTED = [
      "user.login",
      "user.login_refused",
      "user.logout",
      "user.updated",
      "user.created",
      "token.refreshed",
      "password.requested",
    ];
    await expect
      .poll(async () => (await events()).map(({ type }) => type))
      .toEqual(expect.arrayContaining(WANTED));
    const all = JSON.stringify(await world.server.database.database.query("select * from events"));
    expect(all).not.toContain(PASSWORD);
    expect(all).not.toContain(next);
  });
});
