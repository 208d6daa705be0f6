import { describe, expect, it, test, vi } from "vitest";
import { createZibanuClient, type ZibanuOptions } from "./client.ts";
import type { ZibanuError } from "./errors.ts";
import { readToken } from "./token.ts";
import { memoryTokenStore, storageTokenStore } from "./token-store.ts";

const START = Date.parse("2026-01-01T00:00:00Z");
const LIFE = 3_600;

/** A server in memory: issues tokens, knows which one is good, answers what a test says. */
function aServer() {
  const server = {
    now: START,
    number: 0,
    valid: "",
    calls: [] as { path: string; body: unknown; headers: Record<string, string> }[],
    answers: new Map<string, (body: unknown) => Response | Promise<Response>>(),
    advance: (seconds: number) => {
      server.now += seconds * 1000;
    },
    issue: () => {
      server.number += 1;
      const iat = server.now / 1000;
      const user = {
        username: "ann",
        is_staff: false,
        is_superuser: false,
        full_name: "Ann 张",
        last_login: null,
      };
      const claims = {
        token_type: "sliding",
        iat,
        exp: iat + LIFE,
        refresh_exp: iat + LIFE,
        jti: server.number,
        user_id: 5,
        user,
      };
      const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
      server.valid = `${part({ alg: "HS512" })}.${part(claims)}.sig`;
      return server.valid;
    },
    names: () => server.calls.map(({ path }) => path),
  };
  server.answers.set("login/", () => Response.json({ token: server.issue() }));
  server.answers.set("refresh/", (body) =>
    (body as { token: string }).token === server.valid
      ? Response.json({ token: server.issue() })
      : Response.json({ detail: "Token is blacklisted", code: "token_not_valid" }, { status: 401 }),
  );
  server.answers.set("logout/", () => new Response(""));
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const path = String(input).replace("https://id.example.com/zibanu/", "");
    const headers = Object.fromEntries(new Headers(init?.headers));
    const body: unknown = JSON.parse(String(init?.body));
    server.calls.push({ path, body, headers });
    const answer = server.answers.get(path);
    const isOpen = path === "login/" || path === "refresh/" || path === "request-password/";
    if (!isOpen && headers["authorization"] !== `JWT ${server.valid}`)
      return Response.json({ errors: ["Token is blacklisted"], code: "invalid_token" }, { status: 401 });
    return answer === undefined ? Response.json([]) : answer(body);
  };
  const client = (more: Partial<ZibanuOptions> = {}) =>
    createZibanuClient({ baseUrl: "https://id.example.com/zibanu", fetch, clock: () => server.now, ...more });
  return { server, client };
}

const CREDENTIALS = { email: "ann@example.com", password: "secret" };
const failure = async (work: Promise<unknown>): Promise<ZibanuError> =>
  work.then(
    () => {
      throw new Error("nothing was thrown");
    },
    (error: ZibanuError) => error,
  );

describe("signing in", () => {
  it("keeps the token, tells who it is, and sends it with every call", async () => {
    const { server, client } = aServer();
    const zibanu = client({ origin: "https://app.example.com", language: "es" });
    const heard = vi.fn();
    zibanu.on("login", heard);
    const session = await zibanu.login({ ...CREDENTIALS, close: true });
    expect(session).toMatchObject({
      userId: 5,
      user: { full_name: "Ann 张" },
      expiresAt: START + LIFE * 1000,
    });
    expect(heard).toHaveBeenCalledExactlyOnceWith(session);
    expect(server.calls[0]).toMatchObject({
      body: { ...CREDENTIALS, close: true },
      headers: { origin: "https://app.example.com", "accept-language": "es" },
    });
    await zibanu.users.list();
    expect(server.calls[1]?.headers["authorization"]).toBe(`JWT ${session.token}`);
    expect(await zibanu.session()).toEqual(session);
  });

  it("is needed for everything else, which then asks no server", async () => {
    const { server, client } = aServer();
    expect((await failure(client().users.list())).kind).toBe("token");
    expect(server.calls).toEqual([]);
  });

  it("ends with logout, whatever the server says of the token", async () => {
    const { server, client } = aServer();
    const zibanu = client();
    const heard = vi.fn();
    zibanu.on("logout", heard);
    await zibanu.login(CREDENTIALS);
    server.valid = "another";
    await zibanu.logout();
    await zibanu.logout();
    expect(await zibanu.session()).toBeUndefined();
    expect([heard.mock.calls.length, server.names()]).toEqual([1, ["login/", "logout/"]]);
  });
});

describe("the token", () => {
  it("is exchanged shortly before its end, once for all who call", async () => {
    const { server, client } = aServer();
    const zibanu = client();
    const heard = vi.fn();
    zibanu.on("refresh", heard);
    await zibanu.login(CREDENTIALS);
    server.advance(LIFE - 61);
    await zibanu.users.list();
    expect(server.names()).toEqual(["login/", "user/list/"]);
    server.advance(1);
    await Promise.all([zibanu.users.list(), zibanu.groups.list(), zibanu.profile.get()]);
    expect(server.names().filter((name) => name === "refresh/")).toHaveLength(1);
    expect(heard).toHaveBeenCalledTimes(1);
  });

  it("that is over is not sent: the sign-in has expired", async () => {
    const { server, client } = aServer();
    const zibanu = client();
    const heard = vi.fn();
    zibanu.on("expired", heard);
    await zibanu.login(CREDENTIALS);
    server.advance(LIFE);
    expect((await failure(zibanu.users.list())).kind).toBe("token");
    expect((await failure(zibanu.users.list())).kind).toBe("token");
    expect([heard.mock.calls.length, server.names()]).toEqual([1, ["login/"]]);
  });

  it("that is refused is exchanged once, and the call repeated", async () => {
    const { server, client } = aServer();
    const zibanu = client();
    await zibanu.login(CREDENTIALS);
    let refusals = 1;
    server.answers.set("user/list/", () =>
      refusals-- > 0
        ? Response.json({ errors: ["Token is invalid or expired"], code: "invalid_token" }, { status: 401 })
        : Response.json([{ id: 1 }]),
    );
    expect(await zibanu.users.list()).toEqual([{ id: 1 }]);
    expect(server.names()).toEqual(["login/", "user/list/", "refresh/", "user/list/"]);
  });

  it("that cannot be exchanged has expired, and nothing is repeated", async () => {
    const { server, client } = aServer();
    const zibanu = client();
    const heard = vi.fn();
    zibanu.on("expired", heard);
    await zibanu.login(CREDENTIALS);
    server.valid = "taken by another session";
    expect(await failure(zibanu.users.list())).toMatchObject({ kind: "token", status: 401 });
    expect([heard.mock.calls.length, server.names()]).toEqual([1, ["login/", "user/list/", "refresh/"]]);
    expect(await zibanu.session()).toBeUndefined();
  });

  it("is kept while the server cannot be reached", async () => {
    const { server, client } = aServer();
    const zibanu = client();
    await zibanu.login(CREDENTIALS);
    server.advance(LIFE - 30);
    server.answers.set("refresh/", () => Promise.reject(new TypeError("fetch failed")));
    expect((await failure(zibanu.users.list())).kind).toBe("unavailable");
    expect(await zibanu.session()).toBeDefined();
  });

  it("that another tab exchanged is taken from the store", async () => {
    const { server, client } = aServer();
    const tokens = memoryTokenStore();
    const [one, two] = [client({ tokens }), client({ tokens })];
    await one.login(CREDENTIALS);
    server.answers.set("user/list/", () => Response.json([]));
    const stale = await one.session();
    await two.refresh();
    expect(await one.refresh(/* of the stale one */)).not.toEqual(stale);
    await one.users.list();
    expect(server.calls.at(-1)?.headers["authorization"]).toBe(`JWT ${server.valid}`);
  });

  it("that another tab exchanged is awaited where the browser's storage is late", async () => {
    const { server, client } = aServer();
    const one = memoryTokenStore();
    await client({ tokens: one }).login(CREDENTIALS);
    const old = await one.get();
    await client({ tokens: one }).refresh();
    const renewed = await one.get();
    let reads = 0;
    const late = { get: () => (++reads <= 2 ? old : renewed), set: () => {} };
    const expired = vi.fn();
    const other = client({ tokens: late });
    other.on("expired", expired);
    expect((await other.refresh()).token).toBe(renewed);
    expect(server.names().filter((name) => name === "refresh/")).toHaveLength(2);
    expect(expired).not.toHaveBeenCalled();
  });

  it("is judged by the server's clock, not by a wrong one here", async () => {
    const { server, client } = aServer();
    const zibanu = client({ clock: () => server.now + 86_400_000 });
    await zibanu.login(CREDENTIALS);
    await zibanu.users.list();
    expect(server.names()).toEqual(["login/", "user/list/"]);
  });

  it("of a page that stays open is exchanged by itself", async () => {
    vi.useFakeTimers({ now: START });
    try {
      const { server, client } = aServer();
      const zibanu = client({ keepAlive: true, clock: () => Date.now() });
      await zibanu.login(CREDENTIALS);
      server.now += (LIFE - 60) * 1000;
      await vi.advanceTimersByTimeAsync((LIFE - 60) * 1000);
      expect(server.names()).toEqual(["login/", "refresh/"]);
      server.answers.set("refresh/", () => Promise.reject(new TypeError("fetch failed")));
      server.now += LIFE * 1000;
      await vi.advanceTimersByTimeAsync(LIFE * 1000);
      const tried = server.names().length;
      expect(tried).toBeGreaterThan(5);
      await vi.advanceTimersByTimeAsync(LIFE * 1000);
      expect(server.names().length).toBe(tried);
      zibanu.stop();
    } finally {
      vi.useRealTimers();
    }
  });

  it("survives in a browser's storage, and goes with the logout", async () => {
    const { client } = aServer();
    const kept = new Map<string, string>();
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    };
    await client({ tokens: storageTokenStore(storage) }).login(CREDENTIALS);
    const reloaded = client({ tokens: storageTokenStore(storage) });
    expect(await reloaded.session()).toMatchObject({ userId: 5 });
    await reloaded.logout();
    expect(kept.size).toBe(0);
  });

  test.each(["", "x", "a.b.c", "a.e30.c", `a.${Buffer.from("[]").toString("base64url")}.c`])(
    "is none: %j",
    (text) => {
      expect(readToken(text)).toBeUndefined();
    },
  );
});

describe("a failure", () => {
  const CASES: [number, unknown, Partial<ZibanuError>][] = [
    [
      401,
      { errors: ["No active account found with the given credentials"], code: "authentication_failed" },
      { kind: "credentials" },
    ],
    [
      412,
      { errors: ["open"], code: "multiple_login_error" },
      { kind: "session_open", code: "multiple_login_error" },
    ],
    [
      401,
      { errors: ["You do not have permission to perform this action."], code: "permission_denied" },
      { kind: "permission" },
    ],
    [403, { errors: ["no"], code: "permission_denied" }, { kind: "permission" }],
    [
      403,
      { errors: ["User has protected child records. Cannot delete."], code: "delete_user" },
      { kind: "validation" },
    ],
    [
      404,
      { errors: ["Error! There is not record matching."], code: "doest_not_exists" },
      { kind: "not_found", code: "doest_not_exists" },
    ],
    [
      406,
      { errors: ["email: Email already in use", "no field"], code: "api_exception" },
      {
        kind: "validation",
        fields: { email: ["Email already in use"] },
        messages: ["email: Email already in use", "no field"],
      },
    ],
    [
      400,
      { email: ["This field is required."], non_field_errors: ["odd"] },
      {
        kind: "validation",
        fields: { email: ["This field is required."], non_field_errors: ["odd"] },
        message: "email: This field is required.; odd",
      },
    ],
    [429, { detail: "slow down" }, { kind: "rate_limited" }],
    [
      500,
      "<html>Server Error (500)",
      { kind: "unavailable", messages: ["The server answered with status 500"] },
    ],
    [400, [1], { kind: "validation", messages: ["The server answered with status 400"] }],
    [200, "<html>", { kind: "protocol" }],
    [200, JSON.stringify({ token: 1 }), { kind: "protocol" }],
  ];

  test.each(CASES)("of status %i with %j is told the same way", async (status, body, expected) => {
    const { server, client } = aServer();
    const text = typeof body === "string" ? body : JSON.stringify(body);
    server.answers.set("login/", () => new Response(text, { status }));
    expect(await failure(client().login(CREDENTIALS))).toMatchObject({
      name: "ZibanuError",
      status,
      ...expected,
    });
  });

  it("of the network has no status, and the cause", async () => {
    const { server, client } = aServer();
    server.answers.set("login/", () => Promise.reject(new TypeError("fetch failed")));
    const error = await failure(client().login(CREDENTIALS));
    expect([error.kind, error.status, error.cause]).toEqual(["unavailable", 0, expect.any(TypeError)]);
  });

  it("of a listener does not disturb the others", async () => {
    const { client } = aServer();
    const zibanu = client();
    const heard = vi.fn();
    const thrown: unknown[] = [];
    const later = vi.spyOn(globalThis, "queueMicrotask").mockImplementation((work) => {
      void Promise.resolve()
        .then(work)
        .catch((error: unknown) => thrown.push(error));
    });
    zibanu.on("login", () => {
      throw new Error("mine");
    });
    const end = zibanu.on("login", heard);
    await zibanu.login(CREDENTIALS);
    end();
    await zibanu.login(CREDENTIALS);
    expect(heard).toHaveBeenCalledTimes(1);
    await vi.waitFor(() => expect(thrown).toEqual([new Error("mine"), new Error("mine")]));
    later.mockRestore();
  });
});

describe("the services", () => {
  it("are called by their wire names", async () => {
    const { server, client } = aServer();
    server.answers.set("utils/timezone/list/", () => Response.json({ timezones: ["UTC"] }));
    const zibanu = client({ compat: "3.0" });
    const changed = vi.fn();
    zibanu.on("profile", changed);
    await zibanu.login(CREDENTIALS);
    await zibanu.changePassword({ oldPassword: "a", newPassword: "b" });
    await zibanu.requestPassword("ann@example.com", "123456");
    await zibanu.users.retrieve(7);
    await zibanu.users.add({ email: "new@example.com", roles: [1, { id: 2 }], permissions: [3] });
    await zibanu.users.update({ id: 7, email: "x@example.com", roles: null });
    await zibanu.users.delete(7);
    await zibanu.users.delete("x@example.com");
    await zibanu.profile.update({ theme: "dark" });
    await zibanu.profile.setAvatar(Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 1));
    await zibanu.profile.setAvatar(new Blob([Uint8Array.of(0xff, 0xd8, 0xff, 0xe0)]));
    await zibanu.profile.setAvatar(null);
    await zibanu.groups.levels();
    await zibanu.permissions.list();
    await zibanu.utilities.timeZones();
    await zibanu.menu(3);
    expect(server.calls.slice(1).map(({ path, body }) => [path, body])).toEqual([
      ["change-password/", { old_password: "a", new_password: "b" }],
      ["request-password/", { email: "ann@example.com", code: "123456" }],
      ["user/retrieve/", { pk: 7 }],
      ["user/add/", { email: "new@example.com", roles: [1, 2], permissions: [3] }],
      ["user/update/", { id: 7, email: "x@example.com", roles: null }],
      ["user/delete/", { id: 7 }],
      ["user/delete/", { email: "x@example.com" }],
      ["profile/update/", { theme: "dark" }],
      ["profile/update/", { avatar: "data:image/png;base64,iVBORwE=" }],
      ["profile/update/", { avatar: "data:image/jpeg;base64,/9j/4A==" }],
      ["profile/update/", { avatar: "" }],
      ["grouplevel/list/", {}],
      ["permission/list/", {}],
      ["utils/timezone/list/", {}],
      ["menu/", { app_id: 3 }],
    ]);
    expect(changed).toHaveBeenCalledTimes(4);
  });

  it("of 3.0 are refused where 1.1 is spoken", async () => {
    const { client } = aServer();
    expect(() => client().menu(1)).toThrow("3.0");
    await expect(client().requestPassword("a@example.com", "1")).rejects.toThrow("3.0");
  });
});
