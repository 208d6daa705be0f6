import { type Static, Type } from "typebox";
import { Id, Nullable, OneOf, Timestamp } from "./common.ts";
import { RECOVERY_CHANNELS, SECOND_FACTORS, SIGN_IN_METHODS } from "./settings.ts";

export const SIGN_IN_STATES = [
  "identifier",
  "password",
  "code",
  "link-sent",
  "recovery",
  "unlock",
  "verify-identifier",
  "second-factor",
  "enrol-factor",
  "new-password",
  "authenticated",
] as const;
export type SignInState = (typeof SIGN_IN_STATES)[number];

export const SIGN_IN_STEPS = [
  "give-identifier",
  "change-identifier",
  "give-password",
  "send-code",
  "give-code",
  "send-link",
  "open-link",
  "use-passkey",
  "give-totp",
  "give-recovery-code",
  "enrol-totp",
  "enrol-passkey",
  "start-recovery",
  "start-unlock",
  "choose-password",
  "sign-up",
] as const;
export type SignInStep = (typeof SIGN_IN_STEPS)[number];

const SentMessage = Type.Object(
  {
    channel: OneOf(["email", "sms"]),
    to: Nullable(Type.String(), {
      description: "Masked; null while the person has not shown who it is: it would tell a guesser",
    }),
    expiresAt: Timestamp,
    resendAt: Type.String({ ...Timestamp, description: "When another one may be sent" }),
  },
  { description: "The code or link that was sent last" },
);

/** A sign-in under way: where it is and what may be done next. */
export const SignInFlow = Type.Object({
  id: Id,
  state: OneOf(SIGN_IN_STATES),
  applicationId: Nullable(Id),
  identifier: Nullable(Type.String(), { description: "As it was typed" }),
  steps: Type.Array(OneOf(SIGN_IN_STEPS), { description: "What may be done next" }),
  methods: Type.Array(OneOf(SIGN_IN_METHODS), {
    description: "First factors that are allowed, whoever it is; empty when one was given",
  }),
  secondFactors: Type.Array(OneOf(SECOND_FACTORS), {
    description: "In state `second-factor`: what this person can give",
  }),
  enrollable: Type.Array(OneOf(["totp", "passkey"]), {
    description: "In state `enrol-factor`: what can be set up",
  }),
  recoveryChannels: Type.Array(OneOf(RECOVERY_CHANNELS), {
    description: "How the code of `start-recovery` and `start-unlock` can go",
  }),
  sent: Nullable(SentMessage),
  rememberDeviceDays: Nullable(Type.Integer(), {
    description: "How long this browser can be remembered; null: that is not offered now",
  }),
  expiresAt: Timestamp,
});
export type SignInFlow = Static<typeof SignInFlow>;
