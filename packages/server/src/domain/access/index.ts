export {
  createAccessGrant,
  deleteAccessGrant,
  getAccessGrant,
  listAccessGrants,
  updateAccessGrant,
} from "./access-grants.ts";
export { applicationPermissions } from "./application-permissions.ts";
export {
  assignRoles,
  checkAdministratorRemains,
  checkAdministratorRemainsWithout,
  checkMayControl,
  dropRoles,
  effectivePermissions,
  findRolesToGive,
  giveRoles,
  hasAdministrator,
  loadRights,
  setRoles,
  unassignRoles,
} from "./assign-roles.ts";
export {
  createDelegation,
  deleteDelegation,
  getDelegation,
  listDelegations,
  updateDelegation,
} from "./delegations.ts";
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
export { checkNoEscalation, checkNotImpersonated, checkPermission, holds } from "./permissions.ts";
export { checkGives, checkPermissionIn } from "./places.ts";
export {
  createPolicy,
  deletePolicy,
  getPolicy,
  listPolicies,
  updatePolicy,
} from "./policies.ts";
export {
  checkAccess,
  checkAccessMany,
  explainAccess,
  listAccess,
  listWhoMay,
  simulateAccess,
} from "./questions.ts";
export {
  createResource,
  deleteResource,
  getResource,
  listResources,
  updateResource,
} from "./resources.ts";
export { coversCodes, loadRightsOf } from "./rights.ts";
export {
  ADMINISTRATOR,
  createBuiltInRoles,
  createRole,
  deleteRole,
  getRole,
  listRoles,
  updateRole,
} from "./roles.ts";
