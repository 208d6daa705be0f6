export {
  assignRoles,
  checkAdministratorRemains,
  checkMayControl,
  dropRoles,
  effectivePermissions,
  hasAdministrator,
  loadRights,
  setRoles,
  unassignRoles,
} from "./assign-roles.ts";
export { findPrincipal, type Principal } from "./find-principal.ts";
export { checkNoEscalation, checkPermission, holds } from "./permissions.ts";
export {
  ADMINISTRATOR,
  createBuiltInRoles,
  createRole,
  deleteRole,
  getRole,
  listRoles,
  updateRole,
} from "./roles.ts";
