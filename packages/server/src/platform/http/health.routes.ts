import type { FastifyPluginAsync } from "fastify";
import type { ChangeFeed } from "../../kernel/changes.ts";
import type { Database } from "../database/types.ts";

const READY_MILLISECONDS = 2_000;

export interface HealthParts {
  database: Database;
  feed: ChangeFeed;
  /** Prometheus' text format; absent when the metrics have a port of their own. */
  metrics: (() => Promise<string>) | undefined;
}

/**
 * `/healthz`: the process answers. `/readyz`: it can serve, that is, the database answers and changes are heard; a
 * load balancer sends nobody here otherwise. `/metrics`: Prometheus.
 */
export function healthRoutes({ database, feed, metrics }: HealthParts): FastifyPluginAsync {
  return async (app) => {
    let closing = false;
    app.addHook("preClose", async () => {
      closing = true;
    });
    app.get("/healthz", () => ({ status: "ok", process: process.pid }));
    app.get("/readyz", async (_request, reply) => {
      const checks = {
        database: await answers(database),
        changeFeed: feed.live,
        accepting: !closing,
      };
      const ready = Object.values(checks).every(Boolean);
      return reply.code(ready ? 200 : 503).send({ status: ready ? "ready" : "not ready", checks });
    });
    if (metrics) {
      app.get("/metrics", async (_request, reply) =>
        reply.type("text/plain; version=0.0.4; charset=utf-8").send(await metrics()),
      );
    }
  };
}

async function answers(database: Database): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), READY_MILLISECONDS);
  });
  const answer = database.query("select 1").then(
    () => true,
    () => false,
  );
  const answered = await Promise.race([answer, timeout]);
  clearTimeout(timer);
  return answered;
}
