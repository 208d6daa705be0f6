import {
  IdentityError,
  type JsonValue,
  MESSAGE_TEMPLATES,
  type MessageChannel,
  type MessageTemplateName,
  type RenderedMessage,
  type Tenant,
} from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Deps } from "../deps.ts";
import { type Sender, sendLater, Undeliverable } from "../outgoing/index.ts";
import { findTenantById, issuerOf } from "../tenants/index.ts";

import { type MessageValues, renderMessage } from "./render.ts";
import { selectWords } from "./template.store.ts";
import { BUILT_IN_LOCALES, builtInWords, chooseLocale } from "./words.ts";

type ValueOf<Name extends string> = Name extends "time" ? Date : string | number;

/** A message to a person: which, to where, and what its words need. */
export type Notification = {
  [Template in MessageTemplateName]: {
    template: Template;
    channel: MessageChannel;
    /** Null: to nobody, with the same checks, so that the caller cannot tell who is there. */
    to: string | null;
    /** What the person reads (BCP 47); null: what the tenant's settings say. */
    locale: string | null;
    values: { [Name in (typeof MESSAGE_TEMPLATES)[Template][number]]: ValueOf<Name> };
  };
}[MessageTemplateName];

interface Payload {
  template: MessageTemplateName;
  channel: MessageChannel;
  /** Null: to nobody. */
  to: string | null;
  locale: string | null;
  values: MessageValues;
}

const DAY = 86_400;

/** Mails and text messages; the mail server's own limits are usually lower. */
const SENDERS: Record<MessageChannel, Sender> = {
  email: { kind: "email", lanes: 5, firstDelay: 2, send: deliver, describe },
  sms: { kind: "sms", lanes: 5, firstDelay: 2, send: deliver, describe },
};

export const MESSAGE_SENDERS: readonly Sender[] = Object.values(SENDERS);

/**
 * Sends a message in the background; the caller never waits for the next station, and a transaction of `deps` is
 * joined: nothing is sent unless it commits. What carries a code or a link to sign in with waits sealed for as long as it
 * works, everything else for a day. A code to nobody waits and goes in the same way, so that the answer's time does not
 * tell who is there.
 */
export async function notify(
  deps: Deps,
  _context: RequestContext,
  tenant: Pick<Tenant, "id">,
  notification: Notification,
): Promise<void> {
  const { template, channel, to, locale } = notification;
  const values = plainValues(notification.values);
  const seconds = secondsOf(template, values);
  if (to === null && seconds === null) return;
  const payload = { template, channel, to, locale, values } as unknown as JsonValue;
  const expiresAt = addSeconds(deps.clock.now(), seconds ?? DAY);
  await sendLater(deps, SENDERS[channel], { tenantId: tenant.id, payload, expiresAt });
}

function plainValues(values: Record<string, string | number | Date>): MessageValues {
  const entries = Object.entries(values);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, value instanceof Date ? value.toISOString() : value]),
  );
}

/** How long a code or link works that the message carries; null: it carries none. */
function secondsOf(template: MessageTemplateName, values: MessageValues): number | null {
  const names: readonly string[] = MESSAGE_TEMPLATES[template];
  const isSecret = names.includes("code") || template === "magic-link" || template === "reset-link";
  return isSecret ? Number(values["minutes"]) * 60 : null;
}

async function deliver(deps: Deps, tenantId: string, given: JsonValue): Promise<void> {
  const payload = given as unknown as Payload;
  const tenant = await findTenantById(deps, tenantId);
  const { to, channel } = payload;
  if (!tenant || to === null) return;
  const { subject, text, html } = await composeMessage(deps, tenant, payload);
  try {
    if (channel === "sms") await deps.sender.sendSms({ to, text, tenantId });
    else {
      const body = html === null ? { text } : { text, html };
      await deps.sender.sendMail({ to, subject: subject ?? "", ...body, tenantId });
    }
  } catch (error) {
    if (error instanceof IdentityError && error.code !== "message.not_sent") {
      throw new Undeliverable(`${error.code}: ${error.reason ?? ""}`);
    }
    throw error;
  }
}

/** The words in the language that fits best, the tenant's own before the built-in ones, with their values. */
export async function composeMessage(
  deps: Deps,
  tenant: Tenant,
  { template, channel, locale, values }: Omit<Payload, "to">,
): Promise<RenderedMessage> {
  const own = await selectWords(deps.database, tenant.id, template, channel);
  const available = [...new Set([...own.map((words) => words.locale), ...BUILT_IN_LOCALES])];
  const chosen = chooseLocale([locale, tenant.settings.locale], available);
  const words = own.find((one) => one.locale === chosen) ?? builtInWords(template, channel, chosen);
  if (!words) throw new Undeliverable(`there are no words for ${template} by ${channel}`);
  const brand = tenant.settings.branding.displayName ?? tenant.name;
  return renderMessage(words, chosen, { ...values, brand, site: issuerOf(deps, tenant) });
}

function describe(given: JsonValue): object {
  const { template, to } = given as unknown as Payload;
  if (to === null) return { template, to };
  const at = to.lastIndexOf("@");
  return { template, to: at === -1 ? `***${to.slice(-2)}` : `${to.slice(0, 1)}***${to.slice(at)}` };
}
