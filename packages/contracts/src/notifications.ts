import { type Static, Type } from "typebox";
import { Line, Lines, Nullable, OneOf, StrictObject, Timestamp } from "./common.ts";
import { LanguageTag } from "./settings.ts";

/**
 * The messages that the server sends and what may stand in each as `{{name}}`. Besides these, every text may have
 * `{{brand}}` (the tenant's display name) and `{{site}}` (its address).
 */
export const MESSAGE_TEMPLATES = {
  "sign-in-code": ["code", "minutes"],
  "magic-link": ["link", "minutes"],
  "reset-code": ["code", "minutes"],
  "reset-link": ["link", "minutes"],
  "new-password": ["password"],
  "unlock-code": ["code", "minutes"],
  "verify-email": ["code", "minutes"],
  "verify-phone": ["code", "minutes"],
  "change-email-old": ["code", "minutes", "address"],
  "change-email-new": ["code", "minutes"],
  "change-phone-old": ["code", "minutes", "address"],
  "change-phone-new": ["code", "minutes"],
  "identifier-changed": ["address", "time"],
  "username-changed": ["username", "time"],
  "new-device": ["device", "ip", "time"],
  "factor-added": ["factor", "time"],
  "factor-removed": ["factor", "time"],
  "password-changed": ["time"],
  "recovery-used": ["left", "time"],
  locked: ["minutes", "ip"],
  invitation: ["organization", "link", "days"],
  "account-linked": ["provider", "time"],
  welcome: ["username", "link", "days"],
} as const satisfies Record<string, readonly string[]>;

export type MessageTemplateName = keyof typeof MESSAGE_TEMPLATES;
export const MESSAGE_TEMPLATE_NAMES = Object.keys(MESSAGE_TEMPLATES) as MessageTemplateName[];

export const MESSAGE_CHANNELS = ["email", "sms"] as const;
export type MessageChannel = (typeof MESSAGE_CHANNELS)[number];

const PLACEHOLDERS = "`{{name}}` stands for a value; which there are, `placeholders` says";

const words = {
  subject: Nullable(Line(200, { minLength: 1 }), { description: "Of mails only; null for text messages" }),
  text: Lines(5_000, { minLength: 1, description: PLACEHOLDERS }),
  html: Nullable(Lines(20_000, { minLength: 1 }), {
    description:
      "Of mails only; null: made of `text`. Values are escaped. A whole document, or what stands in its body",
  }),
};

export const MessageTemplateKey = Type.Object({
  template: OneOf(MESSAGE_TEMPLATE_NAMES),
  channel: OneOf(MESSAGE_CHANNELS),
  locale: LanguageTag,
});
export type MessageTemplateKey = Static<typeof MessageTemplateKey>;

/** The words of one message in one language: built in, or the tenant's own. */
export const MessageTemplate = Type.Object({
  ...MessageTemplateKey.properties,
  ...words,
  placeholders: Type.Array(Type.String(), { description: "What may be written as `{{name}}`" }),
  isOwn: Type.Boolean({ description: "Whether these are the tenant's own words" }),
  updatedAt: Nullable(Timestamp, { description: "Null for built-in words" }),
});
export type MessageTemplate = Static<typeof MessageTemplate>;

export const MessageTemplates = Type.Object({ items: Type.Array(MessageTemplate) });

export const WriteMessageTemplate = StrictObject({
  subject: Type.Optional(words.subject),
  text: words.text,
  html: Type.Optional(words.html),
});
export type WriteMessageTemplate = Static<typeof WriteMessageTemplate>;

/** Without words: those that are in use. */
export const PreviewMessageTemplate = StrictObject({
  ...MessageTemplateKey.properties,
  words: Type.Optional(WriteMessageTemplate),
});
export type PreviewMessageTemplate = Static<typeof PreviewMessageTemplate>;

/** A message as it would be sent, with example values. */
export const RenderedMessage = Type.Object({
  subject: Nullable(Type.String()),
  text: Type.String(),
  html: Nullable(Type.String()),
});
export type RenderedMessage = Static<typeof RenderedMessage>;
