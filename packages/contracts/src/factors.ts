import { type Static, Type } from "typebox";
import { Id, Line, Nullable, OneOf, Timestamp } from "./common.ts";

/** What the person calls it, such as "My phone". */
export const FactorName = Line(64, { description: "To tell one from the other", examples: ["My phone"] });

/** An authenticator app (TOTP, RFC 6238) or a passkey (WebAuthn). */
export const Factor = Type.Object({
  id: Id,
  kind: OneOf(["totp", "passkey"]),
  name: FactorName,
  createdAt: Timestamp,
  lastUsedAt: Nullable(Timestamp),
  synchronized: Nullable(Type.Boolean(), {
    description:
      "Whether a passkey is kept by an account of its maker (and survives the device); null for others",
  }),
});
export type Factor = Static<typeof Factor>;

/** A browser from which a user has signed in. */
export const KnownDevice = Type.Object({
  id: Id,
  device: Type.String({ description: "In words, e.g. `Chrome on Windows`; empty when unknown" }),
  ip: Nullable(Type.String(), { description: "Where it was seen last" }),
  userAgent: Nullable(Type.String()),
  createdAt: Timestamp,
  lastSeenAt: Timestamp,
  rememberedUntil: Nullable(Timestamp, { description: "Until then it needs no second factor" }),
});
export type KnownDevice = Static<typeof KnownDevice>;
