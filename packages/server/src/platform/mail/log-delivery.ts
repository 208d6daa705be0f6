import type { Logger } from "../../kernel/ports.ts";
import type { Delivery } from "./delivery.ts";

/** Sends nothing and notes that it did not. Subject and text hold codes and links, so they stay out of the log. */
export function createLogDelivery(logger: Logger): Delivery {
  return {
    async deliver({ type, to, tenantId }) {
      logger.info(
        { type, to: mask(to), tenantId },
        "message not sent: the setting is `log`; use file:DIR to read messages",
      );
    },
    close: () => {},
  };
}

/** `a***@example.com`, `***89` */
function mask(to: string): string {
  const at = to.lastIndexOf("@");
  return at === -1 ? `***${to.slice(-2)}` : `${to.slice(0, 1)}***${to.slice(at)}`;
}
