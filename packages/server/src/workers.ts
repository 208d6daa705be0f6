import cluster, { type Worker } from "node:cluster";
import { fileURLToPath } from "node:url";
import { AggregatorRegistry } from "prom-client";
import type { Parts } from "./compose.ts";

/** What a worker is told; sent over its private channel, never in its environment, because it holds the master key. */
export interface WorkerOrders {
  config: Parts["config"];
  publicUrl: string;
  connection: Parts["connection"];
  /** base64; the current one first. */
  masterKeys: string[];
}

export type ToWorker = { orders: WorkerOrders } | { stop: true } | { metrics: string; request: number };
export type FromWorker = { ready: true } | { failed: string } | { metricsRequest: number };

const RESTART_MILLISECONDS = 1_000;

/** Starts `config.workers` processes that share the port, and replaces those that die. */
export async function startCluster(
  parts: Parts,
): Promise<{ close(): Promise<void>; collectMetrics(): Promise<string> }> {
  const { config, publicUrl, connection, masterKeys, log } = parts;
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  cluster.setupPrimary({ exec: fileURLToPath(new URL(`./worker.${extension}`, import.meta.url)), args: [] });
  const registry = new AggregatorRegistry();
  const orders = {
    config,
    publicUrl,
    connection,
    masterKeys: [masterKeys.current, ...(masterKeys.previous ?? [])].map((key) => key.toString("base64")),
  };
  let closing = false;

  const start = (): Promise<void> => {
    const worker = cluster.fork();
    const ready = greet(worker, { orders }, registry);
    worker.once("exit", (code, signal) => {
      if (closing) return;
      log.error({ pid: worker.process.pid, code, signal }, "a worker ended; starting another");
      setTimeout(() => {
        if (!closing)
          start().catch((error: unknown) => log.error({ err: error }, "a worker could not start"));
      }, RESTART_MILLISECONDS);
    });
    return ready;
  };

  const close = async () => {
    closing = true;
    const ends = Object.values(cluster.workers ?? {}).map((worker) => end(worker, config.shutdownSeconds));
    await Promise.all(ends);
  };
  try {
    await Promise.all(Array.from({ length: config.workers }, start));
  } catch (error) {
    await close();
    throw error;
  }
  return { close, collectMetrics: () => registry.clusterMetrics() };
}

/** Gives a new worker its orders and answers its questions. Resolves when it serves. */
function greet(
  worker: Worker,
  orders: ToWorker,
  registry: InstanceType<typeof AggregatorRegistry>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once("exit", () => reject(new Error("A worker ended while starting.")));
    worker.on("message", (message: FromWorker) => {
      if ("ready" in message) resolve();
      else if ("failed" in message) reject(new Error(message.failed));
      else if ("metricsRequest" in message) {
        const request = message.metricsRequest;
        registry
          .clusterMetrics()
          .then((metrics) => worker.send({ metrics, request } satisfies ToWorker))
          .catch(() => worker.send({ metrics: "", request } satisfies ToWorker));
      }
    });
    worker.send(orders);
  });
}

function end(worker: Worker | undefined, seconds: number): Promise<void> {
  if (!worker || worker.isDead()) return Promise.resolve();
  return new Promise((resolve) => {
    // The worker ends by itself after its own deadline; this is for one that hangs.
    const timer = setTimeout(() => worker.process.kill("SIGKILL"), (seconds + 5) * 1_000);
    worker.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
    worker.send({ stop: true } satisfies ToWorker);
  });
}
