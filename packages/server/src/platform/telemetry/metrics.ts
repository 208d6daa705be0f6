import { Counter, collectDefaultMetrics, Histogram, Registry } from "prom-client";

/**
 * The process's metrics. Labels have a bounded number of values: the route's pattern, never the address; no tenant,
 * no user.
 */
export interface Metrics {
  registry: Registry;
  requests: Histogram<"method" | "route" | "status">;
  logins: Counter<"outcome">;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "ostiary_" });
  return {
    registry,
    requests: new Histogram({
      name: "ostiary_http_request_duration_seconds",
      help: "Time from the request's head to the end of the answer",
      labelNames: ["method", "route", "status"],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      registers: [registry],
    }),
    logins: new Counter({
      name: "ostiary_logins_total",
      help: "Sign-ins by outcome",
      labelNames: ["outcome"],
      registers: [registry],
    }),
  };
}
