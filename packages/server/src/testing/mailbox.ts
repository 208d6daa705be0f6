import type { Deps } from "../domain/deps.ts";
import { finishOutgoing } from "../domain/outgoing/index.ts";
import type { MessageSender } from "../kernel/ports.ts";
import type { SentMessage } from "./test-deps.ts";

/** Keeps what a server sends, so that a test can read it as the person would. */
export interface Mailbox {
  sender: MessageSender;
  sent: SentMessage[];
  /** The newest message to an address, once everything under way has been sent. */
  newest(deps: Deps, to: string): Promise<SentMessage | undefined>;
  /** The six digits of the newest message to an address. */
  code(deps: Deps, to: string): Promise<string>;
}

export function aMailbox(): Mailbox {
  const sent: SentMessage[] = [];
  const newest: Mailbox["newest"] = async (deps, to) => {
    await finishOutgoing(deps);
    return sent.findLast((message) => message.to === to);
  };
  return {
    sent,
    sender: {
      sendMail: async ({ to, subject, text }) => void sent.push({ to, subject, text }),
      sendSms: async ({ to, text }) => void sent.push({ to, text }),
    },
    newest,
    code: async (deps, to) => {
      const message = await newest(deps, to);
      const code = /\b\d{6}\b/.exec(`${message?.subject ?? ""}\n${message?.text ?? ""}`)?.[0];
      if (code === undefined) throw new Error(`no code was sent to ${to}`);
      return code;
    },
  };
}
