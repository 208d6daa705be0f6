import {
  beginEnrolTotp,
  changeIdentifier,
  choosePassword,
  enrolPasskey,
  enrolTotp,
  type Flow,
  findFlow,
  giveCode,
  giveIdentifier,
  givePassword,
  giveRecoveryCode,
  giveTotp,
  openLink,
  passkeyOptions,
  type Step,
  type StepResult,
  sendCode,
  sendLink,
  signUp,
  startFlow,
  startRecovery,
  startUnlock,
  takeFinishedFlow,
  usePasskey,
} from "../index.ts";
import type { SignIns } from "./a-sign-in.ts";
import type { Door } from "./ledger.ts";

type Take = (
  deps: SignIns["deps"],
  context: SignIns["visitor"],
  tenant: Awaited<ReturnType<SignIns["tenant"]>>,
  flow: Flow,
  input: never,
) => Promise<StepResult>;

/** All steps of the table. */
const STEP_FUNCTIONS: Record<Step, Take> = {
  "give-identifier": giveIdentifier,
  "change-identifier": changeIdentifier,
  "give-password": givePassword,
  "send-code": sendCode,
  "give-code": giveCode,
  "send-link": sendLink,
  "open-link": openLink,
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

/** The functions that the hosted pages and every protocol call. */
export function pagesDoor({ deps, visitor, tenant }: SignIns): Door {
  const find = (key: { id: string; secret: string }) => findFlow(deps, visitor, key.id, key.secret);
  return {
    async begin(browser) {
      const flow = await startFlow(deps, visitor, { browser, continuation: { protocol: "test" } });
      return { id: flow.id, secret: browser };
    },
    async take(key, step, input) {
      const flow = await find(key);
      const { flow: next, cookie } = await STEP_FUNCTIONS[step](
        deps,
        visitor,
        await tenant(),
        flow,
        input as never,
      );
      return { state: next.state, session: cookie !== undefined };
    },
    passkeyOptions: async (key) => passkeyOptions(deps, visitor, await tenant(), await find(key)),
    beginTotp: async (key) => beginEnrolTotp(deps, visitor, await tenant(), await find(key)),
    finish: (key) => takeFinishedFlow(deps, visitor, key.id, key.secret),
  };
}
