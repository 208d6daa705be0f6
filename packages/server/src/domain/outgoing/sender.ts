import type { JsonValue } from "@ostiary/contracts";
import type { Deps } from "../deps.ts";

/** How one kind of message leaves the server. */
export interface Sender {
  kind: string;
  /** Under way at a time in a process. */
  lanes: number;
  /** Seconds before the second attempt; each later one waits four times as long, up to six hours. */
  firstDelay: number;
  /** Resolves when the next station has taken it over. @throws Undeliverable; any other error is tried again */
  send(deps: Deps, tenantId: string, payload: JsonValue): Promise<void>;
  /** What the audit log says of one that was given up: never a secret. */
  describe(payload: JsonValue): object;
}

/** Trying again cannot help. */
export class Undeliverable extends Error {
  override readonly name = "Undeliverable";
}

const LONGEST_DELAY_SECONDS = 6 * 3_600;

/** Seconds to wait after so many attempts, ± 20 % so that what comes back is not stormed. */
export function delayAfter(sender: Sender, attempts: number): number {
  const delay = Math.min(sender.firstDelay * 4 ** (attempts - 1), LONGEST_DELAY_SECONDS);
  return delay * (0.8 + 0.4 * Math.random());
}
