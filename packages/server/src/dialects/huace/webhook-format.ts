import { createHmac } from "node:crypto";
import type { Format, WebhookEvent } from "../../domain/webhooks/index.ts";
import { toUserInfo } from "./translate.ts";

/** Their names of our events; of the others their client knows nothing. */
const EVENTS: Readonly<Record<string, string>> = {
  "user.created": "user.created",
  "user.updated": "user.updated",
  "user.suspended": "user.updated",
  "user.activated": "user.updated",
  "role.assigned": "user.updated",
  "role.unassigned": "user.updated",
  "user.deleted": "user.deleted",
  "user.login": "user.login",
  "synchronization.requested": "user.init_sync_auth",
};

/** Their fields in which ours show. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  username: ["username"],
  nickname: ["nickname"],
  name: ["nickname"],
  email: ["email"],
  phone: ["phone"],
  status: ["status"],
  profile: ["avatar", "company", "department"],
};

/** Seconds: the receiver sends every user it has, one by one, before it answers. */
const SYNCHRONIZATION_PATIENCE = 600;

function updatedFields({ type, data }: WebhookEvent): string[] {
  if (type === "user.suspended" || type === "user.activated") return ["status"];
  if (type.startsWith("role.")) return ["roles", "permissions"];
  const ours = Array.isArray(data["fields"]) ? data["fields"] : [];
  return [...new Set(ours.flatMap((field) => FIELDS[String(field)] ?? []))];
}

function dataOf(event: WebhookEvent, name: string): object | null {
  const { user, data } = event;
  if (name === "user.init_sync_auth") return {};
  if (event.outcome !== "success" || !user) return null;
  if (name === "user.deleted") return { id: user.serial, username: data["username"] ?? user.username };
  if (user.status === "deleted") return null; // what is told of him would be empty; his deletion follows
  // Snake case is what their adapter's mappings read; the other spellings do no harm.
  const { groups: _groups, ...facts } = toUserInfo(user);
  if (name !== "user.updated") return facts;
  const fields = updatedFields(event);
  return fields.length === 0 ? null : { ...facts, updatedFields: fields };
}

/** What the webhook receivers of huace-aigc-auth-client take: wire/huace.md, 1.8. */
export const huaceFormat: Format = {
  render(event) {
    const name = EVENTS[event.type];
    const data = name === undefined ? null : dataOf(event, name);
    return name === undefined || data === null
      ? null
      : { event: name, body: JSON.stringify({ event: name, data }) };
  },
  headers: ({ id, event, body, at }, secret) => ({
    "x-webhook-event": event,
    "x-webhook-id": id,
    "x-webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    ...(secret === null
      ? {}
      : { "x-webhook-signature": createHmac("sha256", secret).update(body).digest("hex") }),
  }),
  patience: (event) => (event === "user.init_sync_auth" ? SYNCHRONIZATION_PATIENCE : 0),
};
