import { type Static, Type } from "typebox";
import { Id, Line, StrictObject, Timestamp } from "./common.ts";

export const AllowImpersonation = StrictObject({
  reason: Line(256, { minLength: 3, description: "Why; kept in the audit log", examples: ["Ticket 4711"] }),
});
export type AllowImpersonation = Static<typeof AllowImpersonation>;

/** An address that lets the administrator who asked for it act as the user, once. */
export const AllowedImpersonation = Type.Object({
  id: Id,
  url: Type.String({ description: "To be opened in the browser in which the administrator is signed in" }),
  expiresAt: Timestamp,
});
export type AllowedImpersonation = Static<typeof AllowedImpersonation>;
