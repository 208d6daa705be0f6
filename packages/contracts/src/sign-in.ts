import { type Static, Type } from "typebox";
import { Id, Line, StrictObject } from "./common.ts";

export const DirectSignIn = StrictObject({
  applicationId: Type.String({ ...Id, description: "The application whose own form was filled in" }),
  applicationSecret: Type.String({ minLength: 1, maxLength: 512 }),
  identifier: Line(256, { minLength: 1, description: "Username, e-mail address or phone number" }),
  password: Type.String({ minLength: 1, maxLength: 1_024 }),
});
export type DirectSignIn = Static<typeof DirectSignIn>;

export const SignedIn = Type.Object({
  userId: Id,
  sessionId: Id,
  accessToken: Type.String({ description: "RFC 9068; ends with the session" }),
  tokenType: Type.Literal("Bearer"),
  expiresIn: Type.Integer({ description: "Seconds" }),
  scope: Type.String(),
});
export type SignedIn = Static<typeof SignedIn>;
