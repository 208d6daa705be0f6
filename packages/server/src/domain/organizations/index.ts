export {
  acceptInvitation,
  createInvitation,
  deleteInvitation,
  findOffer,
  getInvitation,
  listInvitations,
  type Offer,
} from "./invitations.ts";
export {
  createOrganization,
  deleteOrganization,
  getOrganization,
  listOrganizations,
  updateOrganization,
} from "./organizations.ts";
export { listUnitMembers, listUnitsOfUser, putUnitMember, removeUnitMember } from "./unit-members.ts";
export { createUnit, deleteUnit, getUnit, listUnits, updateUnit } from "./units.ts";
