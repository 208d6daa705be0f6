import { Readable } from "node:stream";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  AuditChainReport,
  type AuditEntry,
  AuditQuery,
  AuditEntry as Entry,
  PAGE_SIZE,
  PageOf,
} from "@ostiary/contracts";
import { Type } from "typebox";
import { checkPermission } from "../domain/access/index.ts";
import { exportAuditEntries, listAuditEntries, verifyAuditChain } from "../domain/audit/index.ts";
import type { Deps } from "../domain/deps.ts";
import { problems } from "./problems.ts";

type Stored = Awaited<ReturnType<typeof listAuditEntries>>["items"][number];

/** The audit log: who did what, and proof that nothing of it was changed. */
export function auditRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      "/audit",
      {
        schema: {
          operationId: "listAuditEntries",
          summary: "List audit entries",
          description: "Needs the permission `audit:read`. Newest first; an entry appears within a second.",
          tags: ["Audit"],
          querystring: AuditQuery,
          response: { 200: PageOf(Entry), ...problems() },
        },
      },
      async (request) => {
        checkPermission(request.context, "audit:read");
        const { limit = PAGE_SIZE.default, after, from, to, ...filter } = request.query;
        const page = await listAuditEntries(
          deps,
          request.context.tenantId,
          {
            ...filter,
            from: from === undefined ? undefined : new Date(from),
            to: to === undefined ? undefined : new Date(to),
            before: after === undefined ? undefined : Number(after),
          },
          limit,
        );
        return { items: page.items.map(toWire), next: page.next === null ? null : String(page.next) };
      },
    );
    app.get(
      "/audit/export",
      {
        schema: {
          operationId: "exportAuditEntries",
          summary: "Export the audit log",
          description:
            "Needs the permission `audit:read`. All entries, oldest first, one JSON object a line (NDJSON); with " +
            "`hash` anybody can check the chain.",
          tags: ["Audit"],
          response: {
            200: {
              description: "One audit entry a line",
              content: { "application/x-ndjson": { schema: Type.Unsafe<Readable>({ type: "string" }) } },
            },
            ...problems(),
          },
        },
      },
      (request, reply) => {
        checkPermission(request.context, "audit:read");
        reply.type("application/x-ndjson; charset=utf-8");
        reply.header("content-disposition", 'attachment; filename="audit.ndjson"');
        return Readable.from(lines(deps, request.context.tenantId));
      },
    );
    app.get(
      "/audit/verify",
      {
        schema: {
          operationId: "verifyAuditChain",
          summary: "Check that the audit log is unchanged",
          description:
            "Needs the permission `audit:read`. Recomputes every hash from the first entry on, so it takes longer " +
            "the longer the log is.",
          tags: ["Audit"],
          response: { 200: AuditChainReport, ...problems() },
        },
      },
      (request) => {
        checkPermission(request.context, "audit:read");
        return verifyAuditChain(deps, request.context.tenantId);
      },
    );
  };
}

function toWire({ occurredAt, hash, outcome, ...entry }: Stored): AuditEntry {
  return {
    ...entry,
    outcome: outcome === "refused" ? "refused" : "success",
    occurredAt: occurredAt.toISOString(),
    data: entry.data as AuditEntry["data"],
    hash: hash.toString("hex"),
  };
}

async function* lines(deps: Deps, tenantId: string): AsyncGenerator<string> {
  for await (const entry of exportAuditEntries(deps, tenantId)) yield `${JSON.stringify(toWire(entry))}\n`;
}
