import type { MessageTemplateName } from "@ostiary/contracts";
import { MESSAGE_TEMPLATE_NAMES, MESSAGE_TEMPLATES } from "@ostiary/contracts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ChangeFeed } from "../../kernel/changes.ts";
import type { MessageSender } from "../../kernel/ports.ts";
import { contextOf } from "../../testing/test-deps.ts";
import { type TwoTenants, twoTenants } from "../../testing/two-tenants.ts";
import { type Deps, within } from "../deps.ts";
import { finishOutgoing } from "../outgoing/index.ts";
import { updateSettings } from "../tenants/index.ts";
import {
  deleteMessageTemplate,
  listMessageTemplates,
  type Notification,
  notify,
  previewMessageTemplate,
  writeMessageTemplate,
} from "./index.ts";
import { placeholdersIn, renderMessage } from "./render.ts";
import { BUILT_IN_LOCALES, builtInWords, chooseLocale } from "./words.ts";

type Mail = Parameters<MessageSender["sendMail"]>[0];

let world: TwoTenants;
let deps: Deps;
let sent: Mail[];
let failures: number;

beforeAll(async () => {
  world = await twoTenants();
  const take = async (message: Mail) => {
    if (failures-- > 0) throw new Error("421 try again");
    sent.push(message);
  };
  deps = { ...world.deps, sender: { sendMail: take, sendSms: (sms) => take({ subject: "", ...sms }) } };
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(() => {
  sent = [];
  failures = 0;
});

const tenant = () => ({ id: world.context.tenantId });
const code = (to: string | null): Notification => ({
  template: "sign-in-code",
  channel: "email",
  to,
  locale: null,
  values: { code: "482913", minutes: 10 },
});
const notice = (device: string): Notification => ({
  template: "new-device",
  channel: "email",
  to: "ann@example.com",
  locale: "en-GB",
  values: { device, ip: "192.0.2.7", time: new Date("2026-01-01T12:30:00Z") },
});
const stored = async () =>
  (await world.database.query<{ sealed: Buffer }>("select sealed_payload as sealed from outgoing_messages"))
    .length;

describe("a message", () => {
  it("with a code is sent in the background and kept no longer", async () => {
    await notify(deps, world.context, tenant(), code("ann@example.com"));
    await finishOutgoing(deps);
    expect(await stored()).toBe(0);
    expect(sent).toMatchObject([
      { to: "ann@example.com", subject: "482913 is your code for Default", tenantId: world.context.tenantId },
    ]);
    expect(sent[0]?.html).toContain("<strong>482913</strong>");
  });

  it("with a code to nobody costs the same statements, at once and later, and sends nothing", async () => {
    const work: string[][] = [];
    for (const to of ["ann@example.com", null]) {
      const statements: string[] = [];
      const query: Deps["database"]["query"] = (text, values) => {
        statements.push(text);
        return world.database.query(text, values);
      };
      const transaction: Deps["database"]["transaction"] = (run) => world.database.transaction(run);
      const watched: Deps = { ...deps, database: { query, transaction }, feed: new ChangeFeed() };
      await notify(watched, world.context, tenant(), code(to));
      const asked = [...statements];
      await finishOutgoing(watched);
      expect(asked.filter((text) => text.startsWith("insert into outgoing_messages"))).toHaveLength(1);
      expect(await stored()).toBe(0);
      // Words are looked up where there is somebody to read them, long after the answer.
      work.push([...new Set(statements)].filter((text) => !text.includes("message_templates")).sort());
    }
    expect(work[0]).toEqual(work[1]);
    expect(sent).toHaveLength(1);
  });

  it("with a code is readable to nobody while it waits, and comes only while the code works", async () => {
    failures = 1;
    await notify(deps, world.context, tenant(), code("ann@example.com"));
    await finishOutgoing(deps);
    const [row] = await world.database.query<{ sealed: Buffer }>(
      "select sealed_payload as sealed from outgoing_messages",
    );
    expect(row?.sealed.toString("latin1")).not.toMatch(/482913|ann@example/);
    world.clock.advance(600);
    await finishOutgoing(deps);
    expect([sent.length, await stored()]).toEqual([0, 0]);
    const [event] = await world.database.query<{ reason: string; data: object }>(
      "select reason, data from events where type = 'message.given_up' order by id desc limit 1",
    );
    expect(event?.reason).toBe("expired before it could be sent");
    expect(JSON.stringify(event)).not.toContain("482913");
  });

  it("with a code that every process dies of is tried five times at most", async () => {
    let tries = 0;
    const hang = () => {
      tries++;
      return new Promise<void>(() => {});
    };
    const dying = (): Deps => ({
      ...deps,
      sender: { sendMail: hang, sendSms: hang },
      feed: new ChangeFeed(),
    });
    await notify(dying(), world.context, tenant(), code("ann@example.com"));
    for (let i = 1; i <= 4; i++) {
      await expect.poll(() => tries).toBe(i);
      world.clock.advance(121);
      await notify(dying(), world.context, tenant(), code(null)); // a process that looks
    }
    await expect.poll(() => tries).toBe(5);
    world.clock.advance(121);
    await finishOutgoing(deps);
    expect([sent.length, await stored()]).toEqual([0, 0]);
  });

  it("waits for the transaction that decided it, and goes with it", async () => {
    const ends = deps.database.transaction(async (tx) => {
      const joined = within(deps, tx);
      await notify(joined, world.context, tenant(), notice("Firefox"));
      await notify(joined, world.context, tenant(), code("ann@example.com"));
      throw new Error("rolled back");
    });
    await expect(ends).rejects.toThrow("rolled back");
    await finishOutgoing(deps);
    expect(sent).toEqual([]);
    await deps.database.transaction(async (tx) => {
      await notify(within(deps, tx), world.context, tenant(), notice("Firefox"));
      await notify(within(deps, tx), world.context, tenant(), code("ann@example.com"));
      expect(sent).toEqual([]);
    });
    await finishOutgoing(deps);
    expect(sent).toHaveLength(2);
    expect(await stored()).toBe(0);
  });

  it("that is stored is sent again until it is taken, and is readable to nobody meanwhile", async () => {
    failures = 2;
    await notify(deps, world.context, tenant(), notice("Firefox on Linux"));
    await finishOutgoing(deps);
    expect(sent).toEqual([]);
    const [row] = await world.database.query<{ sealed: Buffer }>(
      "select sealed_payload as sealed from outgoing_messages",
    );
    expect(row?.sealed.includes("ann@example.com")).toBe(false);
    for (const seconds of [3, 10]) {
      world.clock.advance(seconds);
      await finishOutgoing(deps);
    }
    expect(sent).toHaveLength(1);
    expect(sent[0]?.text).toContain("January 1, 2026 at 12:30 UTC");
    expect(await stored()).toBe(0);
  });

  it("that a process was sending when it was killed is sent by another", async () => {
    const hanging: Deps = {
      ...deps,
      sender: { ...deps.sender, sendMail: () => new Promise(() => {}) },
      feed: new ChangeFeed(),
    };
    await notify(hanging, world.context, tenant(), notice("Firefox"));
    await expect.poll(async () => (await attempts())[0]).toBe(1);
    await finishOutgoing(deps);
    expect(sent).toEqual([]);
    world.clock.advance(121);
    await notify(deps, world.context, tenant(), notice("Safari"));
    await finishOutgoing(deps);
    expect(sent).toHaveLength(2);
  });

  it("that nobody takes for a day is given up, and the audit log says so without its words", async () => {
    failures = Number.POSITIVE_INFINITY;
    await notify(deps, world.context, tenant(), notice("Firefox"));
    for (let tried = 0; tried < 100 && (await stored()) > 0; tried++) {
      const [next] = await world.database.query<{ at: Date }>(
        "select min(next_attempt_at) as at from outgoing_messages",
      );
      world.clock.advance(Math.max(0, Math.ceil((Number(next?.at) - world.clock.now().getTime()) / 1_000)));
      await finishOutgoing(deps);
    }
    expect(await stored()).toBe(0);
    const [event] = await world.database.query<{ data: object; reason: string }>(
      "select data, reason from events where type = 'message.given_up' order by id desc limit 1",
    );
    expect(event).toEqual({
      data: { kind: "email", template: "new-device", to: "a***@example.com" },
      reason: "421 try again",
    });
  });
});

const attempts = async () =>
  (await world.database.query<{ attempts: number }>("select attempts from outgoing_messages")).map(
    (row) => row.attempts,
  );

describe("the words", () => {
  it.each(BUILT_IN_LOCALES)("exist in %s for every message, and name no value that it has not", (locale) => {
    for (const template of MESSAGE_TEMPLATE_NAMES) {
      const known = new Set<string>([...MESSAGE_TEMPLATES[template], "brand", "site"]);
      const mail = builtInWords(template, "email", locale);
      const sms = builtInWords(template, "sms", locale);
      expect(mail, template).toBeDefined();
      expect(sms === undefined).toBe(builtInWords(template, "sms", "en") === undefined);
      for (const text of [mail?.subject, mail?.text, sms?.text]) {
        for (const name of placeholdersIn(text ?? "")) expect(known, template).toContain(name);
      }
      const needed = MESSAGE_TEMPLATES[template].filter((name) => name === "code" || name === "link");
      for (const name of needed) expect(placeholdersIn(mail?.text ?? "")).toContain(name);
      expect(sms?.text.length ?? 0).toBeLessThan(160);
    }
  });

  it("are the person's language, else the tenant's, else English", () => {
    const has = ["en", "zh-CN", "es"];
    expect(chooseLocale(["zh-cn"], has)).toBe("zh-CN");
    expect(chooseLocale(["zh-Hant-TW", "es"], has)).toBe("zh-CN");
    expect(chooseLocale(["fr", "es-MX"], has)).toBe("es");
    expect(chooseLocale(["fr", null], has)).toBe("en");
  });

  it("are the tenant's own where it has set some, in any language, until it goes back", async () => {
    const key = { template: "sign-in-code", channel: "email", locale: "fr" } as const;
    const text = "Votre code :\n\n{{code}}\n\n{{brand}}";
    await writeMessageTemplate(deps, world.context, key, { subject: "Code {{code}}", text });
    await updateSettings(deps, world.context, { branding: { displayName: "Exämple <Ltd>" } });
    await notify(deps, world.context, tenant(), {
      ...code("ann@example.com"),
      locale: "fr-CA",
    } as Notification);
    await finishOutgoing(deps);
    expect(sent[0]).toMatchObject({
      subject: "Code 482913",
      text: "Votre code :\n\n482913\n\nExämple <Ltd>",
    });
    expect(sent[0]?.html).toContain("Exämple &lt;Ltd&gt;");
    expect((await listMessageTemplates(deps, world.context)).filter(({ isOwn }) => isOwn)).toMatchObject([
      key,
    ]);
    expect((await listMessageTemplates(deps, world.foreign)).filter(({ isOwn }) => isOwn)).toEqual([]);
    await deleteMessageTemplate(deps, world.context, key);
    await expect(deleteMessageTemplate(deps, world.context, key)).rejects.toMatchObject({
      code: "message_template.not_found",
    });
  });

  it("of a tenant may name only values that the message has", async () => {
    const key = { template: "new-device", channel: "email", locale: "en" } as const;
    const write = (words: { subject?: string; text: string; html?: string }) =>
      writeMessageTemplate(deps, world.context, key, words);
    await expect(write({ subject: "x", text: "{{code}}" })).rejects.toMatchObject({
      fields: [{ path: "/text" }],
    });
    await expect(write({ subject: "{{ ip }}", text: "x" })).rejects.toMatchObject({
      fields: [{ path: "/subject" }],
    });
    await expect(write({ text: "x" })).rejects.toMatchObject({ fields: [{ path: "/subject" }] });
    const sms = { template: "magic-link", channel: "sms", locale: "en" } as const;
    await expect(writeMessageTemplate(deps, world.context, sms, { text: "{{link}}" })).rejects.toMatchObject({
      code: "message_template.not_found",
    });
  });

  it("need settings:read to be seen and settings:write to be changed", async () => {
    const key = { template: "locked", channel: "email", locale: "en" } as const;
    const reader = contextOf(world.context.tenantId, { permissions: new Set(["settings:read"]) });
    const nobody = contextOf(world.context.tenantId, { permissions: new Set() });
    const denied = { code: "permission.denied" };
    await expect(listMessageTemplates(deps, nobody)).rejects.toMatchObject(denied);
    await expect(previewMessageTemplate(deps, nobody, key)).rejects.toMatchObject(denied);
    await expect(writeMessageTemplate(deps, reader, key, { subject: "x", text: "x" })).rejects.toMatchObject(
      denied,
    );
    await expect(deleteMessageTemplate(deps, reader, key)).rejects.toMatchObject(denied);
    expect((await previewMessageTemplate(deps, reader, key)).text).toContain("203.0.113.7");
  });
});

describe("values", () => {
  const words = { subject: "New: {{device}}", text: "{{device}}\n\n{{factor}}\n\n{{code}}", html: null };

  it("cannot begin a header line, turn the direction of text, or be endless", () => {
    const device = `x\r\nBcc: all@example.com\u202e\0${"y".repeat(500)}`;
    const { subject, text } = renderMessage(words, "en", { device });
    expect(subject).toMatch(/^New: x Bcc: all@example\.com y+$/);
    expect(subject?.length).toBeLessThan(210);
    expect(text.split("\n\n")[0]).not.toMatch(/\r|\n|\0/);
  });

  it("cannot become markup, in generated and in own HTML", () => {
    const device = `<img src=x onerror="alert('1')">&`;
    const escaped = "&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;";
    const generated = renderMessage(words, "en", { device });
    expect(generated.html).toContain(escaped);
    expect(generated.html).not.toContain("<img");
    const own = renderMessage({ ...words, html: '<b title="{{device}}">{{device}}</b>' }, "en", { device });
    expect(own.html).toContain(`<b title="${escaped}">${escaped}</b>`);
  });

  it("that look like placeholders stay what they are", () => {
    expect(renderMessage(words, "en", { device: "{{code}}", code: "482913" }).subject).toBe("New: {{code}}");
  });

  it("that are times are shown in a language that has no name, too", () => {
    const time = "2026-01-01T12:30:00.000Z";
    const told = renderMessage({ ...words, text: "{{time}}" }, "en-u", { time }).text;
    expect(told).toBe("January 1, 2026 at 12:30 UTC");
  });

  it("that are words are in the language of the message", () => {
    expect(renderMessage(words, "zh-CN", { factor: "totp" }).text).toContain("身份验证器");
    expect(renderMessage(words, "en", { factor: "constructor" }).text).toContain("constructor");
  });
});

it("every message can be looked at in every language", async () => {
  const templates = await listMessageTemplates(deps, world.context);
  const seen = new Set<MessageTemplateName>();
  for (const { template, channel, locale } of templates) {
    const rendered = await previewMessageTemplate(deps, world.context, { template, channel, locale });
    expect(rendered.text).not.toMatch(/\{\{|undefined/);
    expect(rendered.subject ?? "").not.toContain("{{");
    seen.add(template);
  }
  expect([...seen]).toEqual(MESSAGE_TEMPLATE_NAMES);
});
