import type { AccessGroup, AccessRole, AccessUnit, SubjectRef } from "./model.ts";
import { type Principal, principalsOf } from "./principals.ts";
import type { TenantState } from "./tenant-state.ts";

/** For whom else a subject counts, and by which way. */
export interface Identity {
  groups: readonly AccessGroup[];
  /** `direct`: the subject is a member; otherwise of a sub-unit. */
  units: readonly (AccessUnit & { direct: boolean })[];
  /** `direct`: given to the subject itself; otherwise through a group, unit or child role. */
  roles: readonly (AccessRole & { direct: boolean })[];
}

/** Whether the subject is active is not asked. */
export function identityOf(state: TenantState, subject: SubjectRef): Identity {
  const node = state.subject(subject);
  const principals = node ? principalsOf(state, node) : [];
  const ofType = (type: SubjectRef["type"]): Principal[] =>
    principals.filter(({ node }) => node.type === type);
  return {
    groups: ofType("group").flatMap(({ node }) => state.groups.get(node.id) ?? []),
    units: ofType("unit").flatMap(({ node, via }) => {
      const unit = state.units.get(node.id);
      return unit ? [{ ...unit, direct: via !== "ancestor" }] : [];
    }),
    roles: ofType("role").flatMap(({ node, via, from }) => {
      const role = state.role(node.id);
      return role ? [{ ...role, direct: via === "self" || (via === "grant" && from?.via === "self") }] : [];
    }),
  };
}
