import { randomFillSync } from "node:crypto";
import type { IncomingMessage } from "node:http";
import cookie from "@fastify/cookie";
import { IdentityError } from "@ostiary/contracts";
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from "fastify";
import { NO_PERMISSIONS } from "../../kernel/context.ts";
import { requestLogger } from "../telemetry/request-logger.ts";
import { parseForm } from "./form.ts";
import { refuseUnrouted, trackMethods } from "./method-not-allowed.ts";
import { sendProblem, toProblem } from "./problems.ts";
import { serializerCompiler } from "./serialization.ts";
import { parseStrictJson } from "./strict-json.ts";
import type { ResolveTenant } from "./types.ts";
import { validatorCompiler } from "./validation.ts";

export interface AppSettings {
  log: FastifyBaseLogger;
  resolveTenant: ResolveTenant;
  /** Addresses or CIDR ranges of reverse proxies whose X-Forwarded-* headers are believed; empty = none. */
  trustedProxies: readonly string[];
  /** Bytes; larger bodies are refused with 413. Routes may lower or raise it. */
  bodyLimit?: number;
  /** How a person is told that an address leads nowhere; programs get a problem document. */
  sendErrorPage?: (request: FastifyRequest, reply: FastifyReply, error: IdentityError) => FastifyReply;
}

const BODY_LIMIT = 1024 * 1024;
/** Longer than any authorization request that browsers and proxies let through. */
const MAX_URL = 16 * 1024;
const MAX_USER_AGENT = 512;

/** Slowloris: a request whose head and body do not arrive within this time is ended. */
const REQUEST_TIMEOUT_MILLISECONDS = 30_000;

/** The HTTP server with everything that holds for every route; routes are registered by the composition. */
export async function createApp(settings: AppSettings): Promise<FastifyInstance> {
  const app: FastifyInstance = Fastify({
    loggerInstance: settings.log,
    logController: new LogController({ disableRequestLogging: true }), // one line a request, with the route's pattern: platform/telemetry/request-log.ts
    bodyLimit: settings.bodyLimit ?? BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MILLISECONDS,
    forceCloseConnections: "idle",
    return503OnClosing: false, // requests that arrive on open connections while we stop are still answered
    trustProxy: settings.trustedProxies.length === 0 ? false : [...settings.trustedProxies],
    genReqId: traceIdOf,
    childLoggerFactory: requestLogger,
    routerOptions: { ignoreDuplicateSlashes: true, maxParamLength: 512 },
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply),
    clientErrorHandler,
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(sendProblem);
  app.decorate("allowedMethods", trackMethods(app));
  app.decorate("refuseUnrouted", refuseUnrouted);
  app.setNotFoundHandler((request, reply) => {
    const error = app.refuseUnrouted(request, reply);
    const send = isPerson(request) ? settings.sendErrorPage : undefined;
    return send ? send(request, reply, error) : sendProblem(error, request, reply);
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    ["application/json", "application/merge-patch+json"],
    { parseAs: "buffer" },
    (_request, body: Buffer, done) => parsed(done, () => parseStrictJson(body)),
  );
  app.addContentTypeParser(
    "application/x-www-form-urlencoded",
    { parseAs: "buffer" },
    (_request, body: Buffer, done) => parsed(done, () => parseForm(body)),
  );
  await app.register(cookie, { hook: false }); // parsed where they are read: most requests have none (cookies.ts)
  addRequestFacts(app, settings.resolveTenant);
  return app;
}

/** A browser that opens an address, as opposed to a program that calls one. */
function isPerson(request: FastifyRequest): boolean {
  return request.headers.accept?.includes("text/html") === true && !request.url.startsWith("/api/");
}

function parsed(done: (error: Error | null, body?: unknown) => void, parse: () => unknown): void {
  let value: unknown;
  try {
    value = parse();
  } catch (error) {
    done(error as Error);
    return;
  }
  done(null, value);
}

/** W3C Trace Context: the caller's trace id when it sent one, else a new one. 32 hex characters. */
const TRACEPARENT = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

function traceIdOf(request: IncomingMessage): string {
  const header = request.headers.traceparent;
  const given = typeof header === "string" ? TRACEPARENT.exec(header)?.[1] : undefined;
  return given ?? newTraceId();
}

const TRACE_ID_BYTES = 16;
const pool = Buffer.alloc(TRACE_ID_BYTES * 256);
let used = pool.length;

/** Random bytes are drawn for many requests at once: a call for each costs 5 % of a token verification. */
function newTraceId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += TRACE_ID_BYTES;
  return pool.toString("hex", used - TRACE_ID_BYTES, used);
}

/** Sets `request.tenant` and an anonymous `request.context`. Synchronous when the tenant is cached. */
function addRequestFacts(app: FastifyInstance, resolveTenant: ResolveTenant): void {
  app.decorateRequest("tenant");
  app.decorateRequest("context");
  app.addHook("onRequest", (request, _reply, done) => {
    const url = request.raw.url ?? "";
    if (url.length > MAX_URL) return done(new IdentityError("request.too_long"));
    if (url.includes("%00"))
      return done(new IdentityError("request.invalid_text", { reason: "null character" }));
    const { tenant: slug = "default" } = request.params as { tenant?: string };
    const found = resolveTenant(slug);
    const proceed = (tenant: Awaited<typeof found>) => {
      if (!tenant) return done(new IdentityError("tenant.not_found"));
      request.tenant = tenant;
      request.context = {
        tenantId: tenant.id,
        actor: { type: "anonymous", id: null },
        permissions: NO_PERMISSIONS,
        ip: request.ip,
        userAgent: request.headers["user-agent"]?.slice(0, MAX_USER_AGENT) ?? null,
        traceId: request.id,
      };
      done();
    };
    if (found instanceof Promise) found.then(proceed, done);
    else proceed(found);
  });
}

/** What is no HTTP at all never reaches a route; it gets the same kind of answer. */
function clientErrorHandler(error: Error & { code?: string }, socket: import("node:net").Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed || !socket.writable) return void socket.destroy();
  const failure = new IdentityError(
    error.code === "HPE_HEADER_OVERFLOW"
      ? "request.headers_too_large"
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? "request.timeout"
        : "request.invalid",
  );
  const body = JSON.stringify(toProblem(failure, newTraceId()));
  socket.end(
    `HTTP/1.1 ${failure.status} Refused\r\nConnection: close\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
