import type { SIGN_IN_STEP_BODIES, Tenant } from "@ostiary/contracts";
import type { Static } from "typebox";
import type { Deps } from "../domain/deps.ts";
import {
  type Browser,
  changeIdentifier,
  choosePassword,
  enrolPasskey,
  enrolTotp,
  type Flow,
  giveCode,
  giveIdentifier,
  givePassword,
  giveRecoveryCode,
  giveTotp,
  type Step,
  type StepResult,
  sendCode,
  signUp,
  startRecovery,
  startUnlock,
  usePasskey,
} from "../domain/sign-in/index.ts";
import type { RequestContext } from "../kernel/context.ts";

/** Links lead to our own pages, in the browser that asked: they are not for an application's own forms. */
export type HeadlessStep = Exclude<Step, "send-link" | "open-link">;

type Body<S extends HeadlessStep> = Static<(typeof SIGN_IN_STEP_BODIES)[S]> & Pick<Browser, "device">;

/** The functions of the steps. A step that is added to the table must be added here and to the contracts. */
export const HEADLESS_STEPS: {
  [S in HeadlessStep]: (
    deps: Deps,
    context: RequestContext,
    tenant: Tenant,
    flow: Flow,
    input: Body<S>,
  ) => Promise<StepResult>;
} = {
  "give-identifier": giveIdentifier,
  "change-identifier": changeIdentifier,
  "give-password": givePassword,
  "send-code": sendCode,
  "give-code": giveCode,
  "use-passkey": usePasskey,
  "give-totp": giveTotp,
  "give-recovery-code": giveRecoveryCode,
  "enrol-totp": enrolTotp,
  "enrol-passkey": enrolPasskey,
  "start-recovery": startRecovery,
  "start-unlock": startUnlock,
  "choose-password": choosePassword,
  "sign-up": signUp,
};
