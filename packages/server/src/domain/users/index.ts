export {
  type Avatar,
  type AvatarLimits,
  type AvatarOptions,
  checkPicture,
  findAvatarOfUser,
  getAvatar,
  readAvatar,
  readOwnAvatar,
  setAvatar,
  setOwnAvatar,
} from "./avatars.ts";
export { changeOwnUsername } from "./change-username.ts";
export { createUser } from "./create-user.ts";
export {
  createCustomField,
  deleteCustomField,
  getCustomField,
  listCustomFields,
  updateCustomField,
} from "./custom-fields.ts";
export {
  findUserIdBySerial,
  findVisibleBySerial,
  findVisibleByUsername,
  pageDirectory,
} from "./directory.ts";
export {
  findUser,
  findUserByIdentifier,
  findUserByUsername,
  getMe,
  getUser,
  listUsers,
  noteSignIn,
} from "./find-user.ts";
export { findOwnAddress, setProvenAddress } from "./own-address.ts";
export { checkOwnUsername } from "./own-username.ts";
export { activateUser, deleteUser, suspendUser, updateMe, updateUser } from "./update-user.ts";
