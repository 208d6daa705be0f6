import { type Static, Type } from "typebox";
import { Id, Line, Nullable, OneOf, StrictObject, Timestamp } from "./common.ts";

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

/** What somebody can prove himself with. */
export const UserFactors = Type.Object({
  items: Type.Array(Factor, { description: "Authenticator apps and passkeys, oldest first" }),
  password: Type.Boolean(),
  email: Nullable(Type.String(), { description: "The verified address, masked: `a***@example.com`" }),
  phone: Nullable(Type.String(), { description: "The verified number, masked" }),
  backupEmail: Nullable(Type.String(), { description: "The verified backup address, masked" }),
  recoveryCodes: Type.Integer({ minimum: 0, description: "How many are left" }),
});
export type UserFactors = Static<typeof UserFactors>;

export const BeginTotp = StrictObject({ name: Type.Optional(FactorName) });

export const BegunTotp = Type.Object({
  id: Id,
  secret: Type.String({ description: "The key in base32, for typing. Shown once" }),
  uri: Type.String({ description: "`otpauth://totp/…`" }),
  qr: Type.String({ description: "The address as a QR code: an SVG drawing" }),
});
export type BegunTotp = Static<typeof BegunTotp>;

/** As it is shown; white space is left out. */
export const OneTimeCodeText = Type.String({ minLength: 1, maxLength: 64, examples: ["123456"] });

export const ConfirmTotp = StrictObject({ code: OneTimeCodeText });

/** `PublicKeyCredentialCreationOptionsJSON` (WebAuthn §5.1.9). */
export const PasskeyOptions = Type.Object(
  { challenge: Type.String() },
  {
    additionalProperties: true,
    description:
      "For `PublicKeyCredential.parseCreationOptionsFromJSON`, then `navigator.credentials.create`",
  },
);

/** Browsers add members with each version, so the ones that are not known are let pass and not looked at. */
export const PasskeyResponse = Type.Object(
  {
    id: Type.String({ maxLength: 1_364 }),
    type: Type.Literal("public-key"),
    response: Type.Object({}, { additionalProperties: true }),
  },
  { additionalProperties: true, description: "What `PublicKeyCredential.toJSON()` gives (WebAuthn §5.1.8)" },
);

export const RegisterPasskey = StrictObject({ response: PasskeyResponse, name: Type.Optional(FactorName) });

export const RenameFactor = StrictObject({ name: FactorName });

export const RecoveryCodes = Type.Object({
  codes: Type.Array(Type.String(), {
    description: "Each works once in place of a second factor. Shown once",
    examples: [["7k2mq-x9d4t"]],
  }),
});
export type RecoveryCodes = Static<typeof RecoveryCodes>;

export const KnownDevices = Type.Object({ items: Type.Array(KnownDevice) });
