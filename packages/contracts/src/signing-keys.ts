import { type Static, Type } from "typebox";
import { Nullable, OneOf, StrictObject, Timestamp } from "./common.ts";
import { SIGNING_ALGORITHMS } from "./settings.ts";

/** A key that signs a tenant's tokens. The private half is never shown. */
export const SigningKey = Type.Object({
  kid: Type.String(),
  algorithm: OneOf(SIGNING_ALGORITHMS),
  publicJwk: Type.Record(Type.String(), Type.Unknown(), { description: "RFC 7517" }),
  status: OneOf(["next", "active", "retiring"], {
    description:
      "`next`: published, signs from `activatesAt`; `active`: signs; `retiring`: verifies until `expiresAt`",
  }),
  createdAt: Timestamp,
  activatesAt: Timestamp,
  expiresAt: Nullable(Timestamp),
});
export type SigningKey = Static<typeof SigningKey>;

export const SigningKeys = Type.Object({ items: Type.Array(SigningKey) });

export const RotateSigningKeys = StrictObject({
  algorithm: Type.Optional(
    OneOf(SIGNING_ALGORITHMS, {
      description:
        "Default: the tenant's, which is its setting `tokens.signingAlgorithm`. Of another one the key is made ready",
    }),
  ),
});
export type RotateSigningKeys = Static<typeof RotateSigningKeys>;
