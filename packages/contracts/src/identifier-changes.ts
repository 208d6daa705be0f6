import { type Static, Type } from "typebox";
import { Id, Nullable, OneOf, StrictObject, Timestamp } from "./common.ts";
import { Email, Phone } from "./users.ts";

export const IDENTIFIER_KINDS = ["email", "phone", "backup_email"] as const;
export type IdentifierKind = (typeof IDENTIFIER_KINDS)[number];

export const StartIdentifierChange = Type.Union(
  [
    StrictObject({ kind: OneOf(["email", "backup_email"]), value: Nullable(Email) }),
    StrictObject({ kind: Type.Literal("phone"), value: Nullable(Phone) }),
  ],
  { description: "`value`: the new one; the present one, to confirm it; null, to remove it" },
);
export type StartIdentifierChange = Static<typeof StartIdentifierChange>;

/** A change of an address of one's own, and what it waits for. */
export const IdentifierChange = Type.Object({
  id: Id,
  kind: OneOf(IDENTIFIER_KINDS),
  value: Nullable(Type.String(), { description: "The new one; null: it is removed" }),
  state: OneOf(["confirm-old", "confirm-new", "applied"], {
    description: "Which address must be confirmed with the code that was sent there",
  }),
  steps: Type.Array(OneOf(["send-code", "give-code", "cancel"]), { description: "What can be done now" }),
  sent: Nullable(
    Type.Object({
      channel: OneOf(["email", "sms"]),
      to: Type.String({ description: "Masked" }),
      expiresAt: Timestamp,
      resendAt: Timestamp,
    }),
    { description: "The code that this answer has sent; null: none" },
  ),
  expiresAt: Timestamp,
});
export type IdentifierChange = Static<typeof IdentifierChange>;

export const IdentifierChanges = Type.Object({ items: Type.Array(IdentifierChange) });

export const GiveChangeCode = StrictObject({
  code: Type.String({ minLength: 1, maxLength: 32, description: "As it was sent; spaces do not count" }),
});
