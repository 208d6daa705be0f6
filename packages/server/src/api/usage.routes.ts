import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  BillingRule,
  BillingRuleQuery,
  CreateBillingRule,
  IdentityError,
  LedgerQuery,
  LedgerRows,
  MAXIMUM_CALLS,
  PAGE_SIZE,
  PageOf,
  ReportCalls,
  ReportedCalls,
  UpdateBillingRule,
  UsageCall,
  UsageCallQuery,
  UsageQuery,
  UsageRows,
} from "@ostiary/contracts";
import type { FastifyReply } from "fastify";
import { Type } from "typebox";
import type { Deps } from "../domain/deps.ts";
import {
  createBillingRule,
  deleteBillingRule,
  getBillingRule,
  listBillingRules,
  listCalls,
  readLedger,
  reportCalls,
  summarizeUsage,
  updateBillingRule,
} from "../domain/usage/index.ts";
import type { RequestContext } from "../kernel/context.ts";
import { toCsv } from "./csv.ts";
import { IdempotencyHeaders } from "./idempotency.ts";
import { problems } from "./problems.ts";
import { registerResource } from "./resource.ts";

type App = Parameters<FastifyPluginAsyncTypebox>[0];

/** Bytes: a thousand calls of 4 KiB. */
const BODY_LIMIT = 4 * 1024 * 1024;

const Csv = { schema: Type.Unsafe<string>({ type: "string", description: "RFC 4180, with a header line" }) };

/** Calls of services, what they cost, and the rules of that. */
export function usageRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    registerReport(app, deps);
    registerCalls(app, deps);
    registerSums(app, deps);
    registerLedger(app, deps);
    registerResource(app, deps, {
      path: "/billing-rules",
      names: { one: "billing rule", many: "billing rules", One: "BillingRule", Many: "BillingRules" },
      permissions: { read: "billing-rule:read", write: "billing-rule:write" },
      schemas: {
        item: BillingRule,
        create: CreateBillingRule,
        change: UpdateBillingRule,
        query: BillingRuleQuery,
      },
      notes: {
        create:
          "Of several rules that match a call, the application's own go before those of all; then those that name " +
          "the origin; then, from left to right, a word before a wildcard before `**`; then those that name the method.",
        change: "Calls that were charged already keep what they cost.",
        remove: "The ledger keeps what was charged by it.",
      },
      list: listBillingRules,
      get: getBillingRule,
      create: createBillingRule,
      change: updateBillingRule,
      remove: deleteBillingRule,
    });
  };
}

function registerReport(app: App, deps: Deps): void {
  app.post(
    "/usage/calls",
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        operationId: "reportCalls",
        summary: "Report calls",
        description:
          `Needs the permission \`usage:write\`; an application with its own token, none. Up to ${MAXIMUM_CALLS} calls; ` +
          "they are in the database when this answers, all or none. With an `Idempotency-Key` they count once, however " +
          "often they are sent within a day: send a report that got no answer again. Credentials in `parameters` are not kept.",
        tags: ["Usage"],
        headers: IdempotencyHeaders,
        body: ReportCalls,
        response: { 200: ReportedCalls, ...problems(409, 413, 415, 422) },
      },
    },
    async (request, reply) => {
      const { context, body } = request;
      const applicationId = reportingApplication(context, body.applicationId);
      const { replayed } = await reportCalls(deps, context, applicationId, {
        calls: body.calls,
        idempotencyKey: request.headers["idempotency-key"],
      });
      if (replayed) reply.header("idempotent-replayed", "true");
      return { accepted: body.calls.length };
    },
  );
}

function reportingApplication({ actor }: RequestContext, named: string | undefined): string {
  if (named !== undefined) return named;
  if (actor.type === "application" && actor.id !== null) return actor.id;
  const message = "is needed unless an application calls with its own token";
  throw new IdentityError("request.invalid", { fields: [{ path: "/applicationId", message }] });
}

function registerCalls(app: App, deps: Deps): void {
  app.get(
    "/usage/calls",
    {
      schema: {
        operationId: "listCalls",
        summary: "List calls",
        description: "Needs the permission `usage:read`. Newest first, of the last 30 days.",
        tags: ["Usage"],
        querystring: UsageCallQuery,
        response: { 200: PageOf(UsageCall), ...problems() },
      },
    },
    (request) => {
      const { limit = PAGE_SIZE.default, after, from, to, ...filter } = request.query;
      const range = {
        from: from === undefined ? undefined : new Date(from),
        to: to === undefined ? undefined : new Date(to),
        before: after === undefined ? undefined : Number(after),
      };
      return listCalls(deps, request.context, { ...filter, ...range }, limit);
    },
  );
}

function registerSums(app: App, deps: Deps): void {
  app.get(
    "/usage/summary",
    {
      schema: {
        operationId: "summarizeUsage",
        summary: "Sum calls up",
        description:
          "Needs the permission `usage:read`. By minute (two days), hour (three months) or day (for ever), with costs " +
          "and latencies; percentiles are at most 9 % off. `format=csv` gives a table.",
        tags: ["Usage"],
        querystring: UsageQuery,
        response: {
          200: {
            description: "The sums",
            content: { "application/json": { schema: UsageRows }, "text/csv": Csv },
          },
          ...problems(),
        },
      },
    },
    async (request, reply) => {
      const { format, ...query } = request.query;
      const items = await summarizeUsage(deps, request.context, query);
      return format === "csv" ? sendCsv(reply, "usage", items) : { items };
    },
  );
}

function registerLedger(app: App, deps: Deps): void {
  app.get(
    "/usage/ledger",
    {
      schema: {
        operationId: "readLedger",
        summary: "Read what is to be paid",
        description:
          "Needs the permission `usage:read`. Every call is in exactly one entry, and amounts are exact. `format=csv` " +
          "gives a table.",
        tags: ["Usage"],
        querystring: LedgerQuery,
        response: {
          200: {
            description: "Entries of the ledger",
            content: { "application/json": { schema: LedgerRows }, "text/csv": Csv },
          },
          ...problems(),
        },
      },
    },
    async (request, reply) => {
      const { format, ...query } = request.query;
      const items = await readLedger(deps, request.context, query);
      return format === "csv" ? sendCsv(reply, "ledger", items) : { items };
    },
  );
}

function sendCsv(reply: FastifyReply, name: string, rows: readonly object[]): never {
  reply.type("text/csv; charset=utf-8");
  reply.header("content-disposition", `attachment; filename="${name}.csv"`);
  return reply.send(toCsv(rows)) as never;
}
