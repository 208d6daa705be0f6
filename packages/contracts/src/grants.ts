import { type Static, Type } from "typebox";
import { Id, Nullable, Timestamp } from "./common.ts";

/** What a user has allowed an application. */
export const Grant = Type.Object({
  userId: Id,
  applicationId: Id,
  applicationName: Type.String(),
  applicationLogo: Nullable(Type.String()),
  scopes: Type.Array(Type.String()),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type Grant = Static<typeof Grant>;

export const Grants = Type.Object({ items: Type.Array(Grant) });
