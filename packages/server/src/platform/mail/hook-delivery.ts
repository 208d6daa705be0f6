import { createHmac, randomUUID } from "node:crypto";
import type { Clock } from "../../kernel/clock.ts";
import { numericDate } from "../../kernel/clock.ts";
import type { Delivery } from "./delivery.ts";

const TIMEOUT_MILLISECONDS = 10_000;

/**
 * POSTs the message as JSON (`type`, `to`, `subject`, `text`, `html`, `tenantId`) to the operator's own address, signed
 * as Standard Webhooks describes, so that receivers can verify it with that project's libraries:
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 * Any 2xx answer within ten seconds means that the message was taken over. Redirects are not followed.
 *
 * @param secret `whsec_` and base64, or any text (its UTF-8 bytes are the key)
 */
export function createHookDelivery(url: URL, options: { secret: string; clock: Clock }): Delivery {
  const key = options.secret.startsWith("whsec_")
    ? Buffer.from(options.secret.slice("whsec_".length), "base64")
    : Buffer.from(options.secret);
  if (key.length === 0) throw new Error("The secret that signs the calls of the message hook is empty");
  return {
    async deliver(message) {
      const body = JSON.stringify(message);
      const id = `msg_${randomUUID()}`;
      const timestamp = numericDate(options.clock.now());
      const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
      const response = await fetch(url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "webhook-id": id,
          "webhook-timestamp": String(timestamp),
          "webhook-signature": `v1,${signature}`,
        },
        body,
        redirect: "error",
        signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`The message hook answered ${response.status}`);
    },
    close: () => {},
  };
}
