export { askBreached } from "./ask-breached.ts";
export { forgetFailures, passwordAccount } from "./attempts.ts";
export { createBreachedPasswordsRange } from "./breached-password-range.ts";
export { anyBreachedPasswords, createBreachedPasswordsFile } from "./breached-passwords.ts";
export { checkPasskey, passkeyChallenge } from "./check-passkey.ts";
export { checkPassword } from "./check-password.ts";
export { CREDENTIAL_EXPIRIES } from "./expire.ts";
export { deleteAllFactors as dropFactors, lockFactors } from "./factor.store.ts";
export { noticeTo } from "./factor-changes.ts";
export {
  addressesOfUser,
  type FactorsOfUser,
  factorsOfUser,
  listAllFactors,
  listFactors,
  masked,
  removeFactor,
  renameFactor,
  signInFacts,
} from "./factors.ts";
export {
  findKnownDevice,
  forgetDevice,
  forgetRemembered,
  listKnownDevices,
  rememberDevice,
} from "./known-devices.ts";
export { listFactorsOfUser, removeFactorOfUser, resetFactorsOfUser } from "./manage-factors.ts";
export { dropSent } from "./one-time-code.store.ts";
export {
  type CodePurpose,
  type CodeRequest,
  checkCode,
  sendCode,
} from "./one-time-codes.ts";
export { beginPasskey, finishPasskey } from "./passkeys.ts";
export { createPasswordHasher } from "./password-hasher.ts";
export { checkPasswordLink, createPasswordLink, redeemPasswordLink } from "./password-links.ts";
export { checkRecoveryCode, makeRecoveryCodes } from "./recovery-codes.ts";
export {
  changePassword,
  dropPassword,
  hasPassword,
  importedMark,
  passwordState,
  replacePassword,
  setPassword,
} from "./set-password.ts";
export { beginTotp, checkTotp, confirmTotp } from "./totp.ts";
export { unlockUser } from "./unlock-user.ts";
