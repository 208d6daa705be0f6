import { addSeconds } from "../../kernel/clock.ts";
import type { Deps } from "../deps.ts";
import { type DeliveryHead, formatsOf } from "./formats.ts";
import type { ClaimedDelivery, Outcome } from "./queue.store.ts";
import { openHeaders, openSecret } from "./sealed.ts";
import type { StoredWebhook } from "./webhook.store.ts";

/** After the last one a delivery is given up; that is about 24 hours after the first. */
const MAXIMUM_ATTEMPTS = 12;
const FIRST_DELAY_SECONDS = 2;
const LONGEST_DELAY_SECONDS = 6 * 3_600;
/** Bytes of an answer that are kept. */
const ANSWER_BYTES = 4_096;

/** Seconds: 2, 8, 32 … up to six hours, each ± 20 % so that receivers that come back are not stormed. */
function delayAfter(attempts: number): number {
  const delay = Math.min(FIRST_DELAY_SECONDS * 4 ** (attempts - 1), LONGEST_DELAY_SECONDS);
  return delay * (0.8 + 0.4 * Math.random());
}

/** Seconds until an answer to this event must be there. */
export function timeoutOf(deps: Deps, webhook: StoredWebhook, event: string): number {
  return Math.max(webhook.timeoutSeconds, formatsOf(deps).get(webhook.format)?.patience?.(event) ?? 0);
}

/** Sends a delivery once and says what came of it; any 2xx takes it over. Never throws. */
export async function sendDelivery(
  deps: Deps,
  webhook: StoredWebhook,
  delivery: ClaimedDelivery,
): Promise<Outcome> {
  const began = performance.now();
  const at = deps.clock.now();
  const answer = await call(deps, webhook, { ...delivery, at }).catch((error: unknown) => ({
    status: null,
    body: error instanceof Error ? error.message : String(error),
  }));
  const isTaken = answer.status !== null && answer.status >= 200 && answer.status < 300;
  const isLast = delivery.attempts >= MAXIMUM_ATTEMPTS;
  const now = deps.clock.now();
  return {
    state: isTaken ? "delivered" : isLast ? "dead" : "pending",
    at: now,
    milliseconds: Math.round(performance.now() - began),
    status: answer.status,
    response: answer.body,
    error: isTaken ? null : answer.status === null ? answer.body : `answered ${answer.status}`,
    nextAttemptAt: isTaken ? now : addSeconds(now, delayAfter(delivery.attempts)),
  };
}

async function call(deps: Deps, webhook: StoredWebhook, delivery: DeliveryHead) {
  const format = formatsOf(deps).get(webhook.format);
  if (!format) throw new Error(`the format ${webhook.format} is not served here`);
  return deps.outgoing.send({
    method: "POST",
    url: webhook.url,
    headers: {
      ...openHeaders(deps, webhook),
      "content-type": "application/json",
      "user-agent": "Ostiary-Webhooks/1",
      ...format.headers(delivery, openSecret(deps, webhook)),
    },
    body: delivery.body,
    timeoutMilliseconds: timeoutOf(deps, webhook, delivery.event) * 1_000,
    answerBytes: ANSWER_BYTES,
  });
}
