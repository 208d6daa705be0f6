import { collectDefaultMetrics, Registry } from "prom-client";
import { RequestDurations } from "./request-durations.ts";

/**
 * The process's metrics. Labels have a bounded number of values: the route's pattern, never the address; no tenant,
 * no user.
 */
export interface Metrics {
  registry: Registry;
  requests: RequestDurations;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "ostiary_" });
  return { registry, requests: new RequestDurations(registry) };
}
