import { Counter, collectDefaultMetrics, Registry } from "prom-client";
import { RequestDurations } from "./request-durations.ts";

/**
 * The process's metrics. Labels have a bounded number of values: the route's pattern, never the address; no tenant,
 * no user.
 */
export interface Metrics {
  registry: Registry;
  requests: RequestDurations;
  /** Passwords that were accepted because the service that knows breached ones did not answer. */
  uncheckedPasswords: Counter;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "ostiary_" });
  const uncheckedPasswords = new Counter({
    name: "ostiary_unchecked_passwords_total",
    help: "Passwords not looked up among breached ones because that service did not answer",
    registers: [registry],
  });
  return { registry, requests: new RequestDurations(registry), uncheckedPasswords };
}
