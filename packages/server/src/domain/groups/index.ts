export { addGroupMembers, listGroupMembers, removeGroupMembers } from "./group-members.ts";
export { createGroup, deleteGroup, getGroup, listGroups, updateGroup } from "./groups.ts";
