import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../kernel/clock.ts";
import type { Delivery } from "./delivery.ts";

/**
 * Writes each message as one JSON file (`type`, `to`, `subject`, `text`, `html`, `tenantId`, `at`) instead of sending
 * it, for tests and first steps. Names sort by time; a file appears with its whole content.
 */
export function createFileDelivery(folder: string, clock: Clock): Delivery {
  let written = 0;
  return {
    async deliver(message) {
      const at = clock.now().toISOString();
      const serial = String(++written).padStart(6, "0"); // keeps the order within one millisecond
      const name = `${at.replaceAll(":", "-")}-${serial}-${process.pid}.json`;
      const aside = join(folder, `.${name}.part`);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      // Messages hold codes and links: only for the owner's eyes.
      await writeFile(aside, `${JSON.stringify({ ...message, at }, null, 2)}\n`, { mode: 0o600, flag: "wx" });
      await rename(aside, join(folder, name));
    },
    close: () => {},
  };
}
