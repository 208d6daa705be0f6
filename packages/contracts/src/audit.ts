import { type Static, Type } from "typebox";
import { Id, Json, Nullable, OneOf, PAGE_SIZE, StrictObject, Timestamp } from "./common.ts";
import { EVENTS } from "./events.ts";

/** Who did what to what, when, from where, and how it ended. */
export const AuditEntry = Type.Object({
  seq: Type.Integer({ minimum: 1, description: "Counts the tenant's entries without a gap" }),
  id: Id,
  type: Type.String({ description: "Name of the event, e.g. `user.created`" }),
  occurredAt: Timestamp,
  actorType: Type.String(),
  actorId: Nullable(Type.String()),
  targetType: Nullable(Type.String()),
  targetId: Nullable(Type.String()),
  outcome: OneOf(["success", "refused"]),
  reason: Nullable(Type.String(), { description: "Why it was refused; the caller was not told" }),
  ip: Nullable(Type.String()),
  userAgent: Nullable(Type.String()),
  traceId: Type.String(),
  data: Json,
  hash: Type.String({
    description: "Hexadecimal SHA-256 over the hash of the entry before and this entry",
  }),
});
export type AuditEntry = Static<typeof AuditEntry>;

const Moment = Type.String({ format: "date-time", maxLength: 64 });

export const AuditQuery = StrictObject({
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: PAGE_SIZE.maximum,
      default: PAGE_SIZE.default,
      description: "Items a page",
    }),
  ),
  after: Type.Optional(
    Type.String({ maxLength: 16, pattern: "^[1-9][0-9]{0,14}$", description: "`next` of the page before" }),
  ),
  type: Type.Optional(OneOf(EVENTS)),
  actorId: Type.Optional(Id),
  targetId: Type.Optional(Type.String({ minLength: 1, maxLength: 128, pattern: "^[A-Za-z0-9_-]+$" })),
  outcome: Type.Optional(OneOf(["success", "refused"])),
  from: Type.Optional(Moment),
  to: Type.Optional(Moment),
});
export type AuditQuery = Static<typeof AuditQuery>;

export const AuditChainReport = Type.Object({
  intact: Type.Boolean(),
  entries: Type.Integer({ minimum: 0, description: "How many follow from one another" }),
  brokenAt: Nullable(Type.Integer(), {
    description: "The first entry that does not follow from the one before",
  }),
});
export type AuditChainReport = Static<typeof AuditChainReport>;
