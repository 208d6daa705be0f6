import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Metrics } from "./metrics.ts";

/** Levels at which successful requests are logged too. */
const DETAILED: ReadonlySet<string> = new Set(["debug", "trace"]);

/**
 * One log line and one measurement a request. The line has the route's pattern and not the address, because
 * addresses carry codes and tokens. Successful requests are logged at `debug`: at 20,000 verifications a second the
 * lines would cost more than the work, and the histogram has the counts.
 */
export function observeRequests(app: FastifyInstance, metrics: Metrics): void {
  app.addHook("onResponse", (request, reply, done) => {
    const route = request.routeOptions.url ?? "unrouted";
    const { method } = request;
    const status = reply.statusCode;
    const { elapsedTime } = reply;
    metrics.requests.observe(method, route, status, elapsedTime / 1000);
    const level = status >= 500 ? "error" : status >= 400 ? "info" : "debug";
    if (level !== "debug" || DETAILED.has(request.log.level)) {
      const ms = Math.round(elapsedTime * 10) / 10;
      const line = { method, route, status, ms, traceId: request.id, ip: request.ip };
      request.log[level]({ ...line, ...callersTrace(request) }, "request");
    }
    done();
  });
}

/** The caller's own trace id, where it is none of W3C Trace Context. */
function callersTrace({ headers }: FastifyRequest): { xTraceId?: string } {
  const given = headers["x-trace-id"];
  return typeof given === "string" ? { xTraceId: given.slice(0, 128) } : {};
}
