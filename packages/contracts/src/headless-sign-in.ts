import { type Static, Type } from "typebox";
import { SCOPES } from "./applications.ts";
import { Id, Line, Nullable, OneOf, StrictObject, Timestamp } from "./common.ts";
import { PasskeyOptions, PasskeyResponse } from "./factors.ts";
import { SignInFlow } from "./sign-in-flows.ts";
import { Email, Password, Phone, Username } from "./users.ts";

const identifier = Line(256, { minLength: 1, description: "Username, e-mail address or phone number" });
const code = Line(64, { minLength: 1, description: "As it was sent or shown; spaces do not count" });
const remember = Type.Optional(Type.Boolean({ description: "Ask for no second factor here for some time" }));
const IfNotGiven = Type.Optional(
  Line(256, { minLength: 1, description: "Needed in state `identifier`; later the flow's own counts" }),
);
const Way = Type.Optional(
  OneOf(["email", "sms", "backup_email"], { description: "Default: what the tenant says" }),
);

export const StartSignIn = StrictObject({
  applicationId: Type.String({ pattern: "^[0-9a-f]{24}$", description: "With the setting `headlessSignIn`" }),
  scopes: Type.Array(OneOf(SCOPES), {
    maxItems: SCOPES.length,
    description: "What the tokens are to be good for; of those that the application may ask for",
  }),
  codeChallenge: Type.String({
    pattern: "^[A-Za-z0-9_-]{43}$",
    description: "BASE64URL(SHA256(verifier)) of a verifier that you keep (RFC 7636, method S256)",
  }),
  nonce: Type.Optional(Line(255, { minLength: 1, description: "Comes back in the ID token" })),
  acr: Type.Optional(
    OneOf(["urn:ostiary:acr:1", "urn:ostiary:acr:2", "phr"], {
      description: "The least that the sign-in must prove; the policy may ask for more",
    }),
  ),
  identifier: Type.Optional(identifier),
});
export type StartSignIn = Static<typeof StartSignIn>;

export const StartedSignIn = Type.Object({
  flow: SignInFlow,
  secret: Type.String({
    description:
      "Stands for the browser: send it as the header `Ostiary-Flow` with every step. Shown this once",
  }),
});

/** What came of a step. */
export const SignInStepResult = Type.Object({
  flow: SignInFlow,
  device: Nullable(Type.String(), {
    description:
      "Keep it and send it as the header `Ostiary-Device` at later sign-ins of the person: the device is known",
  }),
});

/** What each step takes. */
export const SIGN_IN_STEP_BODIES = {
  "give-identifier": StrictObject({ identifier }),
  "change-identifier": StrictObject({}),
  "give-password": StrictObject({ identifier: IfNotGiven, password: Password }),
  "send-code": StrictObject({ identifier: IfNotGiven, channel: OneOf(["email", "sms"]) }),
  "give-code": StrictObject({ code, remember }),
  "use-passkey": StrictObject({ response: PasskeyResponse, remember }),
  "give-totp": StrictObject({ code, remember }),
  "give-recovery-code": StrictObject({ code, remember }),
  "enrol-totp": StrictObject({ id: Id, code, remember }),
  "enrol-passkey": StrictObject({
    response: PasskeyResponse,
    name: Type.Optional(Line(64, { minLength: 1 })),
    remember,
  }),
  "start-recovery": StrictObject({ identifier: IfNotGiven, way: Way }),
  "start-unlock": StrictObject({ identifier: IfNotGiven, way: Way }),
  "choose-password": StrictObject({ password: Password }),
  "sign-up": StrictObject({
    username: Type.Optional(Username),
    email: Type.Optional(Email),
    phone: Type.Optional(Phone),
    nickname: Type.Optional(Line(128)),
    password: Password,
    invitation: Type.Optional(
      Type.String({ minLength: 1, maxLength: 128, pattern: "^[A-Za-z0-9_-]+$", description: "Its token" }),
    ),
  }),
} as const;

/** For `PublicKeyCredential.parseRequestOptionsFromJSON` or `parseCreationOptionsFromJSON`. */
export const SignInPasskeyOptions = Type.Object({ options: PasskeyOptions });

export const FinishedSignIn = Type.Object({
  code: Type.String({
    description: "For the token endpoint (`grant_type=authorization_code`), with the verifier; works once",
  }),
  userId: Id,
  sessionId: Id,
  expiresAt: Timestamp,
});
export type FinishedSignIn = Static<typeof FinishedSignIn>;
