import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { script, stylesheet } from "./assets.ts";
import { LANGUAGES } from "./i18n.ts";
import { ATTACK, HOSTILE, LONG, NONCE, PLAIN, type SamplePage, samplePages } from "./testing/samples.ts";

interface Tag {
  name: string;
  attributes: Record<string, string>;
}

const TAG = /<(\/?[a-z][a-z0-9]*|!doctype)((?:\s+[a-zA-Z-]+(?:="[^"]*")?)*)\s*\/?>/g;

/** Start and end tags in order. What is left of a page without them must not contain a `<`: nothing slips through. */
function tagsOf(page: string): Tag[] {
  const content = page.replaceAll(/(<(style|script)[^>]*>)[^<]*/g, "$1");
  expect(content.replaceAll(TAG, "")).not.toMatch(/[<>]/);
  return [...content.matchAll(TAG)].map(([, name = "", attributes = ""]) => ({
    name,
    attributes: Object.fromEntries(
      [...attributes.matchAll(/([a-zA-Z-]+)(?:="([^"]*)")?/g)].map(([, key = "", value = ""]) => [
        key,
        value,
      ]),
    ),
  }));
}

function named(tags: Tag[], ...names: string[]): Tag[] {
  return tags.filter(({ name }) => names.includes(name));
}

const everyPage: [string, SamplePage][] = LANGUAGES.flatMap((language) =>
  [PLAIN, LONG, HOSTILE].flatMap((words, index) =>
    samplePages(language, words).map((sample): [string, SamplePage] => [
      `${sample.name}, ${language}, ${["plain", "long", "hostile"][index]}`,
      sample,
    ]),
  ),
);

function find(name: string): string {
  const sample = samplePages("en", PLAIN).find((candidate) => candidate.name === name);
  if (!sample) throw new Error(`no sample ${name}`);
  return sample.page;
}

describe.each(everyPage)("%s", (title, { page }) => {
  const tags = tagsOf(page);

  it("is a document in its language with one h1, one main and a title", () => {
    expect(tags[0]?.name).toBe("!doctype");
    expect(named(tags, "html")[0]?.attributes.lang).toBe(title.split(", ").at(-2));
    for (const name of ["h1", "main", "title"]) expect(named(tags, name), name).toHaveLength(1);
    expect(named(tags, "meta").some(({ attributes }) => attributes.name === "viewport")).toBe(true);
  });

  it("has a label for every control and an element for every reference", () => {
    const ids = tags.flatMap(({ attributes }) => (attributes.id === undefined ? [] : [attributes.id]));
    expect(new Set(ids).size).toBe(ids.length);
    const labelled = named(tags, "label").map(({ attributes }) => attributes.for);
    for (const { attributes } of named(tags, "input", "select")) {
      if (attributes.type === "hidden" || "hidden" in attributes) continue;
      expect(labelled).toContain(attributes.id);
      expect(attributes.autocomplete).toBeTruthy();
    }
    for (const { attributes } of tags)
      for (const reference of [
        ...(attributes["aria-describedby"]?.split(" ") ?? []),
        ...[attributes.for, attributes["aria-controls"], attributes.list].filter((id) => id !== undefined),
        ...(attributes.href?.startsWith("#") ? [attributes.href.slice(1)] : []),
      ])
        expect(ids).toContain(reference);
  });

  it("keeps to the content security policy", () => {
    for (const { name, attributes } of tags) {
      expect(Object.keys(attributes).filter((key) => key === "style" || key.startsWith("on"))).toEqual([]);
      if (name === "script" || name === "style") expect(attributes.nonce).toBe(NONCE);
      if (attributes.href !== undefined) expect(attributes.href).not.toMatch(/^\s*javascript:/i);
      if (name === "img") expect(attributes.src).toMatch(/^(https:|data:image\/|\/)/);
    }
  });

  it("never sends a secret back, and posts every form of ours with its token", () => {
    for (const { attributes } of named(tags, "input"))
      if (attributes.type === "password") expect(attributes).not.toHaveProperty("value");
    const forms = named(tags, "form").filter(({ attributes }) => !("data-auto" in attributes));
    expect(forms.every(({ attributes }) => attributes.method === "post")).toBe(true);
    expect(named(tags, "input").filter(({ attributes }) => attributes.name === "csrf")).toHaveLength(
      forms.length,
    );
  });

  it("focuses one thing at most: the summary when there are errors", () => {
    const focused = tags.filter(({ attributes }) => "autofocus" in attributes);
    const alert = tags.find(({ attributes }) => attributes.role === "alert");
    expect(focused.length).toBeLessThanOrEqual(1);
    if (alert) expect(focused[0]).toBe(alert);
  });

  it("weighs under 30 kB with its style sheet and script, as a browser receives them", () => {
    const bytes = [Buffer.from(page), stylesheet.body, script.body].map((part) => gzipSync(part).length);
    expect(bytes.reduce((sum, size) => sum + size)).toBeLessThan(30_000);
    expect(Buffer.byteLength(page)).toBeLessThan(30_000);
  });
});

describe("hostile names", () => {
  const logoUrl = "https://example.com/logo.png";
  const plain = samplePages("en", { ...PLAIN, logoUrl });
  const hostile = samplePages("en", HOSTILE);

  it.each(plain.map((sample, index) => [sample.name, index] as const))(
    "change no tag and no attribute's name in %s",
    (_name, index) => {
      const shape = (page: string | undefined) =>
        tagsOf(page ?? "").map(({ name, attributes }) => [name, ...Object.keys(attributes)].join(" "));
      const selected = (line: string) =>
        line !== "option value" && line !== "option value selected" && line !== "/option";
      expect(shape(hostile[index]?.page).filter(selected)).toEqual(
        shape(plain[index]?.page).filter(selected),
      );
    },
  );

  it("are shown as they are", () => {
    const escaped = `"><img src=x onerror=alert(1)>`
      .replaceAll('"', "&quot;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;");
    expect(ATTACK).toContain("<script>");
    for (const { name, page } of hostile) expect(page, name).toContain(escaped);
  });
});

describe("the sign-in page", () => {
  const inputs = (page: string) =>
    Object.fromEntries(named(tagsOf(page), "input").map(({ attributes }) => [attributes.name, attributes]));

  it("has the fixed names, and what password managers look for", () => {
    const { identifier, password, flow, csrf } = inputs(find("sign-in"));
    expect(identifier).toMatchObject({ autocomplete: "username", autocapitalize: "none", autofocus: "" });
    expect(password).toMatchObject({ type: "password", autocomplete: "current-password" });
    expect(flow?.type).toBe("hidden");
    expect(csrf?.type).toBe("hidden");
  });

  it("keeps the identifier after a rejection, and asks for the password again", () => {
    const page = find("sign-in rejected");
    expect(inputs(page).identifier?.value).toBe(PLAIN.email);
    expect(page).toMatch(/role="alert"[^>]*>\s*<p>That name or password is not right/);
    expect(page).toContain("<title>Error: Sign in");
  });

  it("asks only for the identifier first, and then keeps it beside the password", () => {
    expect(inputs(find("sign-in identifier"))).not.toHaveProperty("password");
    const second = inputs(find("sign-in password"));
    expect(second.identifier).toMatchObject({ value: PLAIN.email, readonly: "" });
    expect(second.password).toBeDefined();
  });

  it("offers an account only where sign-up is open", () => {
    expect(find("sign-in")).toContain('href="/sign-up?flow=1"');
    expect(find("sign-in locked")).not.toContain("/sign-up");
  });

  it("keeps the flow when the language is switched", () => {
    expect(find("sign-in")).toContain(`href="/sign-in?flow=${PLAIN.value}&amp;ui_locales=zh-CN"`);
  });
});

it("ties each error to its field, in the summary and below the input", () => {
  const page = find("sign-up errors");
  expect(page).toContain('<a href="#email">');
  expect(page).toMatch(/<input id="email"[^>]*aria-describedby="email-error" aria-invalid="true"/);
  expect(page).toMatch(/<input id="password"[^>]*aria-describedby="password-help password-error"/);
  expect(page).toContain("Use at least 8 characters.");
});

it("asks for new passwords as new ones", () => {
  const autocomplete = (page: string) =>
    named(tagsOf(page), "input").flatMap(({ attributes }) =>
      attributes.type === "password" ? attributes.autocomplete : [],
    );
  expect(autocomplete(find("sign-up"))).toEqual(["new-password"]);
  expect(autocomplete(find("account password"))).toEqual([
    "current-password",
    "new-password",
    "new-password",
  ]);
  expect(autocomplete(find("administrator password"))).toEqual(["new-password", "new-password"]);
});

it("says the scopes in words, and the name of one it does not know", () => {
  const page = find("consent");
  expect(page).toContain("see your e-mail address");
  expect(page).toContain(`<code>${PLAIN.scope}</code>`);
  expect(page).toContain(PLAIN.scopeDescription);
  expect(page).toMatch(/name="decision" value="allow"/);
  expect(page).toMatch(/name="decision" value="deny"/);
});

it("offers to end every session but the one that asks, and to choose how long they last", () => {
  const buttons = (page: string) =>
    named(tagsOf(find(page)), "button").map(({ attributes: { name, value } }) => `${name}=${value}`);
  expect(buttons("account sessions")).toEqual(["session=two", "session=three", "others=1", "keep=0"]);
  expect(buttons("account one session")).toEqual(["keep=1"]);
});

it("hands the answer over without script too", () => {
  const page = find("form post");
  expect(page).toMatch(/<noscript><button type="submit"/);
  expect(page).toContain(`<input type="hidden" name="code" value="${PLAIN.value}">`);
  expect(page).toMatch(new RegExp(`<script nonce="${NONCE}">[^<]*submit`));
});

it("names its files by their content", () => {
  expect(stylesheet.path).toMatch(/^\/pages\/ostiary\.[0-9a-f]{12}\.css$/);
  expect(script.path).toMatch(/^\/pages\/ostiary\.[0-9a-f]{12}\.js$/);
});
