import { IdentityError } from "@ostiary/contracts";
import type { FastifyPluginAsync } from "fastify";
import type { Deps } from "../../domain/deps.ts";
import { findTokenUser, reportCalls } from "../../domain/usage/index.ts";
import { callerOf, contextOf, succeed } from "./calls.ts";
import { MAXIMUM_STATISTICS, toReportedCall } from "./stats.translate.ts";

/** Bytes. Their middleware reports whole uploads. */
const BODY_LIMIT = 32 * 1024 * 1024;

/**
 * Endpoint 22: what the services answered. Their client sends a report once and ignores the answer, so one bad item, or
 * a text of an upload that is no good JSON text, must not lose the others.
 */
export function statisticsRoutes(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body: Buffer, done) => {
      try {
        done(null, JSON.parse(body.toString("utf8")));
      } catch (error) {
        done(new IdentityError("request.malformed_json", { cause: error }));
      }
    });

    app.post("/stats/report/batch", { bodyLimit: BODY_LIMIT }, async (request) => {
      const caller = callerOf(deps, request);
      const application = caller instanceof Promise ? await caller : caller;
      const stats = statisticsOf(request.body);
      const userId = await userOf(deps, request);
      const calls = stats.map((item) => toReportedCall(item, userId)).filter((call) => call !== null);
      if (calls.length > 0) {
        await reportCalls(deps, contextOf(request, application), application.id, { calls });
      }
      return succeed({ accepted: calls.length, ignored: stats.length - calls.length });
    });
  };
}

function statisticsOf(body: unknown): unknown[] {
  const stats = typeof body === "object" && body !== null && "stats" in body ? body.stats : undefined;
  if (!Array.isArray(stats)) {
    throw new IdentityError("request.invalid", { fields: [{ path: "/stats", message: "must be a list" }] });
  }
  if (stats.length > MAXIMUM_STATISTICS) {
    throw new IdentityError("request.invalid", {
      fields: [{ path: "/stats", message: `must have at most ${MAXIMUM_STATISTICS} items` }],
    });
  }
  return stats;
}

/** Whose calls these are. Failed attempts are reported with the token that failed: then it is nobody's. */
function userOf(
  deps: Deps,
  { headers, tenant }: Parameters<typeof callerOf>[1],
): Promise<string | null> | null {
  const token = /^Bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? "")?.[1];
  return token === undefined ? null : findTokenUser(deps, tenant, token);
}
