import type { MessageTemplateName } from "@ostiary/contracts";

/** Words of one message. Paragraphs of `text` are parted by an empty line. */
export interface Words {
  subject: string;
  text: string;
  /** For telephones; absent: this message is not sent to them. */
  sms?: string;
}

export interface Catalogue {
  /** The last paragraphs of every mail. */
  footer: string;
  messages: Record<MessageTemplateName, Words>;
  /** Values that are words themselves: `factor`. */
  words: Record<string, string>;
}
