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
 * | `authenticated` | nothing: waits to be taken, once, by the protocol that started it |
 */
export const STEPS = {
  identifier: {
    "give-identifier": ["password"],
    "give-password": ["authenticated"],
    "sign-up": ["authenticated"],
  },
  password: {
    "give-password": ["authenticated"],
    "change-identifier": ["identifier"],
  },
  authenticated: {},
} as const satisfies Record<string, Record<string, readonly string[]>>;

export type FlowState = keyof typeof STEPS;

export type Step = { [State in FlowState]: keyof (typeof STEPS)[State] }[FlowState];

/**
 * The state that a step leads to.
 *
 * @throws IdentityError `flow.wrong_step` when the table does not allow the step in this state.
 */
export function nextState(state: FlowState, step: Step): FlowState {
  const steps: Partial<Record<Step, readonly FlowState[]>> = STEPS[state];
  const [next] = steps[step] ?? [];
  if (next === undefined) throw new IdentityError("flow.wrong_step", { reason: `${step} in state ${state}` });
  return next;
}
