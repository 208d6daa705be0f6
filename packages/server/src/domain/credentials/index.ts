export { createBreachedPasswordsFile } from "./breached-passwords.ts";
export { checkPassword } from "./check-password.ts";
export { createPasswordHasher } from "./password-hasher.ts";
export {
  changePassword,
  dropPassword,
  hasPassword,
  importedMark,
  mustChangePassword,
  replacePassword,
  setPassword,
} from "./set-password.ts";
