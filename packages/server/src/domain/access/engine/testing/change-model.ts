import type { AccessChange, SubjectRef, TenantModel } from "../model.ts";

/** A change, made on plain data. */
export function changeModel(model: TenantModel, change: AccessChange): TenantModel {
  switch (change.type) {
    case "resource.set": {
      const { namespace, code } = change.resource;
      const { resources } = changeModel(model, { type: "resource.removed", namespace, code });
      return { ...model, resources: [...resources, change.resource] };
    }
    case "resource.removed": {
      const isOther = (other: { namespace: string; code: string }) =>
        other.namespace !== change.namespace || other.code !== change.code;
      return { ...model, resources: model.resources.filter(isOther) };
    }
    case "role.set":
      return { ...model, roles: [...without(model.roles, change.role.id), change.role] };
    case "role.removed":
      return { ...model, roles: without(model.roles, change.id) };
    case "policy.set":
      return { ...model, policies: [...without(model.policies, change.policy.id), change.policy] };
    case "policy.removed":
      return { ...model, policies: without(model.policies, change.id) };
    case "group.set":
      return { ...model, groups: [...without(model.groups, change.group.id), change.group] };
    case "group.removed":
      return { ...model, groups: without(model.groups, change.id) };
    case "unit.set":
      return { ...model, units: [...without(model.units, change.unit.id), change.unit] };
    case "unit.removed":
      return { ...model, units: without(model.units, change.id) };
    case "grant.set":
      return { ...model, grants: [...without(model.grants, change.grant.id), change.grant] };
    case "grant.removed":
      return { ...model, grants: without(model.grants, change.id) };
    case "member.added":
      return { ...model, members: [...model.members, { of: change.of, userIds: [change.userId] }] };
    case "member.removed":
      return {
        ...model,
        members: model.members.map(({ of, userIds }) =>
          isSame(of, change.of)
            ? { of, userIds: userIds.filter((id) => id !== change.userId) }
            : { of, userIds },
        ),
      };
    case "subject.activated":
      return { ...model, inactive: model.inactive.filter((subject) => !isSame(subject, change.subject)) };
    case "subject.deactivated":
      return { ...model, inactive: [...model.inactive, change.subject] };
  }
}

const without = <T extends { id: string }>(items: readonly T[], id: string): T[] =>
  items.filter((item) => item.id !== id);

const isSame = (a: SubjectRef, b: SubjectRef): boolean => a.type === b.type && a.id === b.id;
