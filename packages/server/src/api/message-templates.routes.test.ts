import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { anApi, type TestApi } from "../testing/an-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await anApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const PATH = "/message-templates/sign-in-code/email/fr";
const WORDS = { subject: "Code {{code}}", text: "Votre code :\n\n{{code}}" };

interface Template {
  template: string;
  channel: string;
  locale: string;
  isOwn: boolean;
  placeholders: string[];
}

describe("message templates", () => {
  it("are listed, written, seen and taken back", async () => {
    const before = (await api.call("GET", "/message-templates")).json<{ items: Template[] }>().items;
    expect(before.every(({ isOwn }) => !isOwn)).toBe(true);
    expect(before.filter(({ template }) => template === "magic-link").map(({ locale }) => locale)).toEqual([
      "en",
      "zh-CN",
      "es",
    ]);
    const written = await api.call("PUT", PATH, WORDS);
    expect(written.statusCode, written.body).toBe(200);
    expect(written.json()).toMatchObject({ ...WORDS, locale: "fr", isOwn: true, html: null });
    const preview = await api.call("POST", "/message-templates/preview", {
      template: "sign-in-code",
      channel: "email",
      locale: "fr-CA",
    });
    expect(preview.json()).toMatchObject({ subject: "Code 482913", text: "Votre code :\n\n482913" });
    expect((await api.call("DELETE", PATH)).statusCode).toBe(204);
    const gone = await api.call("DELETE", PATH);
    expect(gone.json()).toMatchObject({ status: 404, code: "message_template.not_found" });
  });

  it.each([
    ["PUT", "/message-templates/no-such-message/email/en", WORDS],
    ["PUT", "/message-templates/locked/fax/en", WORDS],
    ["PUT", "/message-templates/locked/email/not%20a%20tag", WORDS],
    ["PUT", "/message-templates/locked/email/%00", WORDS],
    ["PUT", PATH, { ...WORDS, subject: "two\r\nBcc: lines" }],
    ["PUT", PATH, { ...WORDS, subject: "" }],
    ["PUT", PATH, { ...WORDS, text: "x".repeat(5_001) }],
    ["PUT", PATH, { ...WORDS, text: "a\u0000b" }],
    ["PUT", PATH, { ...WORDS, text: "{{constructor}}" }],
    ["PUT", PATH, { ...WORDS, html: 7 }],
    ["PUT", PATH, { text: "without a subject" }],
    ["PUT", PATH, { ...WORDS, more: true }],
    ["PUT", PATH, []],
    ["POST", "/message-templates/preview", { template: "locked" }],
    ["POST", "/message-templates/preview", { template: "__proto__", channel: "email", locale: "en" }],
  ] as const)("refuse bad input: %s %s %j", async (method, path, body) => {
    const answer = await api.call(method, path, body);
    if (JSON.stringify(body).includes('"{{code"'))
      expect(answer.statusCode).toBe(200); // no placeholder, just braces
    else {
      expect(answer.statusCode, answer.body).toBeGreaterThanOrEqual(400);
      expect(answer.statusCode, answer.body).toBeLessThan(500);
    }
  });

  it("of a language with an impossible tag are shown all the same", async () => {
    const preview = await api.call("POST", "/message-templates/preview", {
      template: "new-device",
      channel: "email",
      locale: "en-u",
      words: { subject: "x", text: "{{time}}", html: "<p>{{time}}</p>" },
    });
    expect(preview.statusCode, preview.body).toBe(200);
  });
});

describe("signing everybody out of an application", () => {
  it("answers how many, once for each key, and 404 where there is none", async () => {
    const made = await api.call("POST", "/applications", { slug: "shop", name: "Shop" });
    const path = `/applications/${made.json<{ id: string }>().id}/sessions/revoke`;
    const headers = { "idempotency-key": "one" };
    expect((await api.call("POST", path, undefined, headers)).json()).toEqual({ revoked: 0 });
    const again = await api.call("POST", path, undefined, headers);
    expect(again.headers["idempotent-replayed"]).toBe("true");
    const missing = await api.call("POST", `/applications/${"0".repeat(24)}/sessions/revoke`);
    expect(missing.json()).toMatchObject({ status: 404, code: "application.not_found" });
  });
});
