import { IdentityError } from "@ostiary/contracts";

/** Where a first factor may lead: to whatever the policy still asks for, in this order. */
const AFTER_FIRST = [
  "verify-identifier",
  "second-factor",
  "enrol-factor",
  "new-password",
  "authenticated",
] as const;
const AFTER_VERIFYING = ["second-factor", "enrol-factor", "new-password", "authenticated"] as const;
const AFTER_SECOND = ["enrol-factor", "new-password", "authenticated"] as const;
const AFTER_ENROLLING = ["new-password", "authenticated"] as const;

/** What can be given for an identifier, or chosen instead. */
const FIRST = {
  "give-password": AFTER_FIRST,
  "use-passkey": AFTER_FIRST,
  "send-code": ["code"],
  "send-link": ["link-sent"],
  "start-recovery": ["recovery"],
  "start-unlock": ["unlock"],
} as const;

const BACK = { "change-identifier": ["identifier"] } as const;

/**
 * The sign-in as a state machine. This table is the whole truth: a step that is not listed for a state cannot be
 * taken, and only the state `authenticated` has a session. Which of several states follows says the policy
 * (`needs.ts`); no code elsewhere decides what comes next. A wrong code or password changes no state.
 *
 * | state               | the browser is asked for                                                          |
 * |---------------------|-----------------------------------------------------------------------------------|
 * | `identifier`        | who it is (and the password, when the tenant asks for both at once), or a passkey  |
 * | `password`          | a first factor of the identifier given: password, passkey, code or link            |
 * | `code`              | the code that was sent as first factor                                             |
 * | `link-sent`         | the link that was sent, opened in this browser                                     |
 * | `recovery`          | the code that was sent because the password is forgotten                           |
 * | `unlock`            | the code that was sent because the account is locked; then the password again      |
 * | `verify-identifier` | the code that was sent to the address the person signed up with                    |
 * | `second-factor`     | a factor of another kind than the first one                                        |
 * | `enrol-factor`      | to set up a second factor: the policy demands one and there is none                |
 * | `new-password`      | a new password: the old one is forgotten or may not be used any longer             |
 * | `authenticated`     | nothing: waits to be taken, once, by the protocol that started it                  |
 */
export const STEPS = {
  identifier: {
    "give-identifier": ["password"],
    "sign-up": AFTER_FIRST,
    ...FIRST,
  },
  password: { ...FIRST, ...BACK },
  code: { "give-code": AFTER_FIRST, ...FIRST, ...BACK },
  "link-sent": { "open-link": AFTER_FIRST, ...FIRST, ...BACK },
  recovery: { "give-code": AFTER_FIRST, "start-recovery": ["recovery"], ...BACK },
  unlock: { "give-code": ["password"], "start-unlock": ["unlock"], ...BACK },
  "verify-identifier": { "give-code": AFTER_VERIFYING, "send-code": ["verify-identifier"], ...BACK },
  "second-factor": {
    "give-totp": AFTER_SECOND,
    "use-passkey": AFTER_SECOND,
    "send-code": ["second-factor"],
    "give-code": AFTER_SECOND,
    "give-recovery-code": AFTER_SECOND,
    ...BACK,
  },
  "enrol-factor": { "enrol-totp": AFTER_ENROLLING, "enrol-passkey": AFTER_ENROLLING, ...BACK },
  "new-password": { "choose-password": ["authenticated"], ...BACK },
  authenticated: {},
} as const satisfies Record<string, Record<string, readonly string[]>>;

export type FlowState = keyof typeof STEPS;

type StepOf<State> = State extends FlowState ? keyof (typeof STEPS)[State] : never;
export type Step = StepOf<FlowState>;

/**
 * The state that a step leads to.
 *
 * @param to - which of the states that the table names for the step; default: the first.
 * @throws IdentityError `flow.wrong_step` when the table does not allow the step in this state, or does not let it lead
 *   there, as when the policy was changed meanwhile.
 */
export function nextState(state: FlowState, step: Step, to?: FlowState): FlowState {
  const steps: Partial<Record<Step, readonly FlowState[]>> = STEPS[state];
  const allowed = steps[step];
  const next = to ?? allowed?.[0];
  if (allowed === undefined || next === undefined) {
    throw new IdentityError("flow.wrong_step", { reason: `${step} in state ${state}` });
  }
  if (!allowed.includes(next)) {
    throw new IdentityError("flow.wrong_step", { reason: `${step} does not lead from ${state} to ${next}` });
  }
  return next;
}

/** The steps that the table allows in a state. */
export function stepsOf(state: FlowState): Step[] {
  return Object.keys(STEPS[state]) as Step[];
}
