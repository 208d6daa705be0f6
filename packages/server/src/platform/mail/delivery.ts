import type { MessageSender } from "../../kernel/ports.ts";

export type MailMessage = Parameters<MessageSender["sendMail"]>[0];
export type SmsMessage = Parameters<MessageSender["sendSms"]>[0];
export type OutgoingMessage = ({ type: "mail" } & MailMessage) | ({ type: "sms" } & SmsMessage);

/** One way for a message to leave. Rejects with any Error when the message was not taken over. */
export interface Delivery {
  deliver(message: OutgoingMessage): Promise<void>;
  /** Ends kept connections. */
  close(): void;
}
