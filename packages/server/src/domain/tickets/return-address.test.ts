import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "../../testing/a-database.ts";
import { contextOf, testDeps } from "../../testing/test-deps.ts";
import { createApplication } from "../applications/index.ts";
import type { Deps } from "../deps.ts";
import { createTenant, ensureDefaultTenant } from "../tenants/index.ts";
import { type ReturnRules, returnAddressOf } from "./index.ts";

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
    expect(await read("https://me@evil.example/", anywhere)).toBeNull();
  });

  it("is not what another tenant's application allows", async () => {
    const other = await createTenant(deps, contextOf(tenantId), { slug: "other", name: "Other" });
    expect(await returnAddressOf(deps, other.id, RULES, "https://shop.example.org/")).toBeNull();
  });
});
