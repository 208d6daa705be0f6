import { IdentityError } from "@ostiary/contracts";

/**
 * The sign-in as a state machine. This table is the whole truth: a step that is not listed for a state cannot be
 * taken, and only the state `authenticated` has a session. Later factors are more rows and more states between
 * `password` and `authenticated`; no code elsewhere decides what comes next.
 *
 * | state           | the browser is asked for            |
 * |-----------------|-------------------------------------|
 * | `identifier`    | who it is (and the password, when the tenant asks for both at once) |
 * | `password`      | the password of the identifier given |
 * | `new-password`  | a new password: the one that was right may not be used any longer |
 * | `authenticated` | nothing: waits to be taken, once, by the protocol that started it |
 */
export const STEPS = {
  identifier: {
    "give-identifier": ["password"],
    "give-password": ["authenticated", "new-password"],
    "sign-up": ["authenticated"],
  },
  password: {
    "give-password": ["authenticated", "new-password"],
    "change-identifier": ["identifier"],
  },
  "new-password": {
    "choose-password": ["authenticated"],
  },
  authenticated: {},
} as const satisfies Record<string, Record<string, readonly string[]>>;

export type FlowState = keyof typeof STEPS;

export type Step = { [State in FlowState]: keyof (typeof STEPS)[State] }[FlowState];

/**
 * The state that a step leads to.
 *
 * @param to - which of the states that the table names for the step; default: the first.
 * @throws IdentityError `flow.wrong_step` when the table does not allow the step in this state.
 * @throws RangeError when the table does not let the step lead there: our bug.
 */
export function nextState(state: FlowState, step: Step, to?: FlowState): FlowState {
  const steps: Partial<Record<Step, readonly FlowState[]>> = STEPS[state];
  const allowed = steps[step];
  const next = to ?? allowed?.[0];
  if (allowed === undefined || next === undefined) {
    throw new IdentityError("flow.wrong_step", { reason: `${step} in state ${state}` });
  }
  if (!allowed.includes(next)) throw new RangeError(`${step} does not lead from ${state} to ${next}`);
  return next;
}
