import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "../../testing/a-database.ts";
import { contextOf, testDeps } from "../../testing/test-deps.ts";
import { createApplication } from "../applications/index.ts";
import type { Deps } from "../deps.ts";
import { createTenant, ensureDefaultTenant } from "../tenants/index.ts";
import { frameSourcesOf, type ReturnRules, returnAddressOf } from "./index.ts";

const RULES: ReturnRules = {
  hosts: ["exact.example.com", "port.example.com:8080", ".apps.example.com", "[::1]:8000", "127.0.0.1"],
  requireHttps: false,
};

let database: TestDatabase;
let deps: Deps;
let tenantId: string;
beforeAll(async () => {
  database = await aDatabase();
  deps = testDeps(database.database);
  tenantId = (await ensureDefaultTenant(deps)).id;
  await createApplication(deps, contextOf(tenantId), {
    slug: "shop",
    name: "Shop",
    allowedReturnOrigins: ["https://shop.example.org"],
  });
  await createApplication(deps, contextOf(tenantId), {
    slug: "closed",
    name: "Closed",
    status: "disabled",
    allowedReturnOrigins: ["https://closed.example.org"],
  });
});
afterAll(() => database?.[Symbol.asyncDispose]());

const read = (text: string, rules: Partial<ReturnRules> = {}) =>
  returnAddressOf(deps, tenantId, { ...RULES, ...rules }, text);

describe("the address to which a sign-in returns", () => {
  it.each([
    ["https://exact.example.com/a?b=c#d", "https://exact.example.com/a?b=c#d"],
    ["http://exact.example.com:9999/", "http://exact.example.com:9999/"],
    ["HTTPS://EXACT.EXAMPLE.COM/A", "https://exact.example.com/A"],
    ["https://exact.example.com", "https://exact.example.com/"],
    ["https://exact.example.com?x=1", "https://exact.example.com/?x=1"],
    ["http://port.example.com:8080/x", "http://port.example.com:8080/x"],
    ["https://apps.example.com/", "https://apps.example.com/"],
    ["https://a.b.apps.example.com:444/", "https://a.b.apps.example.com:444/"],
    ["http://[::1]:8000/", "http://[::1]:8000/"],
    [
      "http://127.0.0.1:5000/中文?q=空 格",
      "http://127.0.0.1:5000/%E4%B8%AD%E6%96%87?q=%E7%A9%BA%20%E6%A0%BC",
    ],
    ["https://shop.example.org/cart", "https://shop.example.org/cart"],
    ["/account?tab=1#x", "/account?tab=1#x"],
    ["/a/../b", "/b"],
    // Spellings of an allowed host, which are sent on as what they mean.
    ["https://exact．example．com/", "https://exact.example.com/"],
    ["https://ex\u00ADact.example.com/", "https://exact.example.com/"],
    ["https://%65xact.example.com/", "https://exact.example.com/"],
    ["https://exact.example.com:/", "https://exact.example.com/"],
    ["http://port.example.com:08080/", "http://port.example.com:8080/"],
    ["http://[0:0:0:0:0:0:0:1]:8000/", "http://[::1]:8000/"],
    ["http://0x7f.1/", "http://127.0.0.1/"],
    ["https://中文.apps.example.com/", "https://xn--fiq228c.apps.example.com/"],
    // What looks like a host in a path is none.
    ["/%2f%2fevil.example", "/%2f%2fevil.example"],
    ["/%252f%252fevil.example", "/%252f%252fevil.example"],
    ["/%5cevil.example", "/%5cevil.example"],
    ["/／／evil.example", "/%EF%BC%8F%EF%BC%8Fevil.example"],
    ["/me@evil.example", "/me@evil.example"],
    // What is somebody else's address in the query stays there.
    [
      "https://exact.example.com/?next=https://evil.example",
      "https://exact.example.com/?next=https://evil.example",
    ],
  ])("may be %s", async (text, understood) => {
    expect(await read(text)).toBe(understood);
  });

  it.each([
    ["another host", "https://evil.example/"],
    ["an allowed host as a user", "https://exact.example.com@evil.example/"],
    ["an allowed host as a user and password", "https://exact.example.com:443@evil.example/"],
    ["a user at an allowed host", "https://me@exact.example.com/"],
    ["an allowed host as a prefix", "https://exact.example.com.evil.example/"],
    ["an allowed host as a suffix", "https://evilexact.example.com/"],
    ["a suffix without its dot", "https://evilapps.example.com/"],
    ["another port", "http://port.example.com:8081/"],
    ["the port left out", "http://port.example.com/"],
    ["two slashes", "//evil.example/"],
    ["three slashes", "///evil.example/"],
    ["four slashes", "////evil.example/"],
    ["a slash and a backslash", "/\\evil.example/"],
    ["two backslashes", "\\\\evil.example/"],
    ["a backslash in the host", "https://evil.example\\.apps.example.com/"],
    ["a backslash after the scheme", "https:\\\\exact.example.com/"],
    ["a scheme without slashes", "https:evil.example"],
    ["an allowed host after a scheme without slashes", "https:exact.example.com"],
    ["a scheme with one slash", "https:/evil.example"],
    ["a scheme with three slashes", "https:///evil.example"],
    ["a scheme without a host", "https://"],
    ["a path that becomes a host", "/.//evil.example"],
    ["a path that becomes a host in two steps", "/a/..//evil.example"],
    ["an encoded path that becomes a host", "/%2e//evil.example"],
    ["a script", "javascript:alert(1)"],
    ["a script that looks like a host", "javascript://exact.example.com/%0aalert(1)"],
    ["data", "data:text/html,<script>alert(1)</script>"],
    ["another scheme", "ftp://exact.example.com/"],
    ["a file", "file:///etc/passwd"],
    ["a blank before it", " https://exact.example.com/"],
    ["a blank after it", "https://exact.example.com/ "],
    ["a tabulator in the scheme", "ht\ttps://evil.example/"],
    ["a tabulator between slashes", "/\t/evil.example/"],
    ["a line break between slashes", "/\n/evil.example/"],
    ["a line break and a header", "https://exact.example.com/\r\nSet-Cookie: a=b"],
    ["a control character before it", "\u0001https://exact.example.com/"],
    ["a null character", "https://exact.example.com\u0000.evil.example/"],
    ["a full-width dot and host", "https://evil．example/"],
    ["a full-width slash", "https://evil.example／.apps.example.com/"],
    ["an encoded at sign", "https://exact.example.com%40evil.example/"],
    ["an encoded slash in the host", "https://evil.example%2f.apps.example.com/"],
    ["an encoded backslash in the host", "https://evil.example%5c.apps.example.com/"],
    ["a hash before the host's end", "https://evil.example#.apps.example.com/"],
    ["a question mark before the host's end", "https://evil.example?.apps.example.com/"],
    ["a host with a dot at the end", "https://exact.example.com./"],
    ["an address of this machine as a number", "http://2130706434/"],
    ["an address of this machine in IPv6 and IPv4 at once", "http://[::ffff:127.0.0.1]/"],
    ["an address with a zone", "http://[::1%25lo]:8000/"],
    ["an address with more after it", "http://[::1].evil.example/"],
    ["an address of IPv6 with another port", "http://[::1]:8001/"],
    ["an address as the beginning of a name", "http://127.0.0.1.evil.example/"],
    ["an ideographic full stop after an allowed host", "https://exact.example.com。evil.example/"],
    ["an encoded full stop after an allowed host", "https://exact.example.com%2eevil.example/"],
    ["a full stop that is encoded twice", "https://exact.example.com%252eevil.example/"],
    ["a letter that looks like another", "https://exact.ex\u0430mple.com/"],
    ["an account-of sign, which becomes a slash", "https://evil.example℀.apps.example.com/"],
    ["a full-width colon", "https://exact.example.com：80/"],
    ["a full-width at sign", "https://exact.example.com＠evil.example/"],
    ["a full-width number sign", "https://evil.example＃.apps.example.com/"],
    ["a full-width question mark", "https://evil.example？.apps.example.com/"],
    ["a full-width backslash", "https://evil.example＼.apps.example.com/"],
    ["a sign that turns the direction", "https://\u202Eexact.example.com/"],
    ["a joiner that cannot be seen", "https://ex\u200Dact.example.com/"],
    ["a line separator", "https://exact.example.com\u2028/"],
    ["a byte order mark before it", "\uFEFFhttps://exact.example.com/"],
    ["broken Punycode", "https://xn--a-ecp.xn--zzzz--.apps.example.com。/"],
    ["an empty label before a domain", "https://.apps.example.com/"],
    ["an empty label within", "https://a..apps.example.com/"],
    ["two dots at the end", "https://apps.example.com../"],
    ["a dot at the end of a subdomain", "https://a.apps.example.com./"],
    ["a semicolon in the host", "https://evil.example;.apps.example.com/"],
    ["a comma in the host", "https://evil.example,.apps.example.com/"],
    ["a quote in the host", "https://evil.example'.apps.example.com/"],
    ["an ampersand in the host", "https://evil.example&.apps.example.com/"],
    ["a brace in the host", "https://evil.example{.apps.example.com/"],
    ["a port out of range", "https://exact.example.com:65536/"],
    ["two ports", "https://exact.example.com:80:443/"],
    ["a port that is none", "https://exact.example.com:80a/"],
    ["a password only", "https://:secret@exact.example.com/"],
    ["an empty user", "https://@exact.example.com/"],
    ["a path that becomes a host, half encoded", "/.%2e//evil.example"],
    ["a path that becomes a host, from above", "/%2e%2e//evil.example"],
    ["a script in mixed case", "JaVaScRiPt:alert(1)"],
    ["a script with a line break", "java\nscript:alert(1)"],
    ["a script with a leading blank", "\u00A0javascript:alert(1)"],
    ["data in base 64", "data:text/html;base64,PHNjcmlwdD4="],
    ["an object of a page", "blob:https://exact.example.com/0"],
    ["the source of a page", "view-source:https://exact.example.com/"],
    ["a page of the browser", "about:blank"],
    ["VBScript", "vbscript:msgbox(1)"],
    ["a socket", "wss://exact.example.com/"],
    ["half a character", "https://exact.example.com\uD83D.evil.example/"],
    ["a disabled application's origin", "https://closed.example.org/"],
    ["an application's origin with another port", "https://shop.example.org:444/"],
    ["an application's origin with another scheme", "http://shop.example.org/"],
    ["no path and no address", "cart"],
    ["nothing", ""],
    ["more than 2,048 characters", `https://exact.example.com/${"a".repeat(2_048)}`],
  ])("is never %s", async (_what, text) => {
    expect(await read(text)).toBeNull();
  });

  it("has https where the tenant wants that", async () => {
    expect(await read("http://exact.example.com/", { requireHttps: true })).toBeNull();
    expect(await read("https://exact.example.com/", { requireHttps: true })).not.toBeNull();
    expect(await read("/account", { requireHttps: true })).toBe("/account");
  });

  it("may be anywhere for `*`, but still only http and https", async () => {
    const anywhere = { hosts: ["*"] };
    expect(await read("https://evil.example/", anywhere)).toBe("https://evil.example/");
    expect(await read("javascript:alert(1)", anywhere)).toBeNull();
    expect(await read("https://a;b.example/", anywhere)).toBeNull();
    expect(await read("https://me@evil.example/", anywhere)).toBeNull();
  });

  it("is not what another tenant's application allows", async () => {
    const other = await createTenant(deps, contextOf(tenantId), { slug: "other", name: "Other" });
    expect(await returnAddressOf(deps, other.id, RULES, "https://shop.example.org/")).toBeNull();
  });

  it("is always a path of ours or an allowed host, whatever is put together, and means the same when read again", async () => {
    const pieces = [
      "https:",
      "http:",
      "javascript:",
      "data:",
      "/",
      "//",
      "\\",
      "@",
      ":",
      ":443",
      ":8080",
      "?",
      "#",
      ".",
      "..",
      "%2e",
      "%2f",
      "%5c",
      "%00",
      "%09",
      "%0a",
      "\t",
      "\n",
      " ",
      "\u00A0",
      "。",
      "／",
      "＠",
      "℀",
      "\u202E",
      "\uD800",
      ";",
      ",",
      "'",
      "[::1]",
      "127.0.0.1",
      "exact.example.com",
      ".apps.example.com",
      "a",
      "evil.example",
      "xn--",
      "中",
      "*",
      "",
    ];
    const hosts =
      /^(?:exact\.example\.com|127\.0\.0\.1|\[::1\]|port\.example\.com|(?:[\w.-]+\.)?apps\.example\.com)$/;
    let allowed = 0;
    const starts = fc.constantFrom("https://", "http://", "/", "");
    const parts = fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 6 });
    const property = fc.asyncProperty(starts, parts, async (start, rest) => {
      const text = start + rest.join("");
      const understood = await read(text);
      if (understood === null) return;
      allowed++;
      expect(understood, text).toMatch(/^[!-~]+$/);
      expect(understood, text).not.toMatch(/^[/\\]{2}/);
      const url = new URL(understood, "https://here.invalid");
      if (url.origin !== "https://here.invalid") expect(url.hostname, text).toMatch(hosts);
      expect(`${url.username}${url.password}`, text).toBe("");
      expect(await read(understood), text).toBe(understood);
    });
    await fc.assert(property, { numRuns: 3_000 });
    expect(allowed).toBeGreaterThan(100);
  });
});

it("nobody may frame a page because everybody may be returned to", () => {
  expect(frameSourcesOf(["*", "a.example", "b.example:81", ".c.example", "[::1]:8000"])).toEqual([
    "a.example:*",
    "b.example:81",
    "c.example:*",
    "*.c.example:*",
  ]);
});
