import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createApplication } from "../../domain/applications/index.ts";
import { createTenant, updateSettings } from "../../domain/tenants/index.ts";
import { createUser } from "../../domain/users/index.ts";
import { aServer, type TestServer } from "../../testing/a-server.ts";
import { signInForTest } from "../../testing/api-client.ts";
import { contextOf } from "../../testing/test-deps.ts";

let server: TestServer;
let browser: string;
beforeAll(async () => {
  server = await aServer({ config: { publicUrl: "https://id.example.com" } });
  const { deps, tenantId } = server;
  const context = contextOf(tenantId);
  await updateSettings(deps, context, {
    blueking: { allowedReturnHosts: [".example.com"], cookieDomain: "example.com", ticketCookies: "both" },
  });
  await createApplication(deps, context, { slug: "closed", name: "Closed", access: "assigned" });
  await createTenant(deps, context, { slug: "other", name: "Other" });
  const { id } = await createUser(deps, context, { username: "ann", profile: { locale: "zh-CN" } });
  browser = (await signInForTest(server, id, ["openid"])).cookie;
});
afterAll(() => server?.[Symbol.asyncDispose]());

const RETURN = "https://shop.example.com/";

function get(path: string, cookies: Record<string, string> = {}, headers: Record<string, string> = {}) {
  const cookie = Object.entries(cookies)
    .map(([name, value]) => `${name}=${value}`)
    .join("; ");
  return server.app.inject({ method: "GET", url: path, headers: { ...headers, cookie } });
}

const signedIn = (more: Record<string, string> = {}) => ({ "__Host-ostiary_session": browser, ...more });

/** The cookies of an answer by name. */
async function enter(path: string, cookies: Record<string, string>) {
  const answer = await get(path, cookies);
  return { answer, given: new Map(answer.cookies.map((cookie) => [cookie.name, cookie])) };
}

describe("/login/", () => {
  it("gives whoever is signed in the cookies of the domain, and sends him on", async () => {
    for (const path of ["/blueking/login/", "/blueking/login"]) {
      for (const name of ["c_url", "next"]) {
        const { answer, given } = await enter(`${path}?${name}=${RETURN}`, signedIn());
        expect(answer.statusCode).toBe(303);
        expect(answer.headers.location).toBe(RETURN);
        expect(answer.headers["cache-control"]).toBe("no-store");
        for (const ticket of ["bk_token", "bk_ticket"]) {
          expect(given.get(ticket)).toMatchObject({
            domain: "example.com",
            path: "/",
            httpOnly: true,
            secure: true,
            sameSite: "Lax",
            expires: expect.any(Date),
          });
        }
        expect(given.get("bk_token")?.value).toBe(given.get("bk_ticket")?.value);
        expect(given.get("blueking_language")).toMatchObject({ value: "zh-cn", domain: "example.com" });
        expect(given.get("blueking_language")?.httpOnly).toBeUndefined();
      }
    }
  });

  it("gives no second ticket to a browser that has one of this sign-in", async () => {
    const { given } = await enter(`/blueking/login/?c_url=${RETURN}`, signedIn());
    const ticket = given.get("bk_token")?.value ?? "";
    const again = await enter(
      `/blueking/login/?c_url=${RETURN}`,
      signedIn({ bk_token: ticket, bk_ticket: ticket }),
    );
    expect(again.answer.headers.location).toBe(RETURN);
    expect(again.given.size).toBe(0);
    const stale = signedIn({ bk_token: "x", bk_ticket: "y" });
    expect((await enter(`/blueking/login/?c_url=${RETURN}`, stale)).given.has("bk_token")).toBe(true);
  });

  it("leads to the account where the address is not allowed, or there is none", async () => {
    for (const query of ["", "?c_url=https://evil.example/", "?c_url=//evil.example", "?c_url=a&c_url=b"]) {
      expect((await get(`/blueking/login/${query}`, signedIn())).headers.location).toBe("/account");
    }
  });

  it("tells a script where to sign in", async () => {
    const asked = { "x-requested-with": "XMLHttpRequest" };
    const answer = await get(`/blueking/login/?c_url=${RETURN}&app_code=closed`, {}, asked);
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toEqual({
      login_url: `https://id.example.com/blueking/login/plain/?c_url=https%3A//shop.example.com/&app_code=closed`,
      width: 460,
      height: 490,
      has_plain: true,
    });
  });

  it("refuses who may not use the application, on a page", async () => {
    const answer = await get(`/blueking/login/?c_url=${RETURN}&app_code=closed`, signedIn());
    expect(answer.statusCode).toBe(403);
    expect(answer.headers["content-type"]).toContain("text/html");
    expect(answer.cookies.map(({ name }) => name)).not.toContain("bk_token");
  });

  it("begins the hosted sign-in for others, each tenant its own", async () => {
    for (const prefix of ["", "/t/other"]) {
      const answer = await get(`${prefix}/blueking/login/?c_url=${RETURN}`);
      expect(answer.statusCode).toBe(303);
      expect(answer.headers.location).toMatch(new RegExp(`^${prefix}/sign-in\\?flow=[0-9a-f]{24}$`));
    }
    const elsewhere = await get(`/t/other/blueking/login/?c_url=${RETURN}`, signedIn());
    expect(elsewhere.headers.location).toContain("/sign-in?flow=");
    expect((await get("/t/none/blueking/login/")).statusCode).toBe(404);
  });
});

describe("the way back from the hosted page", () => {
  it.each(["", "?flow=x", `?flow=${"a".repeat(24)}`])("is no way in: %j", async (query) => {
    const answer = await get(`/blueking/login/resume/${query}`, signedIn());
    expect(answer.statusCode).toBe(404);
    expect(answer.cookies).toEqual([]);
  });

  it("is not open before the person has signed in", async () => {
    const begun = await get(`/blueking/login/?c_url=${RETURN}`);
    const flow = /flow=(\w+)/.exec(String(begun.headers.location))?.[1];
    const cookies = Object.fromEntries(begun.cookies.map(({ name, value }) => [name, value]));
    expect((await get(`/blueking/login/resume/?flow=${flow}`, cookies)).statusCode).toBe(404);
  });
});

describe("/login/plain/", () => {
  it("goes straight on for whoever is signed in, and in a window of its own begins the sign-in", async () => {
    const on = await get(`/blueking/login/plain/?c_url=${RETURN}`, signedIn());
    expect(on.headers.location).toBe(RETURN);
    const done = await get("/blueking/login/plain/", signedIn());
    expect(done.headers.location).toBe("/blueking/login/plain/done/");
    const top = await get(`/blueking/login/plain/?c_url=${RETURN}`, {}, { "sec-fetch-dest": "document" });
    expect(top.headers.location).toContain("/sign-in?flow=");
  });

  it("asks in a frame, which only allowed hosts may be", async () => {
    const answer = await get(`/blueking/login/plain/?c_url=${RETURN}`, {}, { "sec-fetch-dest": "iframe" });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers["x-frame-options"]).toBeUndefined();
    expect(answer.headers["content-security-policy"]).toContain(
      "frame-ancestors 'self' example.com:* *.example.com:*;",
    );
    expect(answer.body).not.toContain("<form");
    expect(answer.body).toContain('target="ostiary-sign-in"');
  });
});

describe("the hosts that a tenant may allow", () => {
  const save = async (host: string) =>
    (
      await server.app.inject({
        method: "PATCH",
        url: "/api/v1/settings",
        headers: { authorization: server.operator, "content-type": "application/json" },
        payload: JSON.stringify({ blueking: { allowedReturnHosts: [".example.com", host] } }),
      })
    ).statusCode;

  it.each(["a.example", "a.example:81", ".a.example", "[::1]", "[::1]:8000", "127.0.0.1"])(
    "may be %s",
    async (host) => {
      expect(await save(host)).toBe(200);
    },
  );

  it.each([
    "https://a.example",
    "a.example/",
    ".a.example:81", // a domain is for any port: with one it would allow nothing, and break the policy of the frame
    "*.a.example",
    "a.example; sandbox",
    "a.example,b.example",
    "me@a.example",
    "A.example",
    "中.example",
    "a.example:port",
    "",
  ])("cannot be %j", async (host) => {
    expect(await save(host)).toBe(400);
  });
});

describe("the window of its own", () => {
  it("is told of by a channel of this origin only: no message goes to whoever opened it", async () => {
    const done = await get("/blueking/login/plain/done/", signedIn());
    const ask = await get(`/blueking/login/plain/?c_url=${RETURN}`, {}, { "sec-fetch-dest": "iframe" });
    for (const { body } of [done, ask]) {
      expect(body).toContain('new BroadcastChannel("ostiary-pop-up")');
      expect(body).not.toMatch(/opener|parent\.|top\.post|postMessage\([^)]*,/);
    }
    expect(done.body).not.toContain(RETURN);
    expect(done.headers["content-security-policy"]).toContain("frame-ancestors 'none'");
    expect(done.headers["x-frame-options"]).toBe("DENY");
  });

  it("leads nowhere that is not allowed, whatever the address of the frame says", async () => {
    for (const wish of ["https://evil.example/", "//evil.example", "javascript:alert(1)", '"><script>']) {
      const query = new URLSearchParams({ c_url: wish, app_code: '"><img src=x>', next: wish });
      const { body, headers } = await get(
        `/blueking/login/plain/?${query}`,
        {},
        { "sec-fetch-dest": "iframe" },
      );
      const links = [...body.matchAll(/<a [^>]*(?:href|data-direct)="([^"]*)"/g)].map(
        ([, link]) => link ?? "",
      );
      expect(links.length).toBeGreaterThan(1);
      for (const link of links) expect(link, wish).toMatch(/^\/(?!\/)/);
      expect(body).not.toContain("<img src=x>");
      expect(headers["content-security-policy"]).toMatch(/frame-ancestors 'self' [^;]*;/);
      expect(headers["content-security-policy"]).not.toContain("evil");
    }
  });

  it("may be framed by the named application's own origins too, and by those of no other", async () => {
    const context = contextOf(server.tenantId);
    for (const slug of ["framer", "stranger"]) {
      const allowedReturnOrigins = [`https://${slug}.example.net`];
      await createApplication(server.deps, context, { slug, name: slug, allowedReturnOrigins });
    }
    const policy = async (code: string) =>
      (await get(`/blueking/login/plain/?app_code=${code}`, {}, { "sec-fetch-dest": "iframe" })).headers[
        "content-security-policy"
      ];
    expect(await policy("framer")).toContain(" https://framer.example.net;");
    expect(await policy("framer")).not.toContain("stranger");
    expect(await policy("nobody")).not.toContain("example.net");
  });
});

it("signs out the tickets and the sign-in they came from, also without being signed in", async () => {
  const { given } = await enter(`/blueking/login/?c_url=${RETURN}`, signedIn());
  const ticket = given.get("bk_token")?.value ?? "";
  const left = await enter(`/blueking/login/logout/?c_url=${RETURN}`, { bk_token: ticket });
  expect(left.answer.headers.location).toBe(`/blueking/login/?c_url=${encodeURIComponent(RETURN)}`);
  for (const name of ["bk_token", "bk_ticket"]) {
    expect(left.given.get(name)).toMatchObject({ value: "", domain: "example.com", expires: new Date(0) });
  }
  expect((await get(`/blueking/login/api/v3/is_login/?bk_token=${ticket}`)).json().code).toBe(1302100);
  expect((await get("/blueking/login/", signedIn())).headers.location).toContain("/sign-in?flow=");
  const nobody = await get("/blueking/login/?is_from_logout=1", { bk_token: "x" });
  expect(nobody.headers.location).toContain("/sign-in?flow=");
});

it("has an answer to whatever a browser or a program sends", async () => {
  const queries = [
    "c_url=%ff",
    "c_url=%ED%A0%80",
    "c_url[]=a",
    "c_url=http://[::1",
    "c_url=http://a.b%00",
    `c_url=${"a".repeat(5_000)}`,
    "next=/%5C%5Cevil",
    "is_from_logout=1&c_url=%E0%A4%A",
    "app_code=%C0%80",
    "app_code=a&app_code=b",
    "flow=%ff",
  ];
  const paths = [
    "login/",
    "login/plain/",
    "login/plain/done/",
    "login/logout/",
    "login/resume/",
    "api/c/compapi/v2/bk_login/get_user/",
    "prod/api/v2/sync/gateways/%ff/public_key/",
    "prod/api/v1/apis/a%2Fb/public_key/",
  ];
  const cookies = {
    bk_token: "%ff",
    bk_ticket: '"',
    "__Host-ostiary_session": "x.y",
    "__Host-ostiary_flow": "%",
  };
  const headers = { "x-bkapi-authorization": '{"bk_app_code":"\u00ff","bk_app_secret":"x"}' };
  for (const path of paths) {
    for (const query of queries) {
      const answer = await get(`/blueking/${path}?${query}`, cookies, headers);
      expect(answer.statusCode, `${path}?${query}`).toBeLessThan(500);
    }
  }
  for (const [path, payload] of [
    ["prod/api/v2/open/gateways/demo/jwt/", "[]"],
    ["prod/api/v2/open/gateways/demo/jwt/verify", "{}"],
    ["api/v1/auth/access-tokens", "5"],
    ["api/v1/auth/access-tokens/verify", '{"access_token":"a.b.c"}'],
    ["login/api/v3/is_login", '{"bk_token":"\\u0000"}'],
    ["api/c/compapi/v2/bk_login/get_user", '{"bk_username":{}}'],
  ] as const) {
    const answer = await server.app.inject({
      method: "POST",
      url: `/blueking/${path}`,
      headers: { "content-type": "application/json" },
      payload,
    });
    expect(answer.statusCode, path).toBeLessThan(500);
  }
});
