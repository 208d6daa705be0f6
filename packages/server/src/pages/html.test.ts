import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { attributes, html, imageUrl, linkUrl, raw } from "./html.ts";

describe("html", () => {
  it("escapes what stands in a hole, in content and in attributes", () => {
    expect(html`<p title="${`"'`}">${"<b>&"}</p>`.toString()).toBe(
      `<p title="&quot;&#39;">&lt;b&gt;&amp;</p>`,
    );
  });

  it("keeps markup that it made itself, also in lists", () => {
    expect(html`<ul>${["<", ">"].map((text) => html`<li>${text}</li>`)}</ul>`.toString()).toBe(
      "<ul><li>&lt;</li><li>&gt;</li></ul>",
    );
  });

  it("leaves out false, null and undefined, and writes zero", () => {
    expect(html`${false}${null}${undefined}${0}${raw("<br>")}`.toString()).toBe("0<br>");
  });

  it("does not take an object for markup because it looks like it", () => {
    const forged = { toString: () => "<script>" } as unknown as string;
    expect(() => html`${forged}`.toString()).toThrow();
  });

  it("writes attributes by their kind", () => {
    expect(
      attributes({ id: `a"b`, required: true, hidden: false, list: undefined, maxlength: 8 }).toString(),
    ).toBe(` id="a&quot;b" required maxlength="8"`);
  });

  it("has quotes around every attribute's hole in the sources", () => {
    const directory = new URL(".", import.meta.url);
    for (const name of readdirSync(directory).filter((file) => file.endsWith(".page.ts")))
      expect(readFileSync(new URL(name, directory), "utf8"), name).not.toMatch(/<[^>]*=\$\{/);
  });
});

describe("linkUrl and imageUrl", () => {
  it.each([
    "javascript:alert(1)",
    " JavaScript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "http://[",
  ])("refuse %j", (text) => {
    expect(linkUrl(text)).toBeNull();
    expect(imageUrl(text)).toBeNull();
  });

  it("let https and paths of this server pass", () => {
    for (const text of ["https://example.com/a", "/account"]) {
      expect(linkUrl(text)).toBe(text);
      expect(imageUrl(text)).toBe(text);
    }
  });

  it("let http be a link but no image, as the content security policy has it", () => {
    expect(linkUrl("http://127.0.0.1:9001/")).toBe("http://127.0.0.1:9001/");
    expect(imageUrl("http://127.0.0.1:9001/logo.png")).toBeNull();
    expect(imageUrl("data:image/png;base64,AAAA")).toBe("data:image/png;base64,AAAA");
  });
});
