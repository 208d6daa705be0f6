import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  CreatedWebhook,
  CreateWebhook,
  Id,
  ListQuery,
  PageOf,
  ReplayDeliveries,
  ReplayResult,
  SearchText,
  StrictObject,
  UpdateWebhook,
  Webhook,
  WebhookDelivery,
  WebhookDeliveryDetails,
  WebhookDeliveryQuery,
} from "@ostiary/contracts";
import { Type } from "typebox";
import type { Deps } from "../domain/deps.ts";
import {
  createWebhook,
  deleteWebhook,
  getDelivery,
  getWebhook,
  listDeliveries,
  listWebhooks,
  replayDeliveries,
  requestSynchronization,
  updateWebhook,
} from "../domain/webhooks/index.ts";
import { answer, IdempotencyHeaders } from "./idempotency.ts";
import { problems } from "./problems.ts";
import { IdParameters, registerResource } from "./resource.ts";

const WebhookQuery = StrictObject({
  ...ListQuery.properties,
  search: Type.Optional(SearchText),
  applicationId: Type.Optional(Id),
});

const READ = "webhook:read";
const WRITE = "webhook:write";
const TAGS = ["Webhooks"];
const DeliveryParameters = Type.Object({ id: Id, deliveryId: Id });

/** Who is told of events, what each was told, and telling it again. */
export function webhookRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    registerResource(app, deps, {
      path: "/webhooks",
      names: { one: "webhook", many: "webhooks", One: "Webhook", Many: "Webhooks" },
      permissions: { read: READ, write: WRITE },
      schemas: {
        item: Webhook,
        create: CreateWebhook,
        change: UpdateWebhook,
        query: WebhookQuery,
        created: CreatedWebhook,
      },
      notes: {
        list: "`search` finds a part of name or address.",
        create:
          "Needs `user:read` too, and `audit:read` for other events than users'. Any 2xx answer takes a delivery " +
          "over; others are repeated for about a day. Deliveries about one thing come in order.",
        remove: "With its deliveries, also those that wait.",
      },
      list: listWebhooks,
      get: getWebhook,
      create: async (joined, context, input) => {
        const { webhook, secret } = await createWebhook(joined, context, input);
        return { ...webhook, ...(secret === undefined ? {} : { secret }) };
      },
      change: updateWebhook,
      remove: deleteWebhook,
    });

    app.get(
      "/webhooks/:id/deliveries",
      {
        schema: {
          operationId: "listWebhookDeliveries",
          summary: "List what a webhook was told",
          description: `Needs the permission \`${READ}\`. What was delivered is kept for 7 days, what was given up for 30.`,
          tags: TAGS,
          params: IdParameters,
          querystring: WebhookDeliveryQuery,
          response: { 200: PageOf(WebhookDelivery), ...problems() },
        },
      },
      (request) => listDeliveries(deps, request.context, request.params.id, request.query),
    );

    app.get(
      "/webhooks/:id/deliveries/:deliveryId",
      {
        schema: {
          operationId: "getWebhookDelivery",
          summary: "Read one delivery with its answers",
          description: `Needs the permission \`${READ}\`.`,
          tags: TAGS,
          params: DeliveryParameters,
          response: { 200: WebhookDeliveryDetails, ...problems() },
        },
      },
      ({ context, params }) => getDelivery(deps, context, params.id, params.deliveryId),
    );

    app.post(
      "/webhooks/:id/deliveries/:deliveryId/replay",
      {
        schema: {
          operationId: "replayWebhookDelivery",
          summary: "Send one delivery again",
          description: `Needs the permission \`${WRITE}\`. One that still waits is left alone.`,
          tags: TAGS,
          params: DeliveryParameters,
          headers: IdempotencyHeaders,
          response: { 200: ReplayResult, ...problems(409, 422) },
        },
      },
      (request, reply) =>
        answer(deps, request, reply, async (joined) => {
          const { id, deliveryId } = request.params;
          const replayed = await replayDeliveries(joined, request.context, id, { id: deliveryId });
          return { status: 200, headers: {}, body: { replayed } };
        }),
    );

    app.post(
      "/webhooks/:id/replay",
      {
        schema: {
          operationId: "replayWebhookDeliveries",
          summary: "Send the deliveries of a time again",
          description: `Needs the permission \`${WRITE}\`. Oldest first; the next call continues after 10,000.`,
          tags: TAGS,
          params: IdParameters,
          headers: IdempotencyHeaders,
          body: ReplayDeliveries,
          response: { 200: ReplayResult, ...problems(409, 413, 415, 422) },
        },
      },
      (request, reply) =>
        answer(deps, request, reply, async (joined) => {
          const { from, to, state } = request.body;
          const replayed = await replayDeliveries(joined, request.context, request.params.id, {
            from: new Date(from),
            ...(to === undefined ? {} : { to: new Date(to) }),
            state,
          });
          return { status: 200, headers: {}, body: { replayed } };
        }),
    );

    app.post(
      "/webhooks/:id/synchronize",
      {
        schema: {
          operationId: "requestSynchronization",
          summary: "Ask the receiver to send its users",
          description:
            `Needs the permission \`${WRITE}\`. The receiver hears \`synchronization.requested\` (huace: ` +
            "`user.init_sync_auth`), whatever it has subscribed to.",
          tags: TAGS,
          params: IdParameters,
          headers: IdempotencyHeaders,
          response: { 204: Type.Null({ description: "Asked" }), ...problems(409, 422) },
        },
      },
      (request, reply) =>
        answer(deps, request, reply, async (joined) => {
          await requestSynchronization(joined, request.context, request.params.id);
          return { status: 204, headers: {} };
        }),
    );
  };
}
