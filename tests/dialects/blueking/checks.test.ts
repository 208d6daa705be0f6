/**
 * The checks of the contract, with the unmodified packages in minimal Django applications. The numbers are those of
 * part 4.2: B both releases, 2 and 4 one of them.
 */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Browser } from "../../oidc/browser.ts";
import { INSTALL_TIMEOUT } from "../../python/environment.ts";
import { type Django, missingFor, RELEASES, type Release, startDjango } from "./django.ts";
import { Scene, SECRET } from "./scene.ts";
import { Visitor } from "./visitor.ts";

const ALL: Release[] = ["2.0.3", "4.4.0", "4.4.0-django6"];
const RUNNABLE = ALL.filter((release) => {
  const missing = missingFor(release);
  if (missing) console.warn(`Skipped: ${missing}`);
  return missing === undefined;
});

/** Milliseconds. */
const TIMEOUT_OF_CLIENT = 10_000;

let scene: Scene;
beforeAll(async () => {
  scene = await Scene.open();
});
afterAll(() => scene?.[Symbol.asyncDispose]());

describe.each(RUNNABLE)("bkpaas-auth %s", (release) => {
  const is4 = release !== "2.0.3";
  const hasGateway = RELEASES[release].requirements.some((one) => one.startsWith("apigw-manager"));
  /** What waits is waited for once with each release. */
  const isSlowTwice = release === "4.4.0-django6";
  let django: Django;

  beforeAll(async () => {
    django = await startDjango({ release, settings: scene.djangoSettings() });
  }, INSTALL_TIMEOUT);
  afterAll(() => django?.stop());
  beforeEach(async () => {
    await django.configure({
      ...scene.djangoSettings(),
      BKAUTH_BACKEND_TYPE: "bk_token",
      BKAUTH_USER_INFO_APIGW_URL: null,
      BKAUTH_ENABLE_MULTI_TENANT_MODE: false,
      BKAUTH_SESSION_TIMEOUT: 300,
      APIGW_PUBLIC_KEY: null,
    });
    await django.forget();
    await django.log();
    scene.recorder.take();
  });

  const visitor = () => new Visitor(django.url);
  const withTicket = (ticket: string) => visitor().set("bk_token", ticket);

  it("1: leaves somebody without a cookie anonymous, and asks nobody", async () => {
    const who = await visitor().whoami();
    expect(who).toMatchObject({ status: 200, authenticated: false });
    expect(scene.recorder.take()).toEqual([]);
  });

  it("2, 4, 5: takes a ticket of our login page, in one call", async () => {
    const { ticket } = await scene.signIn("admin");
    const who = await withTicket(ticket).whoami();
    expect(who).toMatchObject({ authenticated: true, username: "admin", bkpaas_user_id: "0335cce79c92" });
    const [call, ...more] = scene.recorder.take();
    expect(more).toEqual([]);
    expect(call?.method).toBe("GET");
    expect(call?.url.search).toBe(`?bk_token=${ticket}`);
    const { "x-bkapi-authorization": header, "blueking-language": language } = call?.headers ?? {};
    if (is4) {
      const expected = { bk_token: ticket, bk_app_code: "shop", bk_app_secret: SECRET };
      expect(JSON.parse(String(header))).toEqual(expected);
      expect(language).toBe("en-us");
    } else {
      expect(header).toBeUndefined();
    }
  });

  it("3: asks nobody for the second request of a session", async () => {
    const { ticket } = await scene.signIn("张三");
    const person = withTicket(ticket);
    expect(await person.whoami()).toMatchObject({ username: "张三", bkpaas_user_id: "03b1142a1144a2" });
    scene.recorder.take();
    expect((await person.whoami()).authenticated).toBe(true);
    expect(scene.recorder.take()).toEqual([]);
  });

  it.runIf(is4)("6: is anonymous with a wrong secret of the application, never an error", async () => {
    await django.configure({ BKAUTH_TOKEN_SECRET_KEY: "wrong" });
    const { ticket } = await scene.signIn("admin");
    expect(await withTicket(ticket).whoami()).toMatchObject({ status: 200, authenticated: false });
  });

  it("7: is anonymous with a random ticket, and loses the session it had", async () => {
    const person = withTicket((await scene.signIn("admin")).ticket);
    expect((await person.whoami()).session).not.toBeNull();
    scene.recorder.take();
    person.set("bk_token", randomBytes(30).toString("base64url"));
    expect(await person.whoami()).toMatchObject({ authenticated: false, session: null });
    const [call] = scene.recorder.take();
    expect(call?.status).toBe(200);
  });

  it.skipIf(isSlowTwice)(
    "8: notices that a ticket was logged out after SESSION_TIMEOUT, not earlier",
    async () => {
      await django.configure({ BKAUTH_SESSION_TIMEOUT: 2 });
      const { ticket, browser } = await scene.signIn("admin");
      const person = withTicket(ticket);
      expect((await person.whoami()).authenticated).toBe(true);
      await browser.visit(`${scene.server.url}/blueking/login/logout/`);
      expect((await person.whoami()).authenticated).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 2_200));
      expect((await person.whoami()).authenticated).toBe(false);
    },
  );

  it("10, 11: takes a ticket that is percent-encoded or in quotes", async () => {
    const { ticket } = await scene.signIn("admin");
    for (const spelling of [ticket.replaceAll("-", "%2D"), ticket.replaceAll("_", "%5F"), `"${ticket}"`]) {
      expect((await withTicket(spelling).whoami()).username).toBe("admin");
    }
  });

  it("12: becomes another person with another ticket, in another session", async () => {
    const person = withTicket((await scene.signIn("admin")).ticket);
    const before = await person.whoami();
    scene.recorder.take();
    person.set("bk_token", (await scene.signIn("bob")).ticket);
    const after = await person.whoami();
    expect(after.username).toBe("bob");
    expect(after.session).not.toBe(before.session);
    expect((await person.whoami()).username).toBe("bob");
    // 2.x writes the session before it signs in, and so loses it: one more call.
    expect(scene.recorder.take()).toHaveLength(is4 ? 1 : 2);
  });

  it("13: stays in its session with another ticket of the same person", async () => {
    const person = withTicket((await scene.signIn("admin")).ticket);
    const before = await person.whoami();
    scene.recorder.take();
    person.set("bk_token", (await scene.signIn("admin")).ticket);
    const after = await person.whoami();
    expect(after).toMatchObject({ username: "admin", session: before.session });
    expect(scene.recorder.take()).toHaveLength(1);
  });

  it("14: refuses who may not use the application: 403 in 4.x, anonymous in 2.x", async () => {
    const address = `${scene.base}/login/api/v3/is_login/`;
    await django.configure({
      BKAUTH_TOKEN_APP_CODE: "closed",
      // 2.x shows no credentials, but keeps the query of its address.
      BKAUTH_USER_COOKIE_VERIFY_URL: is4 ? address : `${address}?app_code=closed`,
    });
    const refused = await withTicket((await scene.signIn("admin")).ticket).whoami();
    if (is4)
      expect(refused).toMatchObject({ status: 403, code: 1302403, detail: expect.stringMatching(/access/) });
    else expect(refused).toMatchObject({ status: 200, authenticated: false });
    expect((await withTicket((await scene.signIn("bob")).ticket).whoami()).username).toBe("bob");
  });

  describe.runIf(is4)("by the gateway", () => {
    const USER_INFO = "/prod/login/api/v3/open/bk-tokens/userinfo/";
    const byGateway = (more: object = {}) =>
      django.configure({
        ...scene.djangoSettings(),
        BKAUTH_USER_INFO_APIGW_URL: `${scene.base}/api/bk-login${USER_INFO}`,
        ...more,
      });

    it("15: refuses who may not use the application with 403", async () => {
      await byGateway({ BKAUTH_TOKEN_APP_CODE: "closed" });
      const refused = await withTicket((await scene.signIn("admin")).ticket).whoami();
      expect(refused).toMatchObject({ status: 403, code: 1302403, detail: expect.stringMatching(/access/) });
    });

    it("16, 19, 20: shows tenant, display name and time zone, in tenant mode too", async () => {
      const { ticket } = await scene.signIn("admin");
      for (const mode of [false, true]) {
        await byGateway({ BKAUTH_ENABLE_MULTI_TENANT_MODE: mode });
        expect(await withTicket(ticket).whoami()).toMatchObject({
          username: "admin",
          tenant_id: "default",
          display_name: "Boss",
          time_zone: "Europe/Berlin",
          zone: "Europe/Berlin",
        });
        const [call] = scene.recorder.take();
        expect(call?.headers["x-bk-tenant-id"]).toBe("default");
        const expected = { bk_app_code: "shop", bk_app_secret: SECRET };
        expect(JSON.parse(String(call?.headers["x-bkapi-authorization"]))).toEqual(expected);
      }
      // Who has no time zone has the tenant's.
      const { ticket: bobs } = await scene.signIn("bob");
      expect(await withTicket(bobs).whoami()).toMatchObject({ zone: "Asia/Shanghai", display_name: "bob" });
    });

    it("17, 18: is anonymous for whatever else is refused, never an error", async () => {
      await byGateway();
      const { ticket } = await scene.signIn("admin");
      expect(await withTicket("no-ticket").whoami()).toMatchObject({ status: 200, authenticated: false });
      expect(scene.recorder.take()[0]?.status).toBe(400);
      for (const wrong of [{ BKAUTH_TOKEN_APP_CODE: "unknown" }, { BKAUTH_TOKEN_SECRET_KEY: "wrong" }]) {
        await byGateway(wrong);
        expect(await withTicket(ticket).whoami()).toMatchObject({ status: 200, authenticated: false });
        expect(scene.recorder.take()[0]?.status).toBe(401);
      }
      // Addresses that lead nowhere.
      for (const path of [`/t/none/blueking${USER_INFO}`, "/blueking/prod/no/"]) {
        await byGateway({ BKAUTH_USER_INFO_APIGW_URL: scene.recorder.url + path });
        expect(await withTicket(ticket).whoami()).toMatchObject({ status: 200, authenticated: false });
        expect(scene.recorder.take()[0]?.status).toBe(404);
      }
    });

    it("18: refuses the application of one tenant at the address of another with 403 and the gateway's code", async () => {
      await byGateway({ BKAUTH_USER_INFO_APIGW_URL: `${scene.recorder.url}/t/other/blueking${USER_INFO}` });
      const refused = await withTicket((await scene.signIn("admin")).ticket).whoami();
      expect(refused).toMatchObject({ status: 403, code: 1302403, detail: expect.stringMatching(/tenant/) });
      const [call] = scene.recorder.take();
      expect(call?.status).toBe(403);
      expect(call?.answerHeaders["x-bkapi-error-code"]).toBe("1640302");
    });
  });

  it("21: takes `bk_ticket`, and refuses a bad one", async () => {
    await django.configure({
      BKAUTH_BACKEND_TYPE: "bk_ticket",
      BKAUTH_USER_COOKIE_VERIFY_URL: `${scene.base}/user/is_login/`,
    });
    const { ticket } = await scene.signIn("admin");
    const who = await visitor().set("bk_ticket", ticket).whoami();
    expect(who).toMatchObject({ authenticated: true, bkpaas_user_id: "0235cce79c92", provider_type: 2 });
    expect((await visitor().set("bk_ticket", "bad").whoami()).authenticated).toBe(false);
  });

  it("22, 24, 25: finds details of a user by id, the second time in its cache", async () => {
    const details = await visitor().json("/info?id=0335cce79c92");
    expect(details).toMatchObject({ nickname: "Boss", email: "admin@example.com", phone: "13800000000" });
    if (is4) expect(details).toMatchObject({ time_zone: "Europe/Berlin", tenant_id: "default" });
    const [call] = scene.recorder.take();
    const shown = is4
      ? JSON.parse(String(call?.headers["x-bkapi-authorization"]))
      : Object.fromEntries(call?.url.searchParams ?? []);
    expect(shown).toEqual({ bk_username: "admin", bk_app_code: "shop", bk_app_secret: SECRET });
    await visitor().json("/info?id=0335cce79c92");
    expect(scene.recorder.take()).toEqual([]);
  });

  it("23: finds details of a user of the other provider", async () => {
    const details = await visitor().json("/info?id=0235cce79c92");
    expect(details).toMatchObject({ email: "admin@tencent.com", phone: "13800000000", nickname: "Boss" });
  });

  it("24, 26: fails for a wrong secret and an unknown user, each time anew", async () => {
    const failure = is4 ? "ValueError" : "AttributeError";
    for (let time = 1; time <= 2; time++) {
      expect((await visitor().json("/info?id=0326")).failure).toBe(failure);
      expect(scene.recorder.take()).toHaveLength(1);
    }
    await django.configure({ BKAUTH_TOKEN_SECRET_KEY: "wrong" });
    expect((await visitor().json("/info?id=0335cce79c92")).failure).toBe(failure);
  });

  it("27: is anonymous while the server is away, and signs in with the same cookie afterwards", async () => {
    const person = withTicket((await scene.signIn("admin")).ticket);
    await scene.recorder.close();
    const started = performance.now();
    expect((await person.whoami()).authenticated).toBe(false);
    expect(performance.now() - started).toBeLessThan(TIMEOUT_OF_CLIENT);
    const errors = (await django.log()).filter(({ level }) => level === "ERROR");
    expect(errors).toHaveLength(1);
    await scene.recorder.open();
    expect((await person.whoami()).authenticated).toBe(true);
  });

  it.skipIf(release === "4.4.0-django6")(
    "28: is anonymous after ten seconds of a server's silence",
    async () => {
      const { ticket } = await scene.signIn("admin");
      scene.recorder.delay = 13_000;
      try {
        const started = performance.now();
        expect((await withTicket(ticket).whoami()).authenticated).toBe(false);
        const took = performance.now() - started;
        expect(took).toBeGreaterThan(TIMEOUT_OF_CLIENT - 500);
        expect(took).toBeLessThan(TIMEOUT_OF_CLIENT + 2_000);
      } finally {
        scene.recorder.delay = 0;
      }
    },
  );

  it("29: never gets a cookie, and carries none from one person to the next", async () => {
    for (const name of ["admin", "bob"]) {
      await withTicket((await scene.signIn(name)).ticket).whoami();
    }
    await visitor().json("/info?id=0335cce79c92");
    const calls = scene.recorder.take();
    expect(calls).toHaveLength(3);
    for (const call of calls) {
      expect(call.answerHeaders["set-cookie"]).toBeUndefined();
      expect(call.headers.cookie).toBeUndefined();
    }
  });

  it("30: needs no slash at the end of an address", async () => {
    await django.configure({
      BKAUTH_USER_COOKIE_VERIFY_URL: `${scene.base}/login/api/v3/is_login`,
      BKAUTH_TOKEN_USER_INFO_ENDPOINT: `${scene.base}/api/c/compapi/v2/bk_login/get_user`,
    });
    expect((await withTicket((await scene.signIn("admin")).ticket).whoami()).username).toBe("admin");
    expect(await visitor().json("/info?id=0335cce79c92")).toMatchObject({ email: "admin@example.com" });
    for (const call of scene.recorder.take()) expect(call.status).toBe(200);
  });

  describe.runIf(hasGateway)("with apigw-manager", () => {
    const jwt = (token: string): RequestInit => ({ headers: { "x-bkapi-jwt": token } });
    const publicKey = async () => {
      const answer = await fetch(`${scene.base}/prod/api/v2/open/gateways/demo/public_key/`);
      return ((await answer.json()) as { data: { public_key: string } }).data.public_key;
    };

    it("31: takes user, tenant and application of our gateway's token, and needs no CSRF token", async () => {
      await django.configure({ APIGW_PUBLIC_KEY: await publicKey() });
      const { ticket } = await scene.signIn("admin");
      const token = await scene.gatewayToken({ bk_token: ticket });
      const who = await visitor().whoami({ ...jwt(token), method: "POST" });
      expect(who).toMatchObject({ authenticated: true, username: "admin", posted: true });
      expect(who.app).toMatchObject({ bk_app_code: "shop", verified: true });
      if (is4) {
        expect(who.tenant_id).toBe("default");
        expect(who.app).toMatchObject({ tenant_mode: "single", tenant_id: "default" });
      }
      expect((await visitor().whoami({ method: "POST" })).status).toBe(403);
    });

    it("33: shows a user that was only named as anonymous, and the application as verified", async () => {
      await django.configure({ APIGW_PUBLIC_KEY: await publicKey() });
      const who = await visitor().whoami(jwt(await scene.gatewayToken({ bk_username: "admin" })));
      expect(who).toMatchObject({ authenticated: false, username: "admin", app: { verified: true } });
    });

    /** Made by a server whose clock is wrong, or long ago: 1,500 s is what a token has. */
    const tokenMade = async (secondsAgo: number, authorization: object) => {
      scene.server.clock.advance(-secondsAgo);
      try {
        return await scene.gatewayToken(authorization);
      } finally {
        scene.server.clock.advance(secondsAgo);
      }
    };
    /** The same claims of somebody else, under the old signature. */
    const forged = (token: string) => {
      const [head, body = "", signature] = token.split(".");
      const claims = JSON.parse(Buffer.from(body, "base64url").toString());
      expect(claims).not.toHaveProperty("aud");
      claims.user.username = "bob";
      return [head, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
    };

    it("34: takes a token until it expires, and from when it begins, by the clock of the application", async () => {
      const bk_token = (await scene.signIn("admin")).ticket;
      await django.configure({ APIGW_PUBLIC_KEY: await publicKey() });
      // In this order each is made anew: a server gives the one of the last ten minutes out again.
      for (const [age, status] of [
        [1_440, 200],
        [1_560, 500],
        [-360, 500],
        [-240, 200],
      ] as const) {
        const who = await visitor().whoami(jwt(await tokenMade(age, { bk_token })));
        expect(who.status, `made ${age} s ago`).toBe(status);
        if (status === 200) expect(who.username).toBe("admin");
      }
    });

    it("34: never takes a token that was changed or has no known key", async () => {
      await django.configure({ APIGW_PUBLIC_KEY: await publicKey() });
      const { ticket } = await scene.signIn("admin");
      const token = await scene.gatewayToken({ bk_token: ticket });
      expect((await visitor().whoami(jwt(forged(token)))).status).toBe(500);
      await django.configure({ APIGW_PUBLIC_KEY: null });
      expect((await visitor().whoami(jwt(token))).authenticated).toBe(false);
    });

    it("34: knows nobody by such a token where the application ignores bad ones", async () => {
      const bk_token = (await scene.signIn("张三")).ticket;
      const good = await scene.gatewayToken({ bk_token });
      await using lenient = await startDjango({
        release,
        settings: {
          ...scene.djangoSettings(),
          APIGW_PUBLIC_KEY: await publicKey(),
          APIGW_ALLOW_INVALID_JWT_TOKEN: true,
        },
      });
      const whoami = (token: string) => new Visitor(lenient.url).whoami(jwt(token));
      expect((await whoami(good)).username).toBe("张三");
      for (const bad of [await tokenMade(1_560, { bk_token }), forged(good)]) {
        expect(await whoami(bad)).toMatchObject({ status: 200, authenticated: false, app: null });
      }
    });

    it("32: fetches the key by its command, and needs none in the settings then", async () => {
      const { exit, output } = await django.run("fetch_apigw_public_key");
      expect(output).not.toMatch(/error/i);
      expect(exit).toBe(0);
      const [call] = scene.recorder.take();
      expect(call?.url.pathname).toMatch(is4 ? /\/api\/v2\/sync\/gateways\/demo/ : /\/api\/v1\/apis\/demo/);
      const { ticket } = await scene.signIn("admin");
      const token = await scene.gatewayToken({ bk_token: ticket });
      expect((await visitor().whoami(jwt(token))).username).toBe("admin");
      const wrong = await django.run("fetch_apigw_public_key", "--bk-app-secret", "wrong");
      expect(wrong.exit).toBe(1);
    });

    it("35: prefers who has a cookie to who has a token", async () => {
      await django.configure({ APIGW_PUBLIC_KEY: await publicKey() });
      const { ticket } = await scene.signIn("admin");
      const { ticket: bobs } = await scene.signIn("bob");
      const token = await scene.gatewayToken({ bk_token: ticket });
      expect((await withTicket(bobs).whoami(jwt(token))).username).toBe("bob");
    });
  });
});

// The server's clock goes on here and the applications' does not, so this comes last.
describe.each(RUNNABLE.slice(0, 2))("bkpaas-auth %s, later", (release) => {
  let django: Django;
  beforeAll(async () => {
    django = await startDjango({ release, settings: scene.djangoSettings() });
  }, INSTALL_TIMEOUT);
  afterAll(() => django?.stop());

  it("9: is anonymous with a ticket that nobody used for long, and with one that is too old", async () => {
    const browser = new Browser();
    const { ticket: idle } = await scene.signIn("admin", browser);
    const whoami = (ticket: string) => new Visitor(django.url).set("bk_token", ticket).whoami();
    expect((await whoami(idle)).authenticated).toBe(true);
    scene.server.clock.advance(2 * 3_600 + 1);
    expect((await whoami(idle)).authenticated).toBe(false);
    const { ticket: old } = await scene.signIn("admin", browser);
    expect(old).not.toBe(idle);
    for (let hour = 1; hour < 24; hour++) {
      scene.server.clock.advance(3_600);
      expect((await whoami(old)).authenticated, `after ${hour} hours`).toBe(true);
    }
    scene.server.clock.advance(3_600);
    expect((await whoami(old)).authenticated).toBe(false);
  });
});
