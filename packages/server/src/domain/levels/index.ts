export { DEFAULT_LEVEL, LEVELS } from "./levels.ts";
export { addPerson, deletePerson, type Standing, updatePerson } from "./manage-people.ts";
export {
  redeemMailedLink,
  redeemPasswordCode,
  requestPassword,
  requestPasswordCode,
  welcomePerson,
} from "./passwords-by-mail.ts";
export {
  findPerson,
  getPerson,
  isSingleSession,
  levelOfActor,
  listPeople,
  type Person,
  type PersonKey,
} from "./people.ts";
export {
  findDirectPermissions,
  listNumberedPermissions,
  type NumberedPermission,
} from "./permission-numbers.ts";
export {
  addRankedMembers,
  createRankedGroup,
  deleteRankedGroup,
  removeRankedMembers,
  updateRankedGroup,
} from "./ranked-groups.ts";
