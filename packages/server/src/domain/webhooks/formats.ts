import { createHmac } from "node:crypto";
import type { JsonValue, UserStatus, WebhookFormat } from "@ostiary/contracts";
import { numericDate } from "../../kernel/clock.ts";
import type { Principal } from "../access/index.ts";
import { onePerServer } from "../deps.ts";

/** A fact from the outbox, and whom it is about as he is now. */
export interface WebhookEvent {
  id: string;
  tenantId: string;
  type: string;
  occurredAt: Date;
  actor: { type: string; id: string | null };
  target: { type: string; id: string } | null;
  outcome: string;
  data: { [key: string]: JsonValue };
  /** Where the event is about a user that there is or was. */
  user: Principal | null;
}

export interface DeliveryHead {
  id: string;
  event: string;
  body: string;
  at: Date;
}

/** How a kind of receiver is told of events. Pure: what it is given in, bytes and headers out. */
export interface Format {
  /** The event's name and body in this format; null: this format does not know such events. */
  render(event: WebhookEvent): { event: string; body: string } | null;
  headers(delivery: DeliveryHead, secret: string | null): Record<string, string>;
  /** Seconds that an event's answer may take at least, whatever the webhook says. */
  patience?(event: string): number;
}

/** Standard Webhooks: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
const native: Format = {
  render: (event) => ({ event: event.type, body: JSON.stringify(nativeBody(event)) }),
  headers: ({ id, body, at }, secret) => {
    const timestamp = String(numericDate(at));
    return {
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      ...(secret === null ? {} : { "webhook-signature": sign(secret, `${id}.${timestamp}.${body}`) }),
    };
  },
};

function sign(secret: string, text: string): string {
  const key = secret.startsWith("whsec_")
    ? Buffer.from(secret.slice("whsec_".length), "base64")
    : Buffer.from(secret);
  return `v1,${createHmac("sha256", key).update(text).digest("base64")}`;
}

function nativeBody({ id, type, occurredAt, tenantId, actor, target, outcome, data, user }: WebhookEvent) {
  return {
    type,
    timestamp: occurredAt.toISOString(),
    data: {
      id,
      tenantId,
      actor,
      target,
      outcome,
      ...(user ? { user: publicUser(user) } : {}),
      details: data,
    },
  };
}

function publicUser(
  user: Principal,
): { id: string; serial: number; status: UserStatus } & Record<string, JsonValue> {
  const { userId, serial, username, email, phone, nickname, name, status, roles } = user;
  return { id: userId, serial, username, email, phone, nickname, name, status, roles: [...roles] };
}

/** The formats of this server; dialects add theirs when they are mounted. */
export const formatsOf = onePerServer(() => new Map<WebhookFormat, Format>([["native", native]]));
