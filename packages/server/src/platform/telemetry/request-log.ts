import type { FastifyInstance } from "fastify";
import type { Metrics } from "./metrics.ts";

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
    metrics.requests.observe({ method, route, status }, reply.elapsedTime / 1000);
    const line = {
      method,
      route,
      status,
      ms: Math.round(reply.elapsedTime * 10) / 10,
      traceId: request.id,
      ip: request.ip,
    };
    if (status >= 500) request.log.error(line, "request");
    else if (status >= 400) request.log.info(line, "request");
    else if (request.log.level === "debug" || request.log.level === "trace")
      request.log.debug(line, "request");
    done();
  });
}
