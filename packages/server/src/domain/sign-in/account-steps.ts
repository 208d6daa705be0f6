import { IdentityError } from "@ostiary/contracts";

/**
 * A change of somebody's address as a state machine, like the sign-in in `steps.ts`: a step that is not listed for a
 * state cannot be taken, and only `applied` has changed anything. Codes work once, for one change, in one state.
 *
 * | state         | the person is asked for                                                        |
 * |---------------|--------------------------------------------------------------------------------|
 * | `confirm-old` | the code that was sent to the address there is, if that was confirmed before   |
 * | `confirm-new` | the code that was sent to the address there is to be                           |
 * | `applied`     | nothing: the account has the new address                                       |
 */
export const ACCOUNT_STEPS = {
  "confirm-old": { "give-code": ["confirm-new", "applied"], "send-code": ["confirm-old"], cancel: [] },
  "confirm-new": { "give-code": ["applied"], "send-code": ["confirm-new"], cancel: [] },
  applied: {},
} as const satisfies Record<string, Record<string, readonly string[]>>;

export type AccountState = keyof typeof ACCOUNT_STEPS;
export type AccountStep = "give-code" | "send-code" | "cancel";

/** What is known of a change. */
export interface ChangeFacts {
  /** Null: the address is removed. */
  newValue: string | null;
  asksOld: boolean;
  oldConfirmedAt: Date | null;
  newConfirmedAt: Date | null;
}

/** The state that a change is in, by what was confirmed and nothing else. */
export function accountState(change: ChangeFacts): AccountState {
  if (change.asksOld && change.oldConfirmedAt === null) return "confirm-old";
  if (change.newValue !== null && change.newConfirmedAt === null) return "confirm-new";
  return "applied";
}

/** @throws IdentityError `flow.wrong_step` when the table does not allow the step, or not to lead there. */
export function checkAccountStep(state: AccountState, step: AccountStep, to?: AccountState): void {
  const steps: Partial<Record<AccountStep, readonly AccountState[]>> = ACCOUNT_STEPS[state];
  const allowed = steps[step];
  if (allowed === undefined || (to !== undefined && !allowed.includes(to))) {
    throw new IdentityError("flow.wrong_step", { reason: `${step} in state ${state}` });
  }
}

export function accountStepsOf(state: AccountState): AccountStep[] {
  return Object.keys(ACCOUNT_STEPS[state]) as AccountStep[];
}
