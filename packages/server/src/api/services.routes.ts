import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  CreateService,
  Json,
  PAGE_SIZE,
  RegisterService,
  Service,
  ServiceConfigurationQuery,
  ServiceConfigurations,
  ServiceHeartbeat,
  ServiceHistoryQuery,
  ServiceInstances,
  ServiceQuery,
  ServiceState,
  UnregisterService,
  UpdateService,
  Version,
  WriteServiceConfiguration,
} from "@ostiary/contracts";
import type { FastifyReply } from "fastify";
import { Type } from "typebox";
import type { Deps } from "../domain/deps.ts";
import {
  awaitConfiguration,
  configureService,
  createService,
  deleteService,
  getService,
  heartbeat,
  listConfigurations,
  listInstances,
  listServices,
  registerService,
  unregisterService,
  updateService,
} from "../domain/services/index.ts";
import { answer, IdempotencyHeaders } from "./idempotency.ts";
import { problems } from "./problems.ts";
import { ChangeHeaders, etag, expectedVersion, IdParameters, registerResource } from "./resource.ts";

type App = Parameters<FastifyPluginAsyncTypebox>[0];

const OWN = "Needs the permission `service:write`; an application with its own token, none.";
const CurrentConfiguration = Type.Object({ version: Version, configuration: Json });

/** The registry of services: what runs where, and what it is to do. */
export function serviceRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    registerResource(app, deps, {
      path: "/services",
      names: { one: "service", many: "services", One: "Service", Many: "Services" },
      permissions: { read: "service:read", write: "service:write" },
      schemas: { item: Service, create: CreateService, change: UpdateService, query: ServiceQuery },
      notes: {
        create: "Services that register themselves need not be created.",
        change: "What is written here stays when the service registers again.",
        remove: "Refused while instances run.",
      },
      list: listServices,
      get: getService,
      create: createService,
      change: updateService,
      remove: deleteService,
    });
    registerLife(app, deps);
    registerInstances(app, deps);
    registerReading(app, deps);
    registerWriting(app, deps);
  };
}

function registerLife(app: App, deps: Deps): void {
  app.post(
    "/services/register",
    {
      schema: {
        operationId: "registerService",
        summary: "Register an instance",
        description: `${OWN} The service is made with its first instance; one that is there keeps what it has.`,
        tags: ["Services"],
        headers: IdempotencyHeaders,
        body: RegisterService,
        response: { 200: ServiceState, ...problems(409, 413, 415, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => ({
        status: 200,
        headers: {},
        body: await registerService(joined, request.context, request.body),
      })),
  );
  app.post(
    "/services/heartbeat",
    {
      schema: {
        operationId: "sendHeartbeat",
        summary: "Say that an instance is alive",
        description: `${OWN} Send one a minute; after three minutes without, the instance is offline.`,
        tags: ["Services"],
        body: ServiceHeartbeat,
        response: { 200: ServiceState, ...problems(409, 413, 415) },
      },
    },
    (request) => heartbeat(deps, request.context, request.body),
  );
  app.post(
    "/services/unregister",
    {
      schema: {
        operationId: "unregisterService",
        summary: "End an instance",
        description: `${OWN} A heartbeat that comes late does not bring it back; registering does.`,
        tags: ["Services"],
        headers: IdempotencyHeaders,
        body: UnregisterService,
        response: { 204: Type.Null({ description: "Ended" }), ...problems(409, 413, 415, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        await unregisterService(joined, request.context, request.body);
        return { status: 204, headers: {} };
      }),
  );
}

function registerInstances(app: App, deps: Deps): void {
  app.get(
    "/services/:id/instances",
    {
      schema: {
        operationId: "listServiceInstances",
        summary: "List a service's instances",
        description: "Needs the permission `service:read`. The running ones first; 1,000 at most.",
        tags: ["Services"],
        params: IdParameters,
        response: { 200: ServiceInstances, ...problems() },
      },
    },
    async (request) => ({ items: await listInstances(deps, request.context, request.params.id) }),
  );
}

function registerReading(app: App, deps: Deps): void {
  app.get(
    "/services/:id/configuration",
    {
      schema: {
        operationId: "getServiceConfiguration",
        summary: "Read a service's configuration, or wait for the next",
        description:
          "Needs the permission `service:read`; the service's own application, none. With `after` it answers as soon " +
          "as there is another version, or 204 when `wait` is over: ask again then.",
        tags: ["Services"],
        params: IdParameters,
        querystring: ServiceConfigurationQuery,
        response: {
          200: CurrentConfiguration,
          204: Type.Null({ description: "Nothing new in that time" }),
          ...problems(),
        },
      },
    },
    async (request, reply) => {
      const { after, wait = 25 } = request.query;
      const left = leaving(reply);
      const found = await awaitConfiguration(deps, request.context, request.params.id, {
        after,
        milliseconds: wait * 1_000,
        gone: left,
      });
      if (!found) return (reply.code(204) as FastifyReply).send() as never;
      return reply.headers(etag(found.version)).send(found) as never;
    },
  );
  app.get(
    "/services/:id/configurations",
    {
      schema: {
        operationId: "listServiceConfigurations",
        summary: "List the versions of a service's configuration",
        description: "Needs the permission `service:read`. Newest first, with who wrote them.",
        tags: ["Services"],
        params: IdParameters,
        querystring: ServiceHistoryQuery,
        response: { 200: ServiceConfigurations, ...problems() },
      },
    },
    (request) => {
      const { limit = PAGE_SIZE.default, after } = request.query;
      const before = after === undefined ? undefined : Number(after);
      return listConfigurations(deps, request.context, request.params.id, before, limit);
    },
  );
}

/** Aborted when the caller's connection ends before the answer. */
function leaving(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once("close", () => controller.abort());
  return controller.signal;
}

function registerWriting(app: App, deps: Deps): void {
  app.put(
    "/services/:id/configuration",
    {
      schema: {
        operationId: "writeServiceConfiguration",
        summary: "Write a service's configuration",
        description:
          "Needs the permission `service:write`. Instances get it with their next heartbeat. `If-Match` takes the " +
          "version of the configuration.",
        tags: ["Services"],
        params: IdParameters,
        headers: ChangeHeaders,
        body: WriteServiceConfiguration,
        response: { 200: CurrentConfiguration, ...problems(409, 412, 413, 415, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        const { context, params, body, headers } = request;
        const expected = expectedVersion(headers["if-match"]);
        const written = await configureService(joined, context, params.id, body, expected);
        return { status: 200, headers: etag(written.version), body: written };
      }),
  );
}
