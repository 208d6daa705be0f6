import { type Static, Type } from "typebox";
import { Id, Nullable, StrictObject, Timestamp } from "./common.ts";

/** A signed-in browser or device. */
export const Session = Type.Object({
  id: Id,
  userId: Id,
  device: Type.String({ description: "In words, e.g. `Chrome on Windows`; empty when unknown" }),
  ip: Nullable(Type.String(), { description: "Where it began" }),
  userAgent: Nullable(Type.String()),
  applicationId: Nullable(Id, { description: "The application through which it began; null: our own pages" }),
  door: Type.String({
    description: "What it is for: empty for browsers at our own pages, else a dialect's ticket",
  }),
  amr: Type.Array(Type.String(), { description: "How the person was authenticated (RFC 8176)" }),
  impersonatorId: Nullable(Id, {
    description: "The administrator who acts as the user in it; null: the user himself",
  }),
  authenticatedAt: Timestamp,
  createdAt: Timestamp,
  lastSeenAt: Timestamp,
  expiresAt: Type.String({
    format: "date-time",
    description: "When it ends if it is not used until then, or at the latest",
  }),
});
export type Session = Static<typeof Session>;

/** How many were revoked. */
export const RevokedSessions = Type.Object({ revoked: Type.Integer({ minimum: 0 }) });
export type RevokedSessions = Static<typeof RevokedSessions>;

/** A session of one's own. */
export const OwnSession = Type.Object({
  ...Session.properties,
  current: Type.Boolean({ description: "Whether this request belongs to it" }),
});
export type OwnSession = Static<typeof OwnSession>;

export const RevokeOwnSessions = StrictObject({
  keepCurrent: Type.Optional(
    Type.Boolean({ default: false, description: "Leave the session of this request" }),
  ),
});
export type RevokeOwnSessions = Static<typeof RevokeOwnSessions>;

/** How long ago somebody may have proven who he is who changes his own credentials, factors or identifiers. */
export const RECENT_SIGN_IN_SECONDS = 600;
