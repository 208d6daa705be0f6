export {
  cancelIdentifierChange,
  findIdentifierChange,
  giveChangeCode,
  listIdentifierChanges,
  sendChangeCode,
  startIdentifierChange,
} from "./change-identifier.ts";
export type { Browser } from "./finish.ts";
export { deleteExpiredFlows } from "./flow.store.ts";
export type { Flow, StepResult } from "./flow.ts";
export { flowView } from "./flow-view.ts";
export { checkFormToken, formToken } from "./form-token.ts";
export { giveCode, openLink } from "./give-code.ts";
export { changeIdentifier, giveIdentifier } from "./give-identifier.ts";
export { choosePassword, givePassword } from "./give-password.ts";
export { findHeadlessFlow, finishHeadlessFlow, startHeadlessFlow } from "./headless.ts";
export { deleteExpiredChanges } from "./identifier-change.store.ts";
export {
  linkAccount,
  linkIdentity,
  listIdentities,
  proveAccount,
  unlinkIdentity,
} from "./identities.ts";
export { deleteExpiredAccountLinks } from "./identity.store.ts";
export { deleteExpiredImpersonations } from "./impersonation.store.ts";
export {
  allowImpersonation,
  beginImpersonation,
  endImpersonation,
  findImpersonation,
  findImpersonator,
} from "./impersonation.ts";
export { checkMailboxIsEnough, isMailboxEnough } from "./mailbox.ts";
export { removeOwnFactor } from "./own-factors.ts";
export {
  beginEnrolPasskey,
  beginEnrolTotp,
  enrolPasskey,
  enrolTotp,
  giveRecoveryCode,
  giveTotp,
} from "./second-factor.ts";
export { sendCode, sendLink, startRecovery, startUnlock } from "./send-code.ts";
export { checkSetUpLink, completeSetUp, createSetUpLink, FIRST_ADMINISTRATOR } from "./set-up.ts";
export { signInDirectly } from "./sign-in-directly.ts";
export { signOut } from "./sign-out.ts";
export { type SignUp, signUp } from "./sign-up.ts";
export {
  findFlow,
  startFlow,
  startSignedInFlow,
  takeFinishedFlow,
} from "./start-flow.ts";
export {
  checkMayBeVouchedFor,
  isTooOld,
  type Lack,
  startReauthentication,
  startStepUp,
  whatLacks,
} from "./step-up.ts";
export { STEPS, type Step } from "./steps.ts";
export { passkeyOptions, usePasskey } from "./use-passkey.ts";
