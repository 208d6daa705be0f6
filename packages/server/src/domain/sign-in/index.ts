export { deleteExpiredFlows, type Flow } from "./flow.store.ts";
export { checkFormToken, formToken } from "./form-token.ts";
export { deleteExpiredImpersonations } from "./impersonation.store.ts";
export {
  allowImpersonation,
  beginImpersonation,
  endImpersonation,
  findImpersonation,
  findImpersonator,
} from "./impersonation.ts";
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
  changeIdentifier,
  choosePassword,
  giveIdentifier,
  givePassword,
  type StepResult,
} from "./take-steps.ts";
