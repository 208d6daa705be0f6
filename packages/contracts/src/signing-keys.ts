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

/** What dialects sign, beside the tokens of OAuth. */
export const DIALECT_KEY_PURPOSES = ["blueking", "zibanu"] as const;

/** A key of a dialect. What signs is never shown. */
export const DialectKey = Type.Object({
  kid: Type.String(),
  purpose: Type.String({
    description: "The dialect: `blueking` (gateway tokens) or `zibanu` (sliding tokens)",
  }),
  algorithm: OneOf(["RS512", "HS512"]),
  publicKey: Nullable(Type.String(), { description: "PEM (SubjectPublicKeyInfo); null for shared secrets" }),
  status: OneOf(["next", "active", "retiring"]),
  createdAt: Timestamp,
  activatesAt: Timestamp,
  expiresAt: Nullable(Timestamp),
});
export type DialectKey = Static<typeof DialectKey>;

export const DialectKeys = Type.Object({ items: Type.Array(DialectKey) });

export const RotateDialectKeys = StrictObject({ purpose: OneOf(DIALECT_KEY_PURPOSES) });
