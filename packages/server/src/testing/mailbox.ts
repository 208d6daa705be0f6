import type { Deps } from "../domain/deps.ts";
import { finishOutgoing } from "../domain/outgoing/index.ts";
import type { MessageSender } from "../kernel/ports.ts";
import type { SentMessage } from "./test-deps.ts";

/** Keeps what a server sends, so that a test can read it as the person would. */
export interface Mailbox {
  sender: MessageSender;
  sent: SentMessage[];
  /**
   * The newest message to an address, once everything under way has been sent.
   *
   * @param like - what it must contain: notices nobody waits for may come between.
   */
  newest(deps: Deps, to: string, like?: RegExp): Promise<SentMessage | undefined>;
  /** The six digits of the newest message to an address. */
  code(deps: Deps, to: string): Promise<string>;
}

const CODE = /\b\d{6}\b/;

const wordsOf = ({ subject, text }: SentMessage) => `${subject ?? ""}\n${text}`;

export function aMailbox(): Mailbox {
  const sent: SentMessage[] = [];
  const newest: Mailbox["newest"] = async (deps, to, like = /^/) => {
    await finishOutgoing(deps);
    return sent.findLast((message) => message.to === to && like.test(wordsOf(message)));
  };
  return {
    sent,
    sender: {
      sendMail: async ({ to, subject, text }) => void sent.push({ to, subject, text }),
      sendSms: async ({ to, text }) => void sent.push({ to, text }),
    },
    newest,
    code: async (deps, to) => {
      const message = await newest(deps, to, CODE);
      const code = message && CODE.exec(wordsOf(message))?.[0];
      if (code === undefined) throw new Error(`no code was sent to ${to}`);
      return code;
    },
  };
}
