export {
  assignRoles,
  checkAdministratorRemains,
  checkAdministratorRemainsWithout,
  checkMayControl,
  dropRoles,
  effectivePermissions,
  hasAdministrator,
  loadRights,
  setRoles,
  unassignRoles,
} from "./assign-roles.ts";
export { findPrincipal, type Principal } from "./find-principal.ts";
export {
  createApplicationNamespace,
  createNamespace,
  deleteNamespace,
  everything,
  getNamespace,
  listNamespaces,
  updateNamespace,
} from "./namespaces.ts";
export { checkNoEscalation, checkPermission, holds } from "./permissions.ts";
export { checkGives, checkPermissionIn, mayIn, type Place } from "./places.ts";
export { loadEffectiveRights, loadRightsOf } from "./rights.ts";
export {
  ADMINISTRATOR,
  createBuiltInRoles,
  createRole,
  deleteRole,
  getRole,
  listRoles,
  updateRole,
} from "./roles.ts";
