import { AggregatorRegistry } from "prom-client";
import { compose } from "./compose.ts";
import { AdjustableClock } from "./kernel/clock.ts";
import { listen } from "./main.ts";
import { createLogger } from "./platform/telemetry/logger.ts";
import { inSmallYoungSpace } from "./platform/young-space.ts";
import type { FromWorker, ToWorker, WorkerOrders } from "./workers.ts";

/** One of several processes behind the port. The primary decides when it ends. */
const waiting = new Map<number, (metrics: string) => void>();
let requests = 0;
let running: { close(): Promise<void> } | undefined;

function tell(message: FromWorker): void {
  process.send?.(message);
}

async function serve(orders: WorkerOrders): Promise<void> {
  const log = createLogger(orders.config.logLevel);
  const [current, ...previous] = orders.masterKeys.map((key) => Buffer.from(key, "base64"));
  if (!current) throw new Error("The worker was given no master key.");
  const composition = await compose({
    ...orders,
    masterKeys: { current, previous },
    clock: new AdjustableClock(),
    log,
    collectMetrics: askPrimary,
  });
  // Answers the primary's questions for this process's metrics.
  new AggregatorRegistry();
  AggregatorRegistry.setRegistries([composition.metrics.registry]);
  running = await listen(composition, orders.config, true);
  tell({ ready: true });
}

/** A scrape reaches one process; the primary sums all of them up. */
function askPrimary(): Promise<string> {
  return new Promise((resolve) => {
    requests += 1;
    waiting.set(requests, resolve);
    tell({ metricsRequest: requests });
  });
}

async function stop(): Promise<void> {
  await running?.close();
  process.exit(0);
}

process.on("message", (message: ToWorker) => {
  if ("orders" in message) {
    inSmallYoungSpace(() => serve(message.orders)).catch((error: Error) => {
      tell({ failed: error.message });
      process.exit(1);
    });
  } else if ("stop" in message) {
    void stop();
  } else if ("metrics" in message) {
    waiting.get(message.request)?.(message.metrics);
    waiting.delete(message.request);
  }
});
// Ctrl-C reaches the whole group; the primary finishes requests first and then says stop.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
// The primary was killed: nobody would restart or stop us.
process.on("disconnect", () => void stop());
