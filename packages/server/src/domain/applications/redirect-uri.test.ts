import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isRedirectUri, isReturnOrigin } from "./redirect-uri.ts";

describe("a redirect URI (RFC 6749 §3.1.2, RFC 8252 §7)", () => {
  it.each([
    "https://shop.example.com/callback",
    "https://shop.example.com:8443/a?b=c&d=%20",
    "https://shop.example.com",
    "http://127.0.0.1:9001/callback",
    "http://[::1]:9001/callback",
    "http://localhost/callback",
    "com.example.app:/callback",
    "com.example.app://callback/x",
  ])("may be %s", (uri) => {
    expect(isRedirectUri(uri)).toBe(true);
  });

  it.each([
    ["http to another host", "http://shop.example.com/callback"],
    ["http to a host that only begins like the loopback", "http://127.0.0.1.example.com/"],
    ["localhost as a user", "http://localhost@evil.example/"],
    ["a fragment", "https://shop.example.com/#token"],
    ["an empty fragment", "https://shop.example.com/#"],
    ["a wildcard", "https://*.example.com/callback"],
    ["a user", "https://user@shop.example.com/"],
    ["an empty user", "https://@shop.example.com/"],
    ["a user and a password", "https://user:secret@shop.example.com/"],
    ["a script", "javascript:alert(1)"],
    ["a script in capitals", "JavaScript:alert(1)"],
    ["a document", "data:text/html,x"],
    ["a file", "file:///etc/passwd"],
    ["a scheme without a dot", "myapp://callback"],
    ["no scheme", "/callback"],
    ["a network path", "//shop.example.com/callback"],
    ["a backslash", "https://shop.example.com\\@evil.example/"],
    ["slashes that the parser adds", "https:shop.example.com/"],
    ["three slashes", "https:///shop.example.com/"],
    ["a blank", "https://shop.example.com/a b"],
    ["a line break", "https://shop.example.com/\n"],
    ["other letters", "https://shöp.example.com/"],
    ["nothing", ""],
  ])("has not %s", (_what, uri) => {
    expect(isRedirectUri(uri)).toBe(false);
  });

  it("is never refused with an exception", () => {
    fc.assert(fc.property(fc.string(), (text) => typeof isRedirectUri(text) === "boolean"));
    fc.assert(fc.property(fc.webUrl(), (text) => typeof isRedirectUri(text) === "boolean"));
  });
});

describe("a return origin (RFC 6454 §6.2)", () => {
  it("is scheme, host and port, exactly as a browser writes it", () => {
    expect(isReturnOrigin("https://shop.example.com")).toBe(true);
    expect(isReturnOrigin("http://127.0.0.1:9001")).toBe(true);
    for (const wrong of [
      "https://shop.example.com/",
      "https://shop.example.com:443",
      "https://Shop.example.com",
      "http://shop.example.com",
      "com.example.app:",
      "null",
      // In the policy of a page that it may frame, these would begin another directive.
      "https://a;sandbox",
      "https://a,sandbox",
      "https://a'",
      "https://.example.com",
    ]) {
      expect(isReturnOrigin(wrong), wrong).toBe(false);
    }
  });
});
