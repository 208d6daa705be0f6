import { type Static, Type } from "typebox";
import { Id, Line, StrictObject, Timestamp } from "./common.ts";

const words = {
  provider: Line(64, { minLength: 1, description: "Where the person is known", examples: ["feishu"] }),
  kind: Line(64, { minLength: 1, description: "Which of its identifiers", examples: ["open_id"] }),
  subject: Line(255, { minLength: 1, description: "The person there" }),
};
const Realm = Line(128, {
  description: "Where the subject is unique, such as a company there; empty: not said",
});

/** Who a user is at another provider. */
export const LinkedIdentity = Type.Object({
  id: Id,
  ...words,
  realm: Realm,
  linkedAt: Timestamp,
});
export type LinkedIdentity = Static<typeof LinkedIdentity>;

export const LinkedIdentities = Type.Object({ items: Type.Array(LinkedIdentity) });

export const LinkIdentity = StrictObject({ ...words, realm: Type.Optional(Realm) });
export type LinkIdentity = Static<typeof LinkIdentity>;

/** Proof that somebody has the account in which it was made. */
export const LinkProof = Type.Object({
  token: Type.String({ description: "Shown this once; works once" }),
  expiresAt: Timestamp,
});
export type LinkProof = Static<typeof LinkProof>;

export const LinkAccount = StrictObject({
  token: Type.String({ minLength: 1, maxLength: 128, pattern: "^[A-Za-z0-9_-]+$" }),
});
