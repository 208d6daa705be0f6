import { type Static, Type } from "typebox";
import {
  Id,
  Line,
  ListQuery,
  Nullable,
  OneOf,
  Optionals,
  StrictObject,
  Timestamp,
  Version,
  WebAddress,
} from "./common.ts";

export const WEBHOOK_FORMATS = ["native", "huace"] as const;
export type WebhookFormat = (typeof WEBHOOK_FORMATS)[number];

export const EventPattern = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: "^(?:\\*|[a-z_]+\\.(?:\\*|[a-z_]+))$",
  description: "An event's name, `user.*` or `*`",
  examples: ["user.created"],
});

/** Those that we set, and those that belong to the connection, are not a subscriber's. */
const HeaderName =
  "^(?!(?:[Hh][Oo][Ss][Tt]|[Cc][Oo][Nn][Nn][Ee][Cc][Tt][Ii][Oo][Nn]|[Cc][Oo][Nn][Tt][Ee][Nn][Tt]-.*|" +
  "[Tt][Rr][Aa][Nn][Ss][Ff][Ee][Rr]-.*|[Uu][Pp][Gg][Rr][Aa][Dd][Ee]|[Tt][Ee]|[Tt][Rr][Aa][Ii][Ll][Ee][Rr]|" +
  "[Ee][Xx][Pp][Ee][Cc][Tt]|[Kk][Ee][Ee][Pp]-.*|(?:[Xx]-)?[Ww][Ee][Bb][Hh][Oo][Oo][Kk]-.*)$)[A-Za-z0-9_-]{1,64}$";

const values = {
  name: Line(128, { description: "For people" }),
  url: WebAddress({ description: "Where deliveries are sent by POST; redirects are not followed" }),
  events: Type.Array(EventPattern, { minItems: 1, maxItems: 100, uniqueItems: true }),
  format: OneOf(WEBHOOK_FORMATS, {
    description: "`native`: Standard Webhooks; `huace`: what huace-aigc-auth-client receives",
  }),
  applicationId: Nullable(Id, {
    description: "Told of users who may use this application only; null: of everything in the tenant",
  }),
  headers: Type.Record(
    Type.String({ pattern: HeaderName }),
    Type.String({ maxLength: 1_024, pattern: "^[\\u0020-\\u007E]*$" }),
    { additionalProperties: false, maxProperties: 20, description: "Sent with every delivery" },
  ),
  timeoutSeconds: Type.Integer({ minimum: 1, maximum: 60, description: "Until the answer must be there" }),
  status: OneOf(["active", "disabled"]),
};

const secret = Nullable(
  Type.String({ minLength: 1, maxLength: 256, pattern: "^[^\\u0000-\\u001F\\u007F-\\u009F]+$" }),
  { description: "Signs deliveries; absent in a creation: a new one, shown once; null: none" },
);

/** Somebody who is told of events. */
export const Webhook = Type.Object({
  id: Id,
  ...values,
  headers: Type.Record(Type.String(), Type.String(), {
    description: "Values are not shown: they may be credentials",
  }),
  hasSecret: Type.Boolean(),
  failures: Type.Integer({ description: "Deliveries in a row that failed" }),
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type Webhook = Static<typeof Webhook>;

export const CreateWebhook = StrictObject({
  ...Optionals(values),
  url: values.url,
  events: values.events,
  secret: Type.Optional(secret),
});
export type CreateWebhook = Static<typeof CreateWebhook>;

const { applicationId: _applicationId, format: _format, ...changeable } = values;
export const UpdateWebhook = StrictObject({ ...Optionals(changeable), secret: Type.Optional(secret) });
export type UpdateWebhook = Static<typeof UpdateWebhook>;

/** The answer to a creation: the only time that a generated secret is shown. */
export const CreatedWebhook = Type.Object({
  ...Webhook.properties,
  secret: Type.Optional(Type.String({ description: "Generated; shown this once" })),
});
export type CreatedWebhook = Static<typeof CreatedWebhook>;

export const DELIVERY_STATES = ["pending", "delivered", "dead"] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** One event for one webhook. */
export const WebhookDelivery = Type.Object({
  id: Id,
  webhookId: Id,
  eventId: Id,
  event: Type.String({ description: "Its name in the webhook's format" }),
  state: OneOf(DELIVERY_STATES, { description: "`dead`: given up; it can be replayed" }),
  attempts: Type.Integer(),
  nextAttemptAt: Nullable(Timestamp),
  lastStatus: Nullable(Type.Integer(), { description: "HTTP status of the last answer" }),
  lastError: Nullable(Type.String()),
  createdAt: Timestamp,
  finishedAt: Nullable(Timestamp),
});
export type WebhookDelivery = Static<typeof WebhookDelivery>;

export const WebhookAttempt = Type.Object({
  number: Type.Integer(),
  at: Timestamp,
  milliseconds: Type.Integer(),
  status: Nullable(Type.Integer(), { description: "Null: no answer came" }),
  response: Type.String({ description: "The first 4 kB of the answer, or why there was none" }),
});
export type WebhookAttempt = Static<typeof WebhookAttempt>;

export const WebhookDeliveryDetails = Type.Object({
  ...WebhookDelivery.properties,
  body: Type.String({ description: "As it is sent" }),
  log: Type.Array(WebhookAttempt),
});
export type WebhookDeliveryDetails = Static<typeof WebhookDeliveryDetails>;

export const WebhookDeliveryQuery = StrictObject({
  ...ListQuery.properties,
  state: Type.Optional(OneOf(DELIVERY_STATES)),
});

const Moment = Type.String({ format: "date-time", maxLength: 64 });

export const ReplayDeliveries = StrictObject({
  from: Moment,
  to: Type.Optional(Moment),
  state: Type.Optional(OneOf(["delivered", "dead"], { description: "Default: both" })),
});
export type ReplayDeliveries = Static<typeof ReplayDeliveries>;

export const ReplayResult = Type.Object({
  replayed: Type.Integer({ description: "So many deliveries are sent again; at most 10,000 in one call" }),
});
