import {
  IdentityError,
  MESSAGE_CHANNELS,
  MESSAGE_TEMPLATE_NAMES,
  MESSAGE_TEMPLATES,
  type MessageTemplate,
  type MessageTemplateKey,
  type PreviewMessageTemplate,
  type RenderedMessage,
  type WriteMessageTemplate,
} from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { checkPermission } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import { findTenantById, issuerOf } from "../tenants/index.ts";
import { composeMessage } from "./notify.ts";
import { placeholdersIn, renderMessage } from "./render.ts";
import { countWords, deleteWords, type OwnWords, selectAllWords, writeWords } from "./template.store.ts";
import { BUILT_IN_LOCALES, builtInWords, type MessageWords } from "./words.ts";

/** Own words of a tenant: every message in about ten languages. */
const MOST_OWN = 300;

/** What a preview shows. */
const EXAMPLES: Record<string, string | number> = {
  code: "482913",
  minutes: 10,
  days: 7,
  left: 9,
  link: "https://example.com/link",
  address: "j***@example.com",
  device: "Firefox, Windows",
  ip: "203.0.113.7",
  factor: "totp",
  organization: "Example Ltd",
  provider: "Example",
  username: "jane",
  password: "k7Rm2xQpW9",
};

function placeholdersOf(template: MessageTemplateKey["template"]): string[] {
  return [...MESSAGE_TEMPLATES[template], "brand", "site"];
}

/** Every message in every language that it has words in, by name. @throws IdentityError `permission.denied` */
export async function listMessageTemplates(deps: Deps, context: RequestContext): Promise<MessageTemplate[]> {
  checkPermission(context, "settings:read");
  const own = await selectAllWords(deps.database, context.tenantId);
  return MESSAGE_TEMPLATE_NAMES.flatMap((template) =>
    MESSAGE_CHANNELS.flatMap((channel) => {
      const mine = own.filter((words) => words.template === template && words.channel === channel);
      const locales = [...new Set([...BUILT_IN_LOCALES, ...mine.map(({ locale }) => locale)])];
      return locales.flatMap((locale) => {
        const words = mine.find((one) => one.locale === locale) ?? builtInWords(template, channel, locale);
        return words ? [toTemplate({ template, channel, locale }, words)] : [];
      });
    }),
  );
}

/**
 * Sets a tenant's own words for a message.
 *
 * @throws IdentityError `permission.denied`, `request.invalid` for a placeholder that the message has no value for,
 *   `message_template.too_many`
 */
export async function writeMessageTemplate(
  deps: Deps,
  context: RequestContext,
  key: MessageTemplateKey,
  input: WriteMessageTemplate,
): Promise<MessageTemplate> {
  checkPermission(context, "settings:write");
  const words = checkedWords(key, input, "");
  const now = deps.clock.now();
  await deps.database.transaction(async (tx) => {
    await writeWords(tx, context.tenantId, { ...key, ...words }, now);
    if ((await countWords(tx, context.tenantId)) > MOST_OWN) {
      throw new IdentityError("message_template.too_many");
    }
    const target = { type: "message_template", id: idOf(key) };
    await recordEvent(deps, tx, context, { type: "message_template.updated", target });
  });
  return toTemplate(key, { ...key, ...words, version: 1, updatedAt: now });
}

/** Goes back to the built-in words. @throws IdentityError `permission.denied`, `message_template.not_found` */
export async function deleteMessageTemplate(
  deps: Deps,
  context: RequestContext,
  key: MessageTemplateKey,
): Promise<void> {
  checkPermission(context, "settings:write");
  await deps.database.transaction(async (tx) => {
    if (!(await deleteWords(tx, context.tenantId, key))) {
      throw new IdentityError("message_template.not_found");
    }
    const target = { type: "message_template", id: idOf(key) };
    await recordEvent(deps, tx, context, { type: "message_template.deleted", target });
  });
}

/**
 * A message with example values: of the words that are given, or those in use. Nothing is sent.
 *
 * @throws IdentityError `permission.denied`, `request.invalid`, `message_template.not_found` when this message has no
 *   words for the channel
 */
export async function previewMessageTemplate(
  deps: Deps,
  context: RequestContext,
  { words, ...key }: PreviewMessageTemplate,
): Promise<RenderedMessage> {
  checkPermission(context, "settings:read");
  const tenant = await findTenantById(deps, context.tenantId);
  if (!tenant) throw new IdentityError("tenant.not_found");
  const values = { ...EXAMPLES, time: deps.clock.now().toISOString() };
  if (!words) {
    if (!builtInWords(key.template, key.channel, "en")) throw new IdentityError("message_template.not_found");
    return composeMessage(deps, tenant, { ...key, values });
  }
  const brand = tenant.settings.branding.displayName ?? tenant.name;
  const shown = { ...values, brand, site: issuerOf(deps, tenant) };
  return renderMessage(checkedWords(key, words, "/words"), key.locale, shown);
}

function checkedWords(key: MessageTemplateKey, input: WriteMessageTemplate, path: string): MessageWords {
  const { subject = null, text, html = null } = input;
  const wrong = (field: string, message: string) =>
    new IdentityError("request.invalid", { fields: [{ path: `${path}/${field}`, message }] });
  if (!builtInWords(key.template, key.channel, "en")) {
    throw new IdentityError("message_template.not_found", { reason: "not sent by this channel" });
  }
  const isMail = key.channel === "email";
  if (isMail && subject === null) throw wrong("subject", "is needed for a mail");
  if (!isMail && subject !== null) throw wrong("subject", "is for mails only");
  if (!isMail && html !== null) throw wrong("html", "is for mails only");
  const known = new Set(placeholdersOf(key.template));
  for (const [field, value] of Object.entries({ subject, text, html })) {
    const unknown = placeholdersIn(value ?? "").find((name) => !known.has(name));
    if (unknown !== undefined) {
      throw wrong(
        field,
        `has {{${unknown}}}; there are ${[...known].map((name) => `{{${name}}}`).join(", ")}`,
      );
    }
  }
  return { subject, text, html };
}

const idOf = ({ template, channel, locale }: MessageTemplateKey) => `${template}/${channel}/${locale}`;

function toTemplate(
  { template, channel, locale }: MessageTemplateKey,
  words: MessageWords | OwnWords,
): MessageTemplate {
  const { subject, text, html } = words;
  const isOwn = "updatedAt" in words;
  const updatedAt = isOwn ? words.updatedAt.toISOString() : null;
  return {
    template,
    channel,
    locale,
    subject,
    text,
    html,
    placeholders: placeholdersOf(template),
    isOwn,
    updatedAt,
  };
}
