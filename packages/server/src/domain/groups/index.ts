export { addGroupMembers, listGroupMembers, removeGroupMembers } from "./group-members.ts";
export { createGroup, deleteGroup, getGroup, listGroups, updateGroup } from "./groups.ts";
export { findGroupsOfUser, type GroupOfUser } from "./groups-of-user.ts";
export { setGroupsOfUser } from "./set-groups.ts";
export { listGroupsFromLevel } from "./visible-groups.ts";
