export { endLockout } from "./attempts.ts";
export { createBreachedPasswordsFile } from "./breached-passwords.ts";
export { type CheckedPasskey, checkPasskey, passkeyChallenge } from "./check-passkey.ts";
export { checkPassword } from "./check-password.ts";
export { CREDENTIAL_EXPIRIES } from "./expire.ts";
export { deleteAllFactors as dropFactors } from "./factor.store.ts";
export { type NewFactor, noticeTo } from "./factor-changes.ts";
export {
  type Addresses,
  addressesOfUser,
  type FactorsOfUser,
  factorsOfUser,
  listFactors,
  masked,
  removeFactor,
  renameFactor,
} from "./factors.ts";
export {
  findKnownDevice,
  forgetDevice,
  forgetRemembered,
  listKnownDevices,
  rememberDevice,
} from "./known-devices.ts";
export { dropCodes } from "./one-time-code.store.ts";
export {
  type CodePurpose,
  type CodeRequest,
  checkCode,
  type ProvenTarget,
  sendCode,
} from "./one-time-codes.ts";
export { relyingParty } from "./passkey-challenge.ts";
export { beginPasskey, finishPasskey } from "./passkeys.ts";
export { createPasswordHasher } from "./password-hasher.ts";
export { checkRecoveryCode, makeRecoveryCodes } from "./recovery-codes.ts";
export {
  changePassword,
  dropPassword,
  hasPassword,
  importedMark,
  mustChangePassword,
  replacePassword,
  setPassword,
} from "./set-password.ts";
export { type BegunTotp, beginTotp, checkTotp, confirmTotp } from "./totp.ts";
