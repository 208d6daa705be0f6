import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createApplication } from "../../packages/server/src/domain/applications/index.ts";
import { createUser } from "../../packages/server/src/domain/users/index.ts";
import { type Visit, Visitor } from "../../packages/server/src/pages/testing/visitor.ts";
import { aServer, type TestServer } from "../../packages/server/src/testing/a-server.ts";
import { contextOf } from "../../packages/server/src/testing/test-deps.ts";

const ORIGIN = "https://id.example.com";
const PASSWORD = "correct horse battery staple";
const EVIL = "evil.example";
const SESSION = "__Host-ostiary_session";

/** Where a browser could be sent by an address that is believed. */
const TARGETS = [
  `https://${EVIL}/`,
  `//${EVIL}`,
  `///${EVIL}`,
  `/\\${EVIL}`,
  `\\\\${EVIL}`,
  `https:${EVIL}`,
  `/%2f%2f${EVIL}`,
  `/\t/${EVIL}`,
  ` https://${EVIL}`,
  `${ORIGIN}@${EVIL}/`,
  `${ORIGIN}.${EVIL}/`,
  `javascript:alert("${EVIL}")`,
  `data:text/html,${EVIL}`,
];

/** Every name under which this server, or one that it stands in for, takes an address; and those that others use. */
const NAMES = [
  "c_url",
  "callback",
  "continue",
  "goto",
  "next",
  "page",
  "post_logout_redirect_uri",
  "r",
  "redirect",
  "redirect_uri",
  "RelayState",
  "resume",
  "return_to",
  "returnTo",
  "return_url",
  "service",
  "target",
  "target_link_uri",
  "url",
];

let server: TestServer;
let pages: string[];
let clientId: string;

beforeAll(async () => {
  server = await aServer({ config: { publicUrl: ORIGIN } });
  const context = contextOf(server.tenantId);
  await createUser(server.deps, context, { username: "ann", password: { plain: PASSWORD } });
  const { application } = await createApplication(server.deps, context, {
    slug: "shop",
    name: "Shop",
    redirectUris: ["https://shop.example.com/callback"],
    postLogoutRedirectUris: ["https://shop.example.com/bye"],
    allowedReturnOrigins: ["https://shop.example.com"],
  });
  clientId = application.id;
  pages = addressesOf(server.app.printRoutes({ commonPrefix: false, method: "GET" })).filter(
    (path) => !/^\/(?:api\/v1\/(?!docs)|t\/:tenant)/.test(path),
  );
});
afterAll(() => server[Symbol.asyncDispose]());

/** The addresses of the tree that Fastify prints. */
function addressesOf(tree: string): string[] {
  const parts: string[] = [];
  return tree.split("\n").flatMap((line) => {
    const found = /^(.*?)[├└]── (.*)$/.exec(line);
    if (!found) return [];
    const [, indent = "", rest = ""] = found;
    const [, part = "", methods] = /^(\S*)(?: \((.*)\))?$/.exec(rest) ?? [];
    parts.length = indent.length / 4;
    parts.push(part);
    return methods === undefined ? [] : [parts.join("").replace(/^\/\//, "/")];
  });
}

const withEveryName = (target: string) =>
  new URLSearchParams(Object.fromEntries(NAMES.map((name) => [name, target])));
const named = (path: string) => path.replaceAll(/:[a-z]+/gi, "0".repeat(24));
const browser = () => new Visitor(server.app, { "sec-fetch-site": "none" });

async function signedIn(identifier = "ann"): Promise<Visitor> {
  const visitor = browser();
  const page = await visitor.open("/sign-in");
  const done = await visitor.submit(page, { identifier, password: PASSWORD });
  expect(done.status).toBe(303);
  return visitor;
}

/** Fails when a browser that got this answer could end up at the evil host. */
function expectNoWayOut(visit: Visit, where: string): void {
  const hostOf = (address: string) => {
    // As browsers do: blanks at the ends and line breaks go, backslashes are slashes.
    const text = address
      .trim()
      .replaceAll(/[\t\n\r]/g, "")
      .replaceAll("\\", "/");
    return URL.canParse(text, ORIGIN) ? new URL(text, ORIGIN) : undefined;
  };
  const linked = [...visit.body.matchAll(/\s(?:href|action|src|formaction|content)="([^"]*)"/g)];
  for (const address of [visit.location, ...linked.map(([, text = ""]) => text.replaceAll("&amp;", "&"))]) {
    const url = hostOf(address);
    expect(url?.hostname.endsWith(EVIL) ?? false, `${where} leads to ${address}`).toBe(false);
    expect(/^(?:javascript|data):/.test(url?.protocol ?? "") && address.includes(EVIL), where).toBe(false);
  }
  expect(String(visit.headers.refresh ?? ""), where).not.toContain(EVIL);
}

it("knows the addresses of the server", () => {
  expect(pages.length).toBeGreaterThan(30);
  for (const path of ["/sign-in", "/account", "/oauth/authorize", "/api/v1/docs"])
    expect(pages).toContain(path);
});

// The others stay here: an escaped path, and an address that takes its host from ours (URL standard, "special relative").
it.each(TARGETS.filter((target) => !/^(?:\/%2f|data:|https:evil)/.test(target)))(
  "would notice a redirect or a link to %j",
  (target) => {
    const visit = { status: 303, headers: {}, body: "", location: target };
    expect(() => expectNoWayOut(visit, "")).toThrow();
    const body = `<a href="${target.replaceAll('"', "&quot;")}">`;
    expect(() => expectNoWayOut({ ...visit, location: "", body }, "")).toThrow();
  },
);

describe("no address that somebody passes on leads a browser away", () => {
  it.each([
    ["a visitor", browser],
    ["somebody signed in", () => signedIn()],
  ])("for %s, at any page and by any name", async (_, make) => {
    const visitor = await make();
    let asked = 0;
    for (const path of pages) {
      if (path.includes("sign-out") || path.includes("logout")) continue; // below, each with a session of its own
      for (const target of TARGETS) {
        const query = withEveryName(target);
        query.set("client_id", clientId);
        query.set("response_type", "code");
        const visit = await visitor.get(`${named(path)}?${query}`);
        expectNoWayOut(visit, `${path} with ${target}`);
        expect(visit.status, `${path} with ${target}`).toBeLessThan(500);
        asked++;
      }
    }
    expect(asked).toBeGreaterThan(300);
  });

  it("after a sign-in that began with it", async () => {
    for (const target of TARGETS) {
      const visitor = browser();
      const query = withEveryName(target);
      const page = await visitor.open(`/sign-in?${query}`);
      const done = await visitor.submit(page, { identifier: "ann", password: PASSWORD });
      expectNoWayOut(done, `signing in with ${target}`);
      expectNoWayOut(await visitor.follow(done), `signing in with ${target}`);
      expect(done.location, target).toMatch(/^\/(?!\/)/);
    }
  });

  it("after signing out", async () => {
    const paths = pages.filter((path) => path.includes("sign-out") || path.includes("logout"));
    expect(paths.length).toBeGreaterThan(0);
    for (const path of [...paths, "/oauth/end-session"]) {
      for (const target of TARGETS) {
        const visitor = await signedIn();
        const query = withEveryName(target);
        query.set("client_id", clientId);
        const page = await visitor.get(`${named(path)}?${query}`);
        expectNoWayOut(page, `${path} with ${target}`);
        expectNoWayOut(await visitor.follow(page), `${path} with ${target}`);
      }
    }
  }, 60_000);
});

describe("every page of the server", () => {
  it("cannot be put into a frame of others, nor taken for something else", async () => {
    const visitor = await signedIn();
    let seen = 0;
    for (const path of [...pages, "/nothing-here", "/t/no-such-tenant/sign-in"]) {
      const { headers, status } = await visitor.get(named(path));
      if (!String(headers["content-type"]).startsWith("text/html")) continue;
      seen++;
      const policy = String(headers["content-security-policy"]);
      expect(policy, path).toMatch(/frame-ancestors 'none'/);
      expect(policy, path).toMatch(/default-src 'none'/);
      expect(headers["x-content-type-options"], path).toBe("nosniff");
      expect(headers["cache-control"], path).toContain("no-store");
      expect(status, path).toBeLessThan(500);
    }
    expect(seen).toBeGreaterThan(15);
  });

  it("sets cookies that belong to this host alone, over https, out of reach of scripts", async () => {
    const visitor = browser();
    const raw: string[] = [];
    const note = (visit: Visit) => raw.push(...[visit.headers["set-cookie"] ?? []].flat());
    for (const path of pages) note(await visitor.get(named(path)));
    const page = await visitor.open("/sign-in");
    note(await visitor.submit(page, { identifier: "ann", password: PASSWORD }));
    const own = raw.filter((text) => text.includes("ostiary_"));
    expect(new Set(own.map((text) => text.split("=", 1)[0]))).toEqual(
      new Set(["__Host-ostiary_flow", "__Host-ostiary_session", "__Host-ostiary_device"]),
    );
    for (const text of own) {
      expect(text).toMatch(/; Path=\/(?:;|$)/);
      expect(text).toMatch(/; Secure/);
      expect(text).toMatch(/; HttpOnly/);
      expect(text).toMatch(/; SameSite=Lax/);
      expect(text).not.toMatch(/; Domain/i);
    }
  });
});

describe("a session cookie that somebody else has put into the browser", () => {
  it("is not known without its prefix: another host of the domain could have set it", async () => {
    const attacker = await signedIn();
    const victim = browser();
    victim.cookies.set("ostiary_session", attacker.cookies.get("__Host-ostiary_session") ?? "");
    expect((await victim.get("/account")).status).toBe(303);
  });

  it("is worth nothing to who put it there, once the person has signed in (session fixation)", async () => {
    await createUser(server.deps, contextOf(server.tenantId), {
      username: "mallory",
      password: { plain: PASSWORD },
    });
    const mallory = await signedIn("mallory");
    const planted = mallory.cookies.get(SESSION) ?? "";
    const victim = browser();
    // The sign-in was begun before the cookie was planted, so the page asks for the password.
    const page = await victim.open("/sign-in");
    victim.cookies.set(SESSION, planted);
    const done = await victim.submit(page, { identifier: "ann", password: PASSWORD });
    expect(done.status).toBe(303);
    expect(victim.cookies.get(SESSION)?.split(".")[0]).not.toBe(planted.split(".")[0]);
    expect((await victim.open("/account")).body).toContain("ann");
    const hers = await mallory.open("/account");
    expect(hers.body).not.toContain(">ann<");
    // Another person's sign-in ends the session that was there.
    expect((await mallory.get("/account")).status).toBe(303);
  });

  it("gets a new secret when the same person signs in again", async () => {
    const before = await signedIn();
    const old = before.cookies.get(SESSION) ?? "";
    const thief = browser();
    thief.cookies.set(SESSION, old);
    expect((await thief.get("/account")).status).toBe(200);
    const again = browser();
    const page = await again.open("/sign-in");
    again.cookies.set(SESSION, old);
    await again.submit(page, { identifier: "ann", password: PASSWORD });
    expect(again.cookies.get(SESSION)).not.toBe(old);
    expect((await again.get("/account")).status).toBe(200);
    expect((await thief.get("/account")).status).toBe(303);
  });
});
