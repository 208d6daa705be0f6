import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSetUpLink } from "../domain/sign-in/index.ts";
import { aServer } from "../testing/a-server.ts";
import { script, stylesheet } from "./assets.ts";
import { aSite, aTenant, PASSWORD } from "./testing/site.ts";
import { alertOf, hiddenFields, Visitor } from "./testing/visitor.ts";

let site: Awaited<ReturnType<typeof aSite>>;

beforeAll(async () => {
  site = await aSite();
});
afterAll(() => site[Symbol.asyncDispose]());

describe("every page", () => {
  it.each(["/sign-in", "/sign-out", "/nothing-here", "/sign-up", "/consent?flow=x", "/set-up?token=x"])(
    "%s has the headers that keep it safe",
    async (path) => {
      const { headers, body } = await site.visitor().open(path);
      const policy = String(headers["content-security-policy"]);
      const nonce = /style-src 'self' 'nonce-([^']+)'/.exec(policy)?.[1] ?? "";
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain("unsafe");
      expect(body).toContain(`nonce="${nonce}"`);
      expect(headers).toMatchObject({
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
      });
      const again = await site.visitor().open(path);
      expect(again.headers["content-security-policy"]).not.toContain(nonce);
    },
  );

  it("is of https when the public address is, cookies too", async () => {
    await using server = await aServer({ config: { publicUrl: "https://id.example.com" } });
    const visitor = new Visitor(server.app);
    const page = await visitor.open("/sign-in");
    expect(page.headers["strict-transport-security"]).toContain("max-age=");
    expect([...visitor.cookies.keys()]).toEqual(["__Host-ostiary_flow"]);
  });
});

describe("the language", () => {
  it("is the browser's, then the one chosen here, which stays", async () => {
    const visitor = site.visitor({ "accept-language": "zh-CN,zh;q=0.9" });
    const page = await visitor.open(`${site.base}/sign-in`);
    expect(page.body).toContain('<html lang="zh-CN"');
    const english = /href="([^"]*ui_locales=en)"/.exec(page.body)?.[1]?.replaceAll("&amp;", "&") ?? "";
    expect((await visitor.open(english)).body).toContain('<html lang="en"');
    expect((await visitor.open(`${site.base}/sign-out`)).body).toContain('<html lang="en"');
  });

  it("is the tenant's where the browser wants none that we have", async () => {
    const chinese = await aTenant(site.server, { locale: "zh-CN" });
    const bodyFor = async (language: string) =>
      (await chinese.visitor({ "accept-language": language }).open(`${chinese.base}/sign-in`)).body;
    expect(await bodyFor("fr")).toContain('<html lang="zh-CN"');
    expect(await bodyFor("en")).toContain('<html lang="en"');
  });
});

describe("addresses", () => {
  it("that lead nowhere say so: to people as a page, to programs as a problem", async () => {
    const page = await site.visitor().get("/no/such/page");
    expect([page.status, page.headers["content-type"]]).toEqual([404, "text/html; charset=utf-8"]);
    expect(page.body).toMatch(/Trace id.*[0-9a-f]{32}/);
    for (const [url, accept] of [
      ["/no/such/page", "application/json"],
      ["/api/v1/nothing", "text/html"],
    ] as const) {
      const answer = await site.server.app.inject({ url, headers: { accept } });
      expect(answer.headers["content-type"]).toContain("application/problem+json");
    }
  });

  it("of an unknown tenant are a page too", async () => {
    const page = await site.visitor().get("/t/nobody/sign-in");
    expect(page.status).toBe(404);
    expect(page.body).toContain("<h1>");
  });

  it("of the files are kept for ever; one of another version is not", async () => {
    for (const asset of [stylesheet, script]) {
      const answer = await site.server.app.inject({ url: asset.path });
      expect(answer.headers["cache-control"]).toContain("immutable");
      expect(answer.rawPayload.equals(asset.body)).toBe(true);
      const other = await site.server.app.inject({ url: asset.path.replace(/[0-9a-f]{12}/, "0".repeat(12)) });
      expect([other.statusCode, other.headers["cache-control"]]).toEqual([200, "no-cache"]);
    }
    for (const path of ["/pages/other.css", "/pages/..%2Findex.ts", "/pages/"]) {
      expect((await site.server.app.inject({ url: path })).statusCode, path).toBe(404);
    }
  });

  it("without a path lead to the account", async () => {
    expect((await site.visitor().get("/")).location).toBe("/account");
    expect((await site.visitor().get(`${site.base}/`)).location).toBe(`${site.base}/account`);
  });
});

describe("anything that may be sent", () => {
  const PATHS = [
    "/sign-in",
    "/sign-up",
    "/consent",
    "/sign-out",
    "/set-up",
    "/account",
    "/account/profile",
    "/account/password",
    "/account/sessions",
  ];
  const strange = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.constantFrom(
      "",
      "0".repeat(24),
      "__proto__",
      "toString",
      "a".repeat(9_000),
      "%",
      "\u202e",
      "<script>",
    ),
  );
  const names = fc.constantFrom(
    ...["flow", "csrf", "token", "identifier", "password", "passwordAgain", "username", "decision", "change"],
    ...[
      "session",
      "others",
      "notice",
      "ui_locales",
      "client_id",
      "post_logout_redirect_uri",
      "state",
      "__proto__",
    ],
  );
  const fields = fc.array(fc.tuple(names, strange), { maxLength: 8 });

  it("gets a page, and never an error of ours", async () => {
    await site.user("fuz");
    const signedIn = await site.signedIn("fuz");
    const page = await signedIn.open(`${site.base}/account/profile`);
    const { csrf = "" } = hiddenFields(page);
    const run = async (path: string, query: [string, string][], body: [string, string][] | null) => {
      const token: [string, string][] = path === "/sign-out" ? [] : [["csrf", csrf]]; // the session is needed to the end
      const cookie = [...signedIn.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      const answer = await site.server.app.inject({
        url: `${site.base}${path}?${new URLSearchParams(query)}`,
        headers: { accept: "text/html", cookie, "content-type": "application/x-www-form-urlencoded" },
        ...(body === null
          ? { method: "GET" }
          : { method: "POST", payload: new URLSearchParams([...token, ...body]).toString() }),
      });
      expect(answer.statusCode, `${path} ${JSON.stringify([query, body])}`).toBeLessThan(500);
      expect(answer.body).not.toContain("<script>");
    };
    await fc.assert(fc.asyncProperty(fc.constantFrom(...PATHS), fields, fc.option(fields), run), {
      numRuns: 300,
    });
    const { app } = site.server;
    for (const payload of [
      Buffer.from([0x66, 0x3d, 0xff]),
      Buffer.from("csrf=%00"),
      Buffer.from("a=1&a=2"),
    ]) {
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      const answer = await app.inject({ method: "POST", url: "/sign-in", headers, payload });
      expect(answer.statusCode).toBe(400);
    }
    const large = { "content-type": "application/x-www-form-urlencoded" };
    const payload = `a=${"b".repeat(200_000)}`;
    expect((await app.inject({ method: "POST", url: "/sign-in", headers: large, payload })).statusCode).toBe(
      413,
    );
  });
});

describe("the link of a fresh install", () => {
  it("sets the administrator's password, once", async () => {
    await using server = await aServer();
    const link = (await createSetUpLink(server.deps)) ?? "";
    const visitor = new Visitor(server.app);
    const page = await visitor.open(link);
    expect(page.body).toContain("Set the administrator");
    const short = await visitor.submit(page, { password: "short", passwordAgain: "short" });
    expect([short.status, alertOf(short)]).toEqual([
      400,
      "The password is too short. Use at least 8 characters.",
    ]);
    const differ = await visitor.submit(page, { password: PASSWORD, passwordAgain: "another" });
    expect(differ.status).toBe(400);
    const fields = { password: PASSWORD, passwordAgain: PASSWORD };
    expect((await new Visitor(server.app).submit(page, fields)).status).toBe(403);
    const signIn = await visitor.follow(visitor.submit(page, fields));
    expect(signIn.body).toContain("The password is set. Sign in with it.");
    expect(signIn.body).toContain('value="administrator"');
    const done = await visitor.submit(signIn, { identifier: "administrator", password: PASSWORD });
    expect(done.location).toBe("/account");
    const again = await visitor.open(link);
    expect([again.status, again.body.includes("This link no longer works")]).toEqual([404, true]);
  });

  it("works for one of two browsers", async () => {
    await using server = await aServer();
    const link = (await createSetUpLink(server.deps)) ?? "";
    const visitors = [new Visitor(server.app), new Visitor(server.app)];
    const opened = await Promise.all(
      visitors.map(async (visitor) => ({ visitor, page: await visitor.open(link) })),
    );
    const answers = await Promise.all(
      opened.map(({ visitor, page }) =>
        visitor.submit(page, { password: PASSWORD, passwordAgain: PASSWORD }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 404]);
  });
});
