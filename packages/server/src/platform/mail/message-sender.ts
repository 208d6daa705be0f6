import { resolve } from "node:path";
import { IdentityError } from "@ostiary/contracts";
import type { Clock } from "../../kernel/clock.ts";
import type { Logger, MessageSender } from "../../kernel/ports.ts";
import type { Delivery, OutgoingMessage } from "./delivery.ts";
import { createFileDelivery } from "./file-delivery.ts";
import { createHookDelivery } from "./hook-delivery.ts";
import { createLogDelivery } from "./log-delivery.ts";
import { createSmtpDelivery } from "./smtp-delivery.ts";

export interface MessageSenderOptions {
  /** `smtp://…`, `smtps://…`, `https://…` (or http), `file:DIR`, `log`. Without it, mail is refused. */
  mail?: string;
  /** `https://…` (or http), `file:DIR`, `log`. Without it: the mail setting if that is `file:` or `log`, else refused. */
  sms?: string;
  /** Signs the calls of http(s) hooks; required by them. */
  hookSecret?: string;
  /** Sender of mails when the smtp address names none: `Name <address>` or an address. */
  from?: string;
  clock: Clock;
  logger: Logger;
}

export interface ClosableMessageSender extends MessageSender {
  /** Ends kept connections; at shutdown, after the last message. */
  close(): void;
}

/** One address without comments, quotes or lists; in UTF-16 units (RFC 5321 §4.5.3.1.3 allows 254 octets). */
const MAIL_ADDRESS = /^[^\s\p{Cc}@<>,;:"()[\]\\]{1,64}@[^\s\p{Cc}@<>,;:"()[\]\\]{1,189}$/u;
/** With or without the plus sign of E.164. */
const PHONE_NUMBER = /^\+?[0-9]{3,20}$/;
const CONTROL = /[\p{Cc}\u2028\u2029]/u;

/**
 * How mails and text messages leave the server. Both methods resolve when the next station has taken the message over.
 *
 * They throw IdentityError `message.invalid` for an address or subject that could add header lines or recipients,
 * `message.not_configured` without a sender of that kind, and `message.not_sent` when the sender failed.
 *
 * @throws Error, for the operator, when a setting cannot be understood; settings are never quoted, they hold passwords
 */
export function createMessageSender(options: MessageSenderOptions): ClosableMessageSender {
  const mail = options.mail ? createDelivery("mail", options.mail, options) : undefined;
  const sharesMail = !options.sms && options.mail !== undefined && /^(?:file:|log$)/.test(options.mail);
  const sms = options.sms ? createDelivery("sms", options.sms, options) : sharesMail ? mail : undefined;
  return {
    async sendMail(message) {
      if (!MAIL_ADDRESS.test(message.to)) throw new IdentityError("message.invalid", { reason: "recipient" });
      if (CONTROL.test(message.subject)) throw new IdentityError("message.invalid", { reason: "subject" });
      await send(mail, { type: "mail", ...message });
    },
    async sendSms(message) {
      if (!PHONE_NUMBER.test(message.to)) throw new IdentityError("message.invalid", { reason: "recipient" });
      await send(sms, { type: "sms", ...message });
    },
    close() {
      mail?.close();
      sms?.close();
    },
  };
}

async function send(delivery: Delivery | undefined, message: OutgoingMessage): Promise<void> {
  if (!delivery)
    throw new IdentityError("message.not_configured", { reason: `no sender for ${message.type}` });
  try {
    await delivery.deliver(message);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new IdentityError("message.not_sent", { reason, cause });
  }
}

function createDelivery(kind: "mail" | "sms", setting: string, options: MessageSenderOptions): Delivery {
  if (setting === "log") return createLogDelivery(options.logger);
  if (setting.startsWith("file:") && setting.length > "file:".length) {
    return createFileDelivery(resolve(setting.slice("file:".length)), options.clock);
  }
  const url = URL.canParse(setting) ? new URL(setting) : undefined;
  if (kind === "mail" && (url?.protocol === "smtp:" || url?.protocol === "smtps:")) {
    return createSmtpDelivery(url, options.from);
  }
  if (url?.protocol === "https:" || url?.protocol === "http:") {
    if (url.username || url.password) {
      throw new Error(
        `The ${kind} hook's address must not hold a password; its calls are signed with a secret`,
      );
    }
    if (!options.hookSecret) throw new Error(`The ${kind} hook needs a secret that signs its calls`);
    return createHookDelivery(url, { secret: options.hookSecret, clock: options.clock });
  }
  const smtp = kind === "mail" ? "smtp://user:password@host:587, smtps://user:password@host, " : "";
  throw new Error(
    `The ${kind} setting must be one of: ${smtp}https://address-of-a-hook, file:DIRECTORY, log`,
  );
}
