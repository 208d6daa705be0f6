import type { SecondFactor, SignInMethod } from "@ostiary/contracts";
import type { Acr, Session } from "../sessions/index.ts";
import type { FlowState } from "./steps.ts";

/** A sign-in under way. */
export interface Flow {
  id: string;
  state: FlowState;
  applicationId: string | null;
  /** As it was typed. */
  identifier: string | null;
  /** Who it is; null until a factor has proven it. */
  userId: string | null;
  /** Only in state `authenticated`. */
  sessionId: string | null;
  /** What was proven: values of RFC 8176. */
  amr: string[];
  facts: FlowFacts;
  /** What the protocol that started the flow needs when it is finished; only that protocol reads it. */
  continuation: Record<string, unknown>;
  version: number;
  expiresAt: Date;
}

/** What later steps of a flow must know. Never a secret. */
export interface FlowFacts {
  /** The least that whoever began the flow demands; the policy may ask for more. */
  acr?: Acr;
  /**
   * Only this user may finish the flow, who has a session: he proves once more who he is, or (`stepsUp`) proves more, for
   * which the session's own sign-in is the first factor.
   */
  boundTo?: { userId: string; sessionId: string; stepsUp: boolean };
  /** How the first factor was given; `session`: earlier, in the session that steps up. */
  first?: SignInMethod | "recovery" | "sign-up" | "session";
  /** When the password was given, or the right to choose another: RFC 3339. What it has proven ends when it is changed. */
  passwordGivenAt?: string;
  /** The address that the code or link of the first factor went to: what that has proven ends when it leaves the account. */
  address?: string;
  /** The channel that the first factor came by: what came by the same one is not a second factor. */
  channel?: Channel;
  /** How the second factor was given, in this flow. */
  second?: SecondFactor;
  /** The browser is one that this user has told us to remember. */
  deviceRemembered?: boolean;
  /** The person wants this browser to be remembered. */
  remember?: boolean;
  /** A new password must be chosen, as the old one is forgotten. */
  newPassword?: boolean;
  /** Counts how often the flow began anew for somebody else. */
  round?: number;
  /** The code or link that was sent last. */
  sent?: Sent;
}

export type Channel = "email" | "sms";

export interface Sent {
  channel: Channel;
  /** Masked, and only where the person has shown who he is; else null: it would tell a guesser that he exists. */
  to: string | null;
  /** RFC 3339. */
  expiresAt: string;
  resendAt: string;
}

/** The version of a flow that begins and ends within one call and so has no row. */
export const UNSTORED = 0;

/** What a step did. The cookies are set when the sign-in is finished: the values of the session's and the device's. */
export interface StepResult {
  flow: Flow;
  cookie?: string;
  deviceCookie?: string;
  /** The session that has begun, as it is stored; absent where an older one goes on. */
  session?: Session;
}
