import { type Static, Type } from "typebox";
import { PermissionCode } from "./access.ts";
import {
  Id,
  Line,
  Lines,
  Nullable,
  OneOf,
  Optionals,
  Serial,
  StrictObject,
  Timestamp,
  Version,
} from "./common.ts";

export const API_KEY_TYPES = ["user", "application", "global"] as const;
export type ApiKeyType = (typeof API_KEY_TYPES)[number];

/** `ak_` and 128 random bits. */
export const API_KEY_PATTERN = "^ak_[0-9a-f]{32}$";

const values = {
  name: Line(128, { minLength: 1 }),
  description: Lines(1_024),
  permissions: Nullable(Type.Array(PermissionCode, { maxItems: 1_000, uniqueItems: true }), {
    description:
      "Which permissions the key may use; null: all of its owner's, which for a global key is everything",
  }),
  status: OneOf(["active", "disabled"]),
  expiresAt: Nullable(Type.String({ format: "date-time", maxLength: 64 }), {
    description: "From when it is refused; null: never",
  }),
};

/** A long-lived credential for programs: of a user, of an application, or of the tenant itself (`global`). */
export const ApiKey = Type.Object({
  id: Id,
  serial: Serial,
  ...values,
  type: OneOf(API_KEY_TYPES),
  userId: Nullable(Id),
  applicationId: Nullable(Id),
  hint: Type.String({ description: "Its last four characters" }),
  lastUsedAt: Nullable(Timestamp, { description: "To the minute" }),
  expiresAt: Nullable(Timestamp),
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type ApiKey = Static<typeof ApiKey>;

export const CreateApiKey = StrictObject({
  ...Optionals(values),
  name: values.name,
  type: OneOf(API_KEY_TYPES),
  userId: Type.Optional(Id),
  applicationId: Type.Optional(Id),
});
export type CreateApiKey = Static<typeof CreateApiKey>;

export const UpdateApiKey = StrictObject(Optionals(values));
export type UpdateApiKey = Static<typeof UpdateApiKey>;

/** The answer to a creation: the only time that the key is shown. */
export const CreatedApiKey = Type.Object({
  ...ApiKey.properties,
  key: Type.Optional(Type.String({ pattern: API_KEY_PATTERN, description: "Shown this once" })),
});
export type CreatedApiKey = Static<typeof CreatedApiKey>;
